#include "indexer/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/fdlayout.h"

/* Each handles one message.  -1: the peer broke the protocol and goes. */
typedef int handler_cb(struct peer *peer, const struct msg *msg, struct err *err);

/* --- lanes --- */

static struct lane *
find_lane(struct peer *peer, uint64_t number)
{
	struct lane *lane;

	LIST_FOREACH(lane, &peer->lanes, of_peer)
		if (lane->number == number)
			return lane;
	return NULL;
}

/* A lane that is open and not being committed. */
static struct lane *
open_lane(struct peer *peer, const char *what, uint64_t number, struct err *err)
{
	struct lane *lane = find_lane(peer, number);

	if (lane == NULL || lane->is_ready) {
		(void)err_set(err, ERR_PROTOCOL, "%s: lane %llu is not open", what,
		    (unsigned long long)number);
		return NULL;
	}
	return lane;
}

static struct scan *
find_scan(struct peer *peer, uint64_t lane)
{
	struct scan *scan;

	LIST_FOREACH(scan, &peer->scans, of_peer)
		if (scan->lane == lane)
			return scan;
	return NULL;
}

static void
drop_lane(struct peer *peer, struct lane *lane)
{
	if (lane->is_ready)
		TAILQ_REMOVE(&peer->work->ready, lane, of_ready);
	LIST_REMOVE(lane, of_peer);
	peer->lanes_count--;
	lane_free(&lane);
}

static void
drop_scan(struct peer *peer, struct scan *scan)
{
	work_stop_scan(peer->work, scan);
	LIST_REMOVE(scan, of_peer);
	peer->scans_count--;
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

static void
send_refuse(struct peer *peer, uint64_t lane, const struct err *why)
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
		send_refuse(peer, lane->number, &result->why);
	else
		channel_send(peer->channel, &(struct msg){ .type = MSG_TYPE_ACK, .ack = {
			.lane = lane->number,
			.created = result->created,
			.updated = result->updated,
			.deleted = result->deleted,
		} });
	lane->is_ready = false;
	drop_lane(peer, lane);
}

void
peer_end_scan(struct scan *scan, const struct err *why)
{
	struct peer *peer = scan->peer;
	uint64_t number = scan->lane;
	struct lane *lane;

	drop_scan(peer, scan);
	if (why == NULL)
		return;
	send_refuse(peer, number, why);
	if ((lane = find_lane(peer, number)) != NULL)
		drop_lane(peer, lane);
}

static void
send_state(struct peer *peer, uint64_t lane, const struct repo_row *row)
{
	channel_send(peer->channel, &(struct msg){ .type = MSG_TYPE_STATE, .state = {
		.lane = lane,
		.is_known = row->did.len > 0,
		.pds_url = row->pds_url,
		.rev = row->rev,
		.commit_cid = row->commit_cid,
		.data_cid = row->data_cid,
		.status = row->status,
		.selection = row->selection,
		.records = row->records,
		.synced_ms = (uint64_t)row->synced_ms,
	} });
}

/* What the index knows of a repository; not to know it is an answer too. */
static int
answer_state(struct peer *peer, uint64_t lane, struct str did, struct err *err)
{
	struct repo_row row = { .id = 0 };
	struct records_read *read;
	int rc;

	if (records_read_begin(peer->work->records, &read, err) == -1)
		return -1;
	rc = records_get_repo(read, did, &row, err);
	if (rc == -1 && err->code == ERR_NOT_FOUND)
		rc = 0;
	if (rc == 0)
		send_state(peer, lane, &row);
	records_read_end(&read);
	return rc;
}

/* --- a writer's messages --- */

static int
on_begin(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct work *work = peer->work;
	uint64_t number = msg->begin.lane;
	struct str did = msg->begin.did;
	struct lane *lane;
	struct err why;

	if (find_lane(peer, number) != NULL)
		return err_set(err, ERR_PROTOCOL, "begin: lane %llu is open",
		    (unsigned long long)number);
	if (peer->lanes_count == LIMIT_LANES)
		return err_set(err, ERR_LIMIT, "begin: %d lanes are open", LIMIT_LANES);
	if (!str_starts_with(did, STR("did:")) || did.len > LIMIT_DID_BYTES ||
	    !str_is_visible(did))
		return err_set(err, ERR_PROTOCOL, "begin: not a DID");

	lane = lane_new(&work->claims, &work->stages, peer, number, did);
	if (lane == NULL) {
		channel_send(peer->channel, &(struct msg){ .type = MSG_TYPE_STATE,
		    .state = { .lane = number, .is_busy = true } });
		return 0;
	}
	LIST_INSERT_HEAD(&peer->lanes, lane, of_peer);
	peer->lanes_count++;
	if (answer_state(peer, number, did, &why) == -1) {
		send_refuse(peer, number, &why);
		drop_lane(peer, lane);
	}
	return 0;
}

static void
start_scan(struct peer *peer, enum scan_kind kind, uint64_t lane, struct str did,
    struct str collection)
{
	struct scan *scan = scan_new(kind, peer, peer->channel, lane, did, collection);

	LIST_INSERT_HEAD(&peer->scans, scan, of_peer);
	peer->scans_count++;
	work_run_scan(peer->work, scan);
}

static int
on_scan(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct lane *lane = open_lane(peer, "scan", msg->scan.lane, err);

	if (lane == NULL)
		return -1;
	if (find_scan(peer, lane->number) != NULL)
		return err_set(err, ERR_PROTOCOL, "scan: lane %llu is being scanned",
		    (unsigned long long)lane->number);
	start_scan(peer, SCAN_ENTRIES, lane->number, str_from(lane->did), STR_NONE);
	return 0;
}

