#include <stdlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "supervisor/control_impl.h"
#include "supervisor/on_client.h"

void
client_forget(struct control_client *client, struct pending *pending)
{
	LIST_REMOVE(pending, entry);
	client->pendings_count--;
	free(pending);
}

bool
client_wait(struct control_client *client, enum pending_kind kind, uint64_t req,
    struct str id)
{
	struct pending *pending;

	/* The API waits for all of its callers; a shell has no need of many. */
	if (!client->is_api && client->pendings_count >= LIMIT_CLIENT_PENDING)
		return false;
	pending = xcalloc(1, sizeof(*pending));
	pending->kind = kind;
	pending->req = req;
	(void)str_copy(pending->id, sizeof(pending->id), id);
	LIST_INSERT_HEAD(&client->pendings, pending, entry);
	client->pendings_count++;
	return true;
}

/*
 * One who watches everything and does not read would be dropped for its queue, and
 * the API with it: it is told instead that it has missed something.
 */
static void
tell_watcher_of_all(struct control_client *client, struct pending *pending, struct str id)
{
	if (!channel_is_clogged(client->channel)) {
		client_send_op(client, pending->req, id);
		return;
	}
	client_send_end_list(client, pending->req, STR_NONE);
	client_forget(client, pending);
}

void
control_op_changed(struct control *control, const char *id)
{
	struct control_client *client;
	struct pending *pending, *next;

	LIST_FOREACH(client, &control->clients, entry) {
		for (pending = LIST_FIRST(&client->pendings); pending != NULL;
		    pending = next) {
			next = LIST_NEXT(pending, entry);
			if (pending->kind == PENDING_WATCH_ALL)
				tell_watcher_of_all(client, pending, str_from(id));
			else if (pending->kind == PENDING_WATCH &&
			    str_eq(str_from(pending->id), str_from(id)))
				client_send_op(client, pending->req, str_from(id));
		}
	}
}

/* Call `answer` for each request that waits for the operation; it says whether
 * the request is done with. */
typedef bool answer_cb(struct control_client *client, const struct pending *pending,
    const void *arg);

static void
answer_waiting(struct control *control, const char *id, answer_cb *answer,
    const void *arg)
{
	struct control_client *client;
	struct pending *pending, *next;

	LIST_FOREACH(client, &control->clients, entry) {
		for (pending = LIST_FIRST(&client->pendings); pending != NULL;
		    pending = next) {
			next = LIST_NEXT(pending, entry);
			if (str_eq(str_from(pending->id), str_from(id)) &&
			    answer(client, pending, arg))
				client_forget(client, pending);
		}
	}
}

static bool
answer_settled(struct control_client *client, const struct pending *pending, const void *arg)
{
	enum op_status status = *(const enum op_status *)arg;

	switch (pending->kind) {
	case PENDING_CANCEL:
		client_send_cancelled(client, pending->req, status);
		return true;
	case PENDING_WATCH:
		if (!op_status_is_terminal(status))
			return false;
		client_send_end_list(client, pending->req, STR_NONE);
		return true;
	case PENDING_UPGRADE:
	case PENDING_BACKUP:
	case PENDING_WATCH_ALL:
		return false;
	}
	return false;
}

void
control_op_settled(struct control *control, const char *id, enum op_status status)
{
	answer_waiting(control, id, answer_settled, &status);
}

static bool
answer_unsettled(struct control_client *client, const struct pending *pending, const void *arg)
{
	if (pending->kind != PENDING_CANCEL)
		return false;
	client_send_error(client, pending->req, "InternalServerError", arg, pending->id);
	return true;
}

void
control_op_unsettled(struct control *control, const char *id, const char *why)
{
	answer_waiting(control, id, answer_unsettled, why);
}

/* --- the daemon itself --- */

/* Call `answer` for each request of a kind, and be done with it. */
static void
answer_kind(struct control *control, enum pending_kind kind,
    void (*answer)(struct control_client *client, uint64_t req, const void *arg),
    const void *arg)
{
	struct control_client *client;
	struct pending *pending, *next;

	LIST_FOREACH(client, &control->clients, entry) {
		for (pending = LIST_FIRST(&client->pendings); pending != NULL;
		    pending = next) {
			next = LIST_NEXT(pending, entry);
			if (pending->kind != kind)
				continue;
			answer(client, pending->req, arg);
			client_forget(client, pending);
		}
	}
}

static void
answer_upgrade(struct control_client *client, uint64_t req, const void *error)
{
	if (error == NULL)
		client_send_daemon(client, req);
	else
		client_send_error(client, req, "UpgradeFailed", error, NULL);
}

void
control_upgraded(struct control *control, const char *error)
{
	answer_kind(control, PENDING_UPGRADE, answer_upgrade, error);
}

static void
answer_backup(struct control_client *client, uint64_t req, const void *is_done)
{
	struct msg msg = { .type = MSG_TYPE_BACKED_UP };

	msg.backed_up.req = req;
	if (*(const bool *)is_done)
		channel_send(client->channel, &msg);
	else
		client_send_error(client, req, "BackupFailed",
		    "it could not be made; the daemon's log tells why", NULL);
}

void
control_backed_up(struct control *control, bool is_done)
{
	answer_kind(control, PENDING_BACKUP, answer_backup, &is_done);
}

void
control_each(struct control *control, control_client_cb *each, void *arg)
{
	struct control_client *client;

	LIST_FOREACH(client, &control->clients, entry)
		each(client, arg);
}

struct control_client *
control_adopt(struct control *control, int fd, const char *who)
{
	return client_new(control, fd, who, false);
}

struct control_client *
control_api(struct control *control)
{
	struct control_client *client;

	LIST_FOREACH(client, &control->clients, entry)
		if (client->is_api)
			return client;
	return NULL;
}

int
control_listen_fd(const struct control *control)
{
	return control->fd;
}
