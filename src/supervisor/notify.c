#include "supervisor/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/str.h"
#include "supervisor/child.h"
#include "supervisor/service.h"

#define STATUS_SECS	10.
#define WATCHDOG_PARTS	3	/* of its time, between two words of ours */

/* A notification that is lost is the init system's to notice. */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';	/* an abstract socket */
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&address, len);
	(void)close(fd);
}

void
notify_ready(void)
{
	notify("READY=1");
}

/* MONOTONIC_USEC tells systemd which READY=1 belongs to it (Type=notify-reload). */
void
notify_reloading(void)
{
	char state[80];
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify(state);
}

void
notify_stopping(void)
{
	notify("STOPPING=1\nSTATUS=stopping");
}

/* --- from time to time --- */

static bool
can_write(struct supervisor *sup, bool *is_full_out)
{
	struct err err;

	*is_full_out = false;
	if (ops_probe(sup->ops, clock_wall_ms(), &err) == 0)
		return true;
	*is_full_out = err.code == ERR_DISK_FULL;
	log_error("watchdog: the store cannot be written: %s", err.text);
	return *is_full_out;
}

static void
tell_status(struct supervisor *sup, bool is_full)
{
	char state[256];

	(void)snprintf(state, sizeof(state), "STATUS=%zu of %llu operations running, HTTP "
	    "on %s%s%s", sup->children->count,
	    (unsigned long long)sup->settings.max_workers, sup->http_address,
	    service_is_ready(sup->indexer) ? "" : ", no indexer",
	    is_full ? ", the disk is full" : "");
	notify(state);
}

static void
on_status(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;
	bool is_full;

	if (sup->phase != PHASE_RUNNING)
		return;
	if (!sup->has_watchdog) {
		tell_status(sup, false);
	} else if (can_write(sup, &is_full)) {
		notify("WATCHDOG=1");
		tell_status(sup, is_full);
	}
}

/* In seconds; 0: none is wanted of this process. */
static double
watchdog_secs(void)
{
	struct str usec = str_from(getenv("WATCHDOG_USEC")),
	    pid = str_from(getenv("WATCHDOG_PID"));
	uint64_t number;

	if (!str_is_empty(pid) && (str_to_u64(pid, &number) == -1 ||
	    number != (uint64_t)getpid()))
		return 0.;
	return str_to_u64(usec, &number) == 0 ? (double)number / 1e6 : 0.;
}

void
notify_init(struct supervisor *sup)
{
	double period = watchdog_secs() / WATCHDOG_PARTS;

	sup->has_watchdog = period > 0.;
	if (!sup->has_watchdog || period > STATUS_SECS)
		period = STATUS_SECS;
	ev_timer_init(&sup->status, on_status, 0., period);
	sup->status.data = sup;
	if (getenv("NOTIFY_SOCKET") != NULL)
		ev_timer_start(sup->loop, &sup->status);
}