static int
on_put(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_put *put = &msg->put;
	struct lane *lane = open_lane(peer, "put", put->lane, err);
	struct str collection;

	if (lane == NULL)
		return -1;
	if (records_check_path(put->path, &collection, err) == -1)
		return err_wrap(err, "put");
	if (put->cid.len != LIMIT_CID_BYTES)
		return err_set(err, ERR_PROTOCOL, "put: a CID of %zu bytes", put->cid.len);
	if (put->record.len == 0 || put->record.len > LIMIT_RECORD_BYTES)
		return err_set(err, ERR_LIMIT, "put: a record of %zu bytes",
		    put->record.len);
	lane_add(lane, &(struct stage_change){
		.path = put->path, .cid = put->cid, .record = put->record,
	});
	return 0;
}

static int
on_delete(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct lane *lane = open_lane(peer, "delete", msg->delete.lane, err);
	struct str collection;

	if (lane == NULL)
		return -1;
	if (records_check_path(msg->delete.path, &collection, err) == -1)
		return err_wrap(err, "delete");
	lane_add(lane, &(struct stage_change){
		.is_delete = true, .path = msg->delete.path,
	});
	return 0;
}

static int
check_commit(struct peer *peer, const struct msg_commit *commit, struct err *err)
{
	if (find_scan(peer, commit->lane) != NULL)
		return err_set(err, ERR_PROTOCOL, "commit: lane %llu is being scanned",
		    (unsigned long long)commit->lane);
	if ((commit->commit_cid.len != 0 && commit->commit_cid.len != LIMIT_CID_BYTES) ||
	    (commit->data_cid.len != 0 && commit->data_cid.len != LIMIT_CID_BYTES))
		return err_set(err, ERR_PROTOCOL, "commit: a CID of a wrong length");
	if (commit->pds_url.len > LIMIT_URL_BYTES || commit->rev.len > LIMIT_REV_BYTES ||
	    commit->status.len > LIMIT_STATUS_BYTES ||
	    commit->selection.len > LIMIT_STATUS_BYTES)
		return err_set(err, ERR_LIMIT, "commit: a field is too long");
	return 0;
}

static int
on_commit(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_commit *commit = &msg->commit;
	struct lane *lane = open_lane(peer, "commit", commit->lane, err);

	if (lane == NULL || check_commit(peer, commit, err) == -1)
		return -1;
	lane_set_commit(lane, &(struct repo_row){
		.pds_url = commit->pds_url,
		.rev = commit->rev,
		.commit_cid = commit->commit_cid,
		.data_cid = commit->data_cid,
		.status = commit->status,
		.selection = commit->selection,
		.synced_ms = clock_wall_ms(),
	});
	lane->is_ready = true;
	TAILQ_INSERT_TAIL(&peer->work->ready, lane, of_ready);
	return 0;
}

static int
on_abort(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct lane *lane = open_lane(peer, "abort", msg->abort.lane, err);
	struct scan *scan;

	if (lane == NULL)
		return -1;
	if ((scan = find_scan(peer, lane->number)) != NULL)
		drop_scan(peer, scan);
	drop_lane(peer, lane);
	return 0;
}

/* --- a reader's messages --- */

static int
check_read(struct peer *peer, uint64_t lane, struct str did, struct err *err)
{
	if (find_scan(peer, lane) != NULL)
		return err_set(err, ERR_PROTOCOL, "lane %llu is being answered",
		    (unsigned long long)lane);
	if (peer->scans_count == LIMIT_READS)
		return err_set(err, ERR_LIMIT, "%d answers are under way", LIMIT_READS);
	if (did.len > LIMIT_DID_BYTES)
		return err_set(err, ERR_LIMIT, "a DID of %zu bytes", did.len);
	return 0;
}

static int
on_records(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_records *records = &msg->records;

	if (check_read(peer, records->lane, records->did, err) == -1)
		return -1;
	if (records->collection.len > LIMIT_COLLECTION_BYTES)
		return err_set(err, ERR_LIMIT, "a collection of %zu bytes",
		    records->collection.len);
	start_scan(peer, SCAN_RECORDS, records->lane, records->did, records->collection);
	return 0;
}

static int
on_repos(struct peer *peer, const struct msg *msg, struct err *err)
{
	if (check_read(peer, msg->repos.lane, msg->repos.did, err) == -1)
		return -1;
	start_scan(peer, SCAN_REPOS, msg->repos.lane, msg->repos.did, STR_NONE);
	return 0;
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
	{ MSG_TYPE_BEGIN, on_begin },
	{ MSG_TYPE_SCAN, on_scan },
	{ MSG_TYPE_PUT, on_put },
	{ MSG_TYPE_DELETE, on_delete },
	{ MSG_TYPE_COMMIT, on_commit },
	{ MSG_TYPE_ABORT, on_abort },
	{ MSG_TYPE_RECORDS, on_records },
	{ MSG_TYPE_REPOS, on_repos },
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
    struct str op_id, bool may_write)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));
	struct channel_options options = {
		.accepts = may_write ? FROM_RECORD_WRITER : FROM_RECORD_READER,
		.frame_max_bytes = LIMIT_FRAME_RECORD_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg,
		.on_close = on_close,
		.on_drain = on_drain,
		.arg = peer,
	};

	peer->work = work;
	peer->may_write = may_write;
	if (asprintf(&peer->name, op_id.len > 0 ? "op %.*s" : "reader%.*s",
	    STR_FMT(op_id)) == -1)
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
		drop_scan(*peer, LIST_FIRST(&(*peer)->scans));
	while (!LIST_EMPTY(&(*peer)->lanes))
		drop_lane(*peer, LIST_FIRST(&(*peer)->lanes));
	LIST_REMOVE(*peer, of_indexer);
	channel_free(&(*peer)->channel);
	free((*peer)->name);
	free(*peer);
	*peer = NULL;
}
