#include "common/limits.h"
#include "common/number.h"
#include "indexer/peer_impl.h"

#define PATH_MAX_BYTES	(LIMIT_COLLECTION_BYTES + 1 + LIMIT_RKEY_BYTES)

/* The lane is free, and the peer may ask one more question. */
static int
check_ask(struct peer *peer, const char *what, uint64_t lane, struct err *err)
{
	unsigned max = peer->may_write ? LIMIT_QUESTIONS : LIMIT_READS;

	if (peer_check_free(peer, what, lane, err) == -1)
		return -1;
	if (peer->questions_count == max)
		return err_set(err, ERR_LIMIT, "%s: %u answers are under way", what, max);
	return 0;
}

static int
check_did(const char *what, struct str did, struct err *err)
{
	if (did.len <= LIMIT_DID_BYTES)
		return 0;
	return err_set(err, ERR_LIMIT, "%s: a DID of %zu bytes", what, did.len);
}

int
peer_check_prefix(const char *what, uint64_t table, struct bytes prefix,
    struct err *err)
{
	if (table == 0 || table > LIMIT_ROW_TABLES)
		return err_set(err, ERR_PROTOCOL, "%s: there is no table %llu", what,
		    (unsigned long long)table);
	if (prefix.len > LIMIT_ROW_KEY_BYTES)
		return err_set(err, ERR_LIMIT, "%s: a key of %zu bytes", what, prefix.len);
	return 0;
}

int
peer_check_row(const char *what, uint64_t table, struct bytes key, struct err *err)
{
	if (key.len == 0)
		return err_set(err, ERR_PROTOCOL, "%s: an empty key", what);
	return peer_check_prefix(what, table, key, err);
}

int
peer_on_tally(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct str op_id = str_from(peer->op_id);

	if (check_ask(peer, "tally", msg->tally.lane, err) == -1)
		return -1;
	peer_start_scan(peer, &(struct scan_ask){
		.kind = SCAN_TALLY, .lane = msg->tally.lane,
		.key = { (const uint8_t *)op_id.ptr, op_id.len },
	});
	return 0;
}

int
peer_on_count(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_count *count = &msg->count;

	if (check_ask(peer, "count", count->lane, err) == -1)
		return -1;
	if (count->collection.len > LIMIT_COLLECTION_BYTES)
		return err_set(err, ERR_LIMIT, "count: a collection of %zu bytes",
		    count->collection.len);
	peer_start_scan(peer, &(struct scan_ask){
		.kind = SCAN_COUNT, .lane = count->lane,
		.key = { (const uint8_t *)count->collection.ptr, count->collection.len },
	});
	return 0;
}

int
peer_on_look(struct peer *peer, const struct msg *msg, struct err *err)
{
	if (check_ask(peer, "look", msg->look.lane, err) == -1 ||
	    check_did("look", msg->look.did, err) == -1)
		return -1;
	peer_start_scan(peer, &(struct scan_ask){
		.kind = SCAN_STATE, .lane = msg->look.lane, .did = msg->look.did,
	});
	return 0;
}

/* Where to go on: a path says nothing without a repository. */
static int
check_after(const struct msg_records *records, struct err *err)
{
	if (check_did("records", records->after_did, err) == -1)
		return -1;
	if (records->after_path.len > PATH_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "records: a path of %zu bytes",
		    records->after_path.len);
	if (records->after_did.len == 0 && records->after_path.len > 0)
		return err_set(err, ERR_PROTOCOL, "records: after_path without after_did");
	if (records->after_did.len > 0 && records->did.len > 0 &&
	    !str_eq(records->after_did, records->did))
		return err_set(err, ERR_PROTOCOL, "records: after_did is not did");
	return 0;
}

int
peer_on_records(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_records *records = &msg->records;

	if (check_ask(peer, "records", records->lane, err) == -1 ||
	    check_did("records", records->did, err) == -1 ||
	    check_after(records, err) == -1)
		return -1;
	if (records->collection.len > LIMIT_COLLECTION_BYTES)
		return err_set(err, ERR_LIMIT, "records: a collection of %zu bytes",
		    records->collection.len);
	peer_start_scan(peer, &(struct scan_ask){
		.kind = SCAN_RECORDS, .lane = records->lane, .did = records->did,
		.collection = records->collection,
		.after_did = records->after_did, .after_path = records->after_path,
		.limit = records->limit,
	});
	return 0;
}

/* The cursor of a `repo`, as scan.c makes them. */
static int
read_cursor(struct bytes cursor, struct scan_ask *ask, struct err *err)
{
	if (cursor.len == 0)
		return 0;
	if (cursor.len != (ask->by_checked ? 16 : 8))
		return err_set(err, ERR_PROTOCOL, "repos: after %zu bytes, which is no "
		    "cursor of this order", cursor.len);
	if (ask->by_checked)
		ask->after_ms = (int64_t)u64_decode(cursor.ptr);
	ask->after_id = u64_decode(cursor.ptr + cursor.len - 8);
	return 0;
}

int
peer_on_repos(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_repos *repos = &msg->repos;
	struct scan_ask ask = { .kind = SCAN_REPOS, .lane = repos->lane,
	    .did = repos->did, .by_checked = repos->order == 1, .limit = repos->limit };

	if (check_ask(peer, "repos", repos->lane, err) == -1 ||
	    check_did("repos", repos->did, err) == -1 ||
	    read_cursor(repos->after, &ask, err) == -1)
		return -1;
	if (repos->order > 1)
		return err_set(err, ERR_PROTOCOL, "repos: no order %llu",
		    (unsigned long long)repos->order);
	peer_start_scan(peer, &ask);
	return 0;
}

int
peer_on_rows(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_rows *rows = &msg->rows;

	if (check_ask(peer, "rows", rows->lane, err) == -1 ||
	    peer_check_prefix("rows", rows->table, rows->prefix, err) == -1 ||
	    peer_check_prefix("rows", rows->table, rows->after, err) == -1)
		return -1;
	peer_start_scan(peer, &(struct scan_ask){
		.kind = SCAN_ROWS, .lane = rows->lane, .table = (unsigned)rows->table,
		.key = rows->prefix, .after = rows->after, .limit = rows->limit,
	});
	return 0;
}

int
peer_on_row_get(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_row_get *get = &msg->row_get;

	if (check_ask(peer, "row_get", get->lane, err) == -1 ||
	    peer_check_row("row_get", get->table, get->key, err) == -1)
		return -1;
	peer_start_scan(peer, &(struct scan_ask){
		.kind = SCAN_ROW, .lane = get->lane, .table = (unsigned)get->table,
		.key = get->key,
	});
	return 0;
}
