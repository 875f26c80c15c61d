#include "proto/frame.h"

#include <string.h>
#include <sys/socket.h>

int
frame_next(struct bytes received, size_t max_bytes, struct bytes *payload_out,
    struct err *err)
{
	size_t len;

	if (received.len < FRAME_HEAD_BYTES)
		return 0;
	len = (size_t)received.ptr[0] << 24 | (size_t)received.ptr[1] << 16 |
	    (size_t)received.ptr[2] << 8 | received.ptr[3];
	if (len == 0 || len > max_bytes)
		return err_set(err, ERR_LIMIT, "frame of %zu bytes: 1 to %zu are allowed",
		    len, max_bytes);
	if (received.len - FRAME_HEAD_BYTES < len)
		return 0;
	*payload_out = (struct bytes){ received.ptr + FRAME_HEAD_BYTES, len };
	return 1;
}

ssize_t
frame_recv(int fd, void *to, size_t size, int *fds_out, size_t *fds_count_out)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(LIMIT_CHANNEL_FDS * sizeof(int))];
	} control;
	struct iovec part = { .iov_base = to, .iov_len = size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *head;
	ssize_t n;

	*fds_count_out = 0;
	if (fds_out == NULL)
		return recv(fd, to, size, 0);
	message.msg_control = control.space;
	message.msg_controllen = sizeof(control.space);
	n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	if (n == -1)
		return -1;
	for (head = CMSG_FIRSTHDR(&message); head != NULL;
	    head = CMSG_NXTHDR(&message, head)) {
		size_t bytes;

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		bytes = head->cmsg_len - CMSG_LEN(0);
		if (bytes > (LIMIT_CHANNEL_FDS - *fds_count_out) * sizeof(int))
			bytes = (LIMIT_CHANNEL_FDS - *fds_count_out) * sizeof(int);
		memcpy(fds_out + *fds_count_out, CMSG_DATA(head), bytes);
		*fds_count_out += bytes / sizeof(int);
	}
	return n;
}
