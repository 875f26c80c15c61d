/*
 * clock.c - a wall clock that a test can set, for one process: loaded with LD_PRELOAD.
 *
 * BF_CLOCK_FILE is a file with a number of 8 bytes, the seconds by which the wall clock
 * is off; it is mapped, so that a change is seen at once, also by a process that may
 * open nothing any more.  A second number counts how often somebody looked.  The
 * monotonic clock is left alone.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shared;

__attribute__((constructor)) static void
set_up(void)
{
	const char *path = getenv("BF_CLOCK_FILE");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd == -1)
		return;
	map = mmap(NULL, 2 * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED)
		shared = map;
}

static int64_t
offset(void)
{
	if (shared == NULL)
		return 0;
	shared[1]++;
	return shared[0];
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += offset();
	return rc;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	int rc = (int)syscall(SYS_gettimeofday, tv, zone);

	if (rc == 0)
		tv->tv_sec += offset();
	return rc;
}

time_t
time(time_t *now_out)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (now_out != NULL)
		*now_out = now.tv_sec;
	return now.tv_sec;
}
