/*
 * control.h - the control socket and its clients.
 *
 * backfillctl connects to <runtime_dir>/control.sock; the API's fd 3 is a client
 * too, that was connected at birth.  A client may use the socket if it runs as
 * us or as root, or if our group is among its groups (SO_PEERCRED,
 * SO_PEERGROUPS); no pid is ever believed.  What a client asks for is in
 * on_client.c; this file knows who is there and who waits for what.
 */
#ifndef BF_SUPERVISOR_CONTROL_H
#define BF_SUPERVISOR_CONTROL_H

#include <ev.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/tid.h"
#include "op/op_state.h"
#include "proto/channel.h"
#include "supervisor/supervisor.h"

/* A request that is answered later, or again and again. */
enum pending_kind {
	PENDING_WATCH,		/* each change of the operation, until its end */
	PENDING_WATCH_ALL,	/* each change of any operation; no id */
	PENDING_CANCEL,		/* once, when it has settled */
	PENDING_BACKUP,		/* once, when it has ended; no id */
	PENDING_UPGRADE,	/* once, by the supervisor that took our place; no id */
};

struct pending {
	LIST_ENTRY(pending) entry;
	enum pending_kind kind;
	uint64_t req;
	char id[TID_SIZE];
};

struct control_client {
	LIST_ENTRY(control_client) entry;
	struct supervisor *sup;		/* borrowed, outlives us */
	struct channel *channel;	/* owned */
	bool is_api;			/* what it says of the caller is believed */
	bool said_hello;
	char who[32];			/* "uid 1000" */
	LIST_HEAD(, pending) pendings;	/* owned */
	unsigned pendings_count;	/* at most LIMIT_CLIENT_PENDING */

	/* watchers */
	struct ev_timer hello_timer;
};

struct control;

/* Listen on <runtime_dir>/control.sock; listen_fd is that socket if another has
 * opened it (an earlier supervisor, the init system), or -1. */
struct control *control_new(struct supervisor *sup, int listen_fd, struct err *err);
int control_listen_fd(const struct control *control);

/* Walk the clients. */
typedef void control_client_cb(struct control_client *client, void *arg);
void control_each(struct control *control, control_client_cb *each, void *arg);

/* A client that is connected already: of an earlier supervisor. */
struct control_client *control_adopt(struct control *control, int fd, const char *who);

/* The API's client, once its service is started; NULL: there is none. */
struct control_client *control_api(struct control *control);

/* Answer those who asked for a backup. */
void control_backed_up(struct control *control, bool is_done);

/* Answer those who asked for the upgrade: with an error, or (NULL) that it is done. */
void control_upgraded(struct control *control, const char *error);
void control_free(struct control **control);	/* closes every client */

/* The service that keeps the API running; its channel is a client. */
struct service *api_service_new(struct supervisor *sup);

/* Remember a request.  False if the client has too many. */
bool client_wait(struct control_client *client, enum pending_kind kind, uint64_t req,
    struct str id);

/* An operation's record has changed: watchers get it. */
void control_op_changed(struct control *control, const char *id);

/* An operation has reached a state for good, or gone back to the queue: those
 * who wait for a cancel get their answer, watchers of a finished one their end. */
void control_op_settled(struct control *control, const char *id,
    enum op_status status);

/* Its worker is gone but the outcome could not be written. */
void control_op_unsettled(struct control *control, const char *id, const char *why);

#endif
