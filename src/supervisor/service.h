/*
 * service.h - a process that has to be there: the indexer, the resolver, the API.
 *
 * A service that does not answer for service_timeout_ms, because it hangs or was
 * stopped, is killed.  A service is started again whenever it ends, after a delay
 * that doubles from 0.1 s to 60 s and falls back once it has lived for a minute.
 * On its channel service.c hears hello, pong and confined, which is all that most
 * of them say.
 */
#ifndef BF_SUPERVISOR_SERVICE_H
#define BF_SUPERVISOR_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervisor/supervisor.h"

struct channel;
struct service;

struct service_options {
	const char *name;		/* of the executable in libexec_dir */
	const int *second_fd;		/* becomes its fd 4; NULL: none */
	unsigned audience;		/* which settings it gets */
	bool may_outlive_us;
	bool reads_network;		/* contained as a worker */

	unsigned accepts;		/* enum msg_sender: FROM_INDEXER, ... */
	void (*on_ready)(struct supervisor *sup);	/* it has said hello */

	/*
	 * Instead of those two, for one that says more: its process runs, so build the
	 * channel on control_fd, which is the callee's from then on, as the channel is.
	 * A channel that closes is reported to service_lost_channel().
	 */
	struct channel *(*started)(struct supervisor *sup, int control_fd);
	/* Its process has ended and been reaped before that was seen on the channel:
	 * free it. */
	void (*ended)(struct supervisor *sup, struct channel *channel);
};

struct service *service_new(struct supervisor *sup, const struct service_options *options);
void service_free(struct service **service);

void service_start(struct service *service);

/* What is known of a running process, for the supervisor that takes our place. */
struct service_state {
	const char *name;
	pid_t pid;			/* 0: not running */
	bool is_ready;
	uint64_t starts;
	unsigned delay_ms;
};
struct service_state service_state(const struct service *service);

/* Instead of service_start(): its process runs already, and its end of the channel
 * is control_fd. */
void service_adopt(struct service *service, const struct service_state *state,
    int control_fd);

/* It said hello: it can work.  One that does not say so in hello_timeout_ms is
 * killed. */
void service_set_ready(struct service *service);
/* It has answered a ping. */
void service_heard(struct service *service);

bool service_is_ready(const struct service *service);

/* The service whose process this is, or NULL. */
struct service *service_find_pid(const struct supervisor *sup, pid_t pid);

/* All of them, in the order in which they start. */
void service_list(const struct supervisor *sup,
    struct service *list_out[SUPERVISOR_SERVICES]);

struct channel *service_channel(const struct service *service);	/* NULL: not running */
pid_t service_pid(const struct service *service);		/* 0: not running */
uint64_t service_starts(const struct service *service);	/* since our own start */

/* Its channel was closed and freed by its owner: without it the process is of no
 * use; it gets a moment to end, then SIGKILL. */
void service_lost_channel(struct service *service);

/* Send it its settings again. */
void service_reload(struct service *service);

/* Send SIGTERM, and do not start it again. */
void service_stop(struct service *service);

/* Send a signal, if it runs. */
void service_signal(const struct service *service, int sig);

/* Called by reap.c.  Starts it again later, unless the daemon is stopping. */
void service_ended(struct service *service, int wait_status);

#endif
