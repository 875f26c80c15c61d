#include "indexer/peer_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/fdlayout.h"

/* Each handles one message.  -1: the peer broke the protocol and goes. */
typedef int handler_cb(struct peer *peer, const struct msg *msg, struct err *err);

/* --- lanes --- */

struct lane *
peer_find_lane(struct peer *peer, uint64_t number)
{
	struct lane *lane;

	LIST_FOREACH(lane, &peer->lanes, of_peer)
		if (lane->number == number)
			return lane;
	return NULL;
}

struct scan *
peer_find_scan(struct peer *peer, uint64_t number)
{
	struct scan *scan;

	LIST_FOREACH(scan, &peer->scans, of_peer)
		if (scan->lane == number)
			return scan;
	return NULL;
}

int
peer_check_free(struct peer *peer, const char *what, uint64_t number, struct err *err)
{
	if (peer_find_lane(peer, number) == NULL && peer_find_scan(peer, number) == NULL)
		return 0;
	return err_set(err, ERR_PROTOCOL, "%s: lane %llu is not free", what,
	    (unsigned long long)number);
}

void
peer_add_lane(struct peer *peer, struct lane *lane)
{
	lane->op_id = peer->op_id;
	LIST_INSERT_HEAD(&peer->lanes, lane, of_peer);
	peer->lanes_count++;
}

void
peer_drop_lane(struct peer *peer, struct lane *lane)
{
	if (lane->is_ready)
		TAILQ_REMOVE(&peer->work->ready, lane, of_ready);
	LIST_REMOVE(lane, of_peer);
	peer->lanes_count--;
	lane_free(&lane);
}

void
peer_stage(struct lane *lane, const struct stage_change *change)
{
	if (!lane->is_refused)
		lane_add(lane, change);
}

void
peer_make_ready(struct lane *lane)
{
	lane->is_ready = true;
	TAILQ_INSERT_TAIL(&lane->peer->work->ready, lane, of_ready);
}

void
peer_start_scan(struct peer *peer, const struct scan_ask *ask)
{
	struct scan *scan = scan_new(peer, peer->channel, ask);

	LIST_INSERT_HEAD(&peer->scans, scan, of_peer);
	peer->questions_count += scan->kind != SCAN_ENTRIES;
	work_run_scan(peer->work, scan);
}

void
peer_drop_scan(struct peer *peer, struct scan *scan)
{
	work_stop_scan(peer->work, scan);
	LIST_REMOVE(scan, of_peer);
	peer->questions_count -= scan->kind != SCAN_ENTRIES;
	scan_free(&scan);
}

/* --- answers --- */

static struct str
class_of(enum err_code code)
{
	switch (code) {
	case ERR_DISK_FULL:
		return STR("disk-full");
	case ERR_CORRUPT:
		return STR("index-corrupt");
	case ERR_NOT_FOUND:
		return STR("not-found");
	case ERR_LIMIT:
		return STR("too-large");
	default:
		return STR("index-failed");
	}
}

void
peer_refuse(struct peer *peer, uint64_t lane, const struct err *why)
{
	if (why->code != ERR_NOT_FOUND && why->code != ERR_DISK_FULL)
		log_error("%s: %s", peer->name, why->text);
	channel_send(peer->channel, &(struct msg){ .type = MSG_TYPE_REFUSE, .refuse = {
		.lane = lane,
		.class = class_of(why->code),
		.text = str_from(why->text),
	} });
}

void
peer_answer_commit(struct lane *lane)
{
	const struct lane_result *result = &lane->result;
	struct peer *peer = lane->peer;

	if (result->has_failed)
		peer_refuse(peer, lane->number, &result->why);
	else
		channel_send(peer->channel, &(struct msg){ .type = MSG_TYPE_ACK, .ack = {
			.lane = lane->number,
			.created = result->changes.created,
			.updated = result->changes.updated,
			.deleted = result->changes.deleted,
		} });
	lane->is_ready = false;
	peer_drop_lane(peer, lane);
}

void
peer_end_scan(struct scan *scan, const struct err *why)
{
	struct peer *peer = scan->peer;
	uint64_t number = scan->lane;
	struct lane *lane;

	peer_drop_scan(peer, scan);
	if (why == NULL)
		return;
	peer_refuse(peer, number, why);
	if ((lane = peer_find_lane(peer, number)) != NULL)
		lane_refuse(lane);
}

/* --- every peer --- */

static int
on_hello(struct peer *peer, const struct msg *msg, struct err *err)
{
	if (peer->has_said_hello)
		return err_set(err, ERR_PROTOCOL, "a second hello");
	if (msg->hello.version != PROTO_VERSION)
		return err_set(err, ERR_VERSION, "protocol version %llu, not %d",
		    (unsigned long long)msg->hello.version, PROTO_VERSION);
	peer->has_said_hello = true;
	return 0;
}

