#include "common/fdutil.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG	512

void
fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void
fd_open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	fd_close(&fd);
}

static int
change_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags == -1)
		return -1;
	return fcntl(fd, set, on ? flags | flag : flags & ~flag) == -1 ? -1 : 0;
}

int
fd_set_cloexec(int fd, bool on)
{
	return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int
fd_set_nonblock(int fd, bool on)
{
	return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int
fd_socketpair(int fds_out[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    fds_out) == -1)
		return err_errno(err, "socketpair");
	return 0;
}

static int
unix_address(const char *path, struct sockaddr_un *address_out, struct err *err)
{
	*address_out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address_out->sun_path))
		return err_set(err, ERR_INVALID, "socket path %s: longer than %zu bytes",
		    path, sizeof(address_out->sun_path) - 1);
	memcpy(address_out->sun_path, path, strlen(path));
	return 0;
}

int
fd_unix_connect(const char *path, int *fd_out, struct err *err)
{
	struct sockaddr_un address;
	int fd;

	if (unix_address(path, &address, err) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return err_errno(err, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		(void)err_errno(err, "connect(%s)", path);
		if (errno == ENOENT || errno == ECONNREFUSED)
			err->code = ERR_UNAVAILABLE;
		(void)close(fd);
		return -1;
	}
	if (fd_set_nonblock(fd, true) == -1) {
		(void)err_errno(err, "fcntl(%s)", path);
		(void)close(fd);
		return -1;
	}
	*fd_out = fd;
	return 0;
}

/* Somebody who answers is another daemon; a dead socket of ours may go. */
static int
remove_stale_socket(const char *path, struct err *err)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : err_errno(err, "lstat(%s)", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_EXISTS, "%s is in the way: it is not a socket", path);
	if (st.st_uid != geteuid())
		return err_set(err, ERR_EXISTS, "%s is in the way: it belongs to uid %u",
		    path, (unsigned)st.st_uid);
	if (fd_unix_connect(path, &fd, err) == 0) {
		(void)close(fd);
		return err_set(err, ERR_EXISTS, "%s: another process answers there", path);
	}
	if (unlink(path) == -1)
		return err_errno(err, "unlink(%s)", path);
	return 0;
}

int
fd_unix_listen(const char *path, mode_t mode, int *fd_out, struct err *err)
{
	struct sockaddr_un address;
	mode_t old_mask;
	int fd, rc;

	if (unix_address(path, &address, err) == -1 ||
	    remove_stale_socket(path, err) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return err_errno(err, "socket");

	/* chmod() after bind() would leave a moment with a wider mode. */
	old_mask = umask(0777 & ~mode);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	(void)umask(old_mask);
	if (rc == -1 || listen(fd, LISTEN_BACKLOG) == -1) {
		(void)err_errno(err, "%s(%s)", rc == -1 ? "bind" : "listen", path);
		(void)close(fd);
		return -1;
	}
	*fd_out = fd;
	return 0;
}

static int
bind_and_listen(const struct addrinfo *ai, const char *address, int *fd_out,
    struct err *err)
{
	int one = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return err_errno(err, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, LISTEN_BACKLOG) == -1) {
		(void)err_errno(err, "listen(%s)", address);
		if (errno == EADDRINUSE)
			err->code = ERR_EXISTS;
		(void)close(fd);
		return -1;
	}
	*fd_out = fd;
	return 0;
}

int
fd_tcp_listen(const char *address, int *fd_out, struct err *err)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	const char *colon = strrchr(address, ':');
	struct addrinfo *ai;
	char host[64];
	struct str name;
	uint64_t port;
	int rc;

	if (colon == NULL)
		return err_set(err, ERR_INVALID, "address \"%s\": has no port", address);
	/* getaddrinfo() takes larger ones, too, and listens somewhere else. */
	if (str_to_u64(str_from(colon + 1), &port) == -1 || port > UINT16_MAX)
		return err_set(err, ERR_INVALID, "address \"%s\": its port has to be a number "
		    "from 0 to %d", address, UINT16_MAX);
	name = (struct str){ address, (size_t)(colon - address) };
	if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
		name = (struct str){ name.ptr + 1, name.len - 2 };
	if (!str_copy(host, sizeof(host), name))
		return err_set(err, ERR_INVALID, "address \"%s\": too long", address);
	rc = getaddrinfo(host, colon + 1, &hints, &ai);
	if (rc != 0)
		return err_set(err, ERR_INVALID, "address \"%s\": %s", address,
		    gai_strerror(rc));
	rc = bind_and_listen(ai, address, fd_out, err);
	freeaddrinfo(ai);
	return rc;
}

static int
say_who_holds(int fd, const char *path, struct err *err)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	pid_t pid;

	text[n > 0 ? n : 0] = '\0';
	pid = (pid_t)atoi(text);
	if (pid <= 0)
		return err_set(err, ERR_EXISTS, "%s is held by another process", path);
	if (kill(pid, 0) == -1 && errno == ESRCH)
		return err_set(err, ERR_UNAVAILABLE, "%s is held by a child of process %d, "
		    "which is gone", path, (int)pid);
	return err_set(err, ERR_EXISTS, "%s is held by process %d", path, (int)pid);
}

int
fd_lock_file(const char *path, int *fd_out, struct err *err)
{
	char pid[16];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return err_errno(err, "open(%s)", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK)
			(void)err_errno(err, "flock(%s)", path);
		else
			(void)say_who_holds(fd, path, err);
		(void)close(fd);
		return -1;
	}
	(void)snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, pid, strlen(pid), 0) == -1) {
		(void)err_errno(err, "write(%s)", path);
		(void)close(fd);
		return -1;
	}
	*fd_out = fd;
	return 0;
}

int
fd_mark_file(const char *path, int *fd_out, struct err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return err_errno(err, "open(%s)", path);
	if (fcntl(fd, F_SETLK, &lock) == -1) {
		(void)err_errno(err, "lock(%s)", path);
		if (errno == EAGAIN || errno == EACCES)
			err->code = ERR_EXISTS;
		(void)close(fd);
		return -1;
	}
	*fd_out = fd;
	return 0;
}

pid_t
fd_mark_holder(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool is_held;

	if (fd == -1)
		return 0;
	is_held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	(void)close(fd);
	return is_held ? lock.l_pid : 0;
}

/* What mkdir() says is there can be anything, a link that leads nowhere too. */
static int
see_directory(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 :
		    err_set(err, ERR_INVALID, "%s: is no directory", path);
	if (errno == ENOENT && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return err_set(err, ERR_INVALID, "%s: is a symbolic link to what is not "
		    "there", path);
	return err_errno(err, "stat(%s)", path);
}

int
dir_make(const char *path, mode_t mode, struct err *err)
{
	char part[4096];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return err_set(err, ERR_INVALID, "directory \"%s\": empty or too long", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, path[i] == '\0' ? mode : 0755) == -1 && errno != EEXIST)
			return err_errno(err, "mkdir(%s)", part);
	}
	return see_directory(path, err);
}
