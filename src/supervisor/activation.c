#include "supervisor/activation.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/log.h"
#include "common/str.h"

#define FIRST_FD	3	/* SD_LISTEN_FDS_START */
#define MOST_FDS	16

static void
take(struct activation *activation, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address), size = sizeof(int);
	int listens = 0, *to = NULL;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
	    getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		to = address.ss_family == AF_UNIX ? &activation->control_fd :
		    &activation->http_fd;
	if (to == NULL || *to != -1 || fd_set_cloexec(fd, true) == -1 ||
	    fd_set_nonblock(fd, true) == -1) {
		log_warn("descriptor %d of LISTEN_FDS is no listening socket that is of use",
		    fd);
		(void)close(fd);
		return;
	}
	*to = fd;
}

struct activation
activation_take(void)
{
	struct activation activation = { -1, -1 };
	struct str pid = str_from(getenv("LISTEN_PID")), fds = str_from(getenv("LISTEN_FDS"));
	uint64_t number, count;

	if (str_to_u64(pid, &number) == 0 && number == (uint64_t)getpid() &&
	    str_to_u64(fds, &count) == 0 && count <= MOST_FDS)
		for (int i = 0; i < (int)count; i++)
			take(&activation, FIRST_FD + i);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return activation;
}