static const struct {
	enum msg_type type;
	handler_cb *handle;
} handlers[] = {
	{ MSG_TYPE_HELLO, on_hello },
	{ MSG_TYPE_BEGIN, peer_on_begin },
	{ MSG_TYPE_SCAN, peer_on_scan },
	{ MSG_TYPE_PUT, peer_on_put },
	{ MSG_TYPE_DELETE, peer_on_delete },
	{ MSG_TYPE_COMMIT, peer_on_commit },
	{ MSG_TYPE_ABORT, peer_on_abort },
	{ MSG_TYPE_ROW_PUT, peer_on_row_put },
	{ MSG_TYPE_ROW_DELETE, peer_on_row_delete },
	{ MSG_TYPE_ROW_CLEAR, peer_on_row_clear },
	{ MSG_TYPE_CHECKED, peer_on_checked },
	{ MSG_TYPE_ROW_COMMIT, peer_on_row_commit },
	{ MSG_TYPE_TALLY, peer_on_tally },
	{ MSG_TYPE_COUNT, peer_on_count },
	{ MSG_TYPE_LOOK, peer_on_look },
	{ MSG_TYPE_RECORDS, peer_on_records },
	{ MSG_TYPE_REPOS, peer_on_repos },
	{ MSG_TYPE_ROWS, peer_on_rows },
	{ MSG_TYPE_ROW_GET, peer_on_row_get },
};

static int
handle(struct peer *peer, const struct msg *msg, struct err *err)
{
	if (!peer->has_said_hello && msg->type != MSG_TYPE_HELLO)
		return err_set(err, ERR_PROTOCOL, "%s before hello", msg_name(msg->type));
	for (size_t i = 0; i < BF_ARRAY_LEN(handlers); i++)
		if (handlers[i].type == msg->type)
			return handlers[i].handle(peer, msg, err);
	return err_set(err, ERR_PROTOCOL, "%s is not for an indexer", msg_name(msg->type));
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct peer *peer = arg;
	struct err err;

	if (handle(peer, msg, &err) == 0)
		return;
	log_warn("%s: closed: %s", peer->name, err.text);
	peer_free(&peer);
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct peer *peer = arg;

	if (why != NULL)
		log_warn("%s: closed: %s", peer->name, why->text);
	else
		log_debug("%s: gone, %u lanes open", peer->name, peer->lanes_count);
	peer_free(&peer);
}

/* The peer has read what it was sent: its scans go on. */
static void
on_drain(struct channel *channel BF_UNUSED, void *arg)
{
	struct peer *peer = arg;
	struct scan *scan;

	LIST_FOREACH(scan, &peer->scans, of_peer)
		work_run_scan(peer->work, scan);
}

void
peer_new(struct work *work, struct ev_loop *loop, struct peer_list *list, int fd,
    const struct msg_attach *attach)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));
	struct channel_options options = {
		.accepts = attach->may_write ? FROM_RECORD_WRITER : FROM_RECORD_READER,
		.frame_max_bytes = LIMIT_FRAME_RECORD_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg,
		.on_close = on_close,
		.on_drain = on_drain,
		.arg = peer,
	};

	peer->work = work;
	peer->may_write = attach->may_write;
	for (size_t i = 0; i < attach->tables.len; i++)
		peer->writes_table[attach->tables.ptr[i]] = true;
	peer->op_id = xstrndup(attach->id.ptr, attach->id.len);
	if (asprintf(&peer->name, attach->id.len > 0 ? "op %.*s" : "reader%.*s",
	    STR_FMT(attach->id)) == -1)
		abort();
	LIST_INIT(&peer->lanes);
	LIST_INIT(&peer->scans);
	LIST_INSERT_HEAD(list, peer, of_indexer);
	peer->channel = channel_new(loop, fd, &options);
	channel_send(peer->channel, &(struct msg){ .type = MSG_TYPE_HELLO, .hello = {
		.version = PROTO_VERSION,
		.program = STR("backfill-indexer"),
		.pid = (uint64_t)getpid(),
	} });
}

void
peer_free(struct peer **peer)
{
	if (*peer == NULL)
		return;
	while (!LIST_EMPTY(&(*peer)->scans))
		peer_drop_scan(*peer, LIST_FIRST(&(*peer)->scans));
	while (!LIST_EMPTY(&(*peer)->lanes))
		peer_drop_lane(*peer, LIST_FIRST(&(*peer)->lanes));
	LIST_REMOVE(*peer, of_indexer);
	channel_free(&(*peer)->channel);
	free((*peer)->op_id);
	free((*peer)->name);
	free(*peer);
	*peer = NULL;
}
