#include "t/unit/fake_rows.h"

#include <string.h>

#include "common/mem.h"
#include "common/number.h"
#include "t/unit/fake_indexer.h"
#include "t/unit/unit.h"

static struct bytes
copy_bytes(struct bytes from)
{
	uint8_t *to = xmalloc(from.len + 1);

	if (from.len > 0)
		memcpy(to, from.ptr, from.len);
	return (struct bytes){ to, from.len };
}

static void
free_bytes(struct bytes bytes)
{
	free((void *)(uintptr_t)bytes.ptr);
}

static struct str
text_of(struct bytes bytes)
{
	return (struct str){ (const char *)bytes.ptr, bytes.len };
}

/* --- sorted rows --- */

/* The place of a key, or where it would go. */
static size_t
place_of(const struct fake_rows *rows, unsigned table, struct bytes key,
    bool *is_there_out)
{
	size_t at = 0;
	int order = 1;

	for (; at < rows->count; at++) {
		const struct fake_row *row = &rows->items[at];

		order = row->table != table ? (row->table > table ? 1 : -1) :
		    str_cmp(text_of(row->key), text_of(key));
		if (order >= 0)
			break;
	}
	*is_there_out = at < rows->count && order == 0;
	return at;
}

void
fake_rows_put(struct fake_indexer *indexer, unsigned table, struct bytes key,
    struct bytes value)
{
	struct fake_rows *rows = &indexer->rows;
	bool is_there;
	size_t at = place_of(rows, table, key, &is_there);

	if (is_there) {
		free_bytes(rows->items[at].value);
	} else {
		if (rows->count == rows->room) {
			rows->room = rows->room * 2 + 64;
			rows->items = xrealloc(rows->items,
			    rows->room * sizeof(*rows->items));
		}
		memmove(&rows->items[at + 1], &rows->items[at],
		    (rows->count - at) * sizeof(*rows->items));
		rows->items[at] = (struct fake_row){ table, copy_bytes(key), BYTES_NONE };
		rows->count++;
	}
	rows->items[at].value = copy_bytes(value);
}

static void
delete_at(struct fake_rows *rows, size_t at)
{
	free_bytes(rows->items[at].key);
	free_bytes(rows->items[at].value);
	rows->count--;
	memmove(&rows->items[at], &rows->items[at + 1],
	    (rows->count - at) * sizeof(*rows->items));
}

const struct fake_row *
fake_rows_get(const struct fake_indexer *indexer, unsigned table, struct bytes key)
{
	bool is_there;
	size_t at = place_of(&indexer->rows, table, key, &is_there);

	return is_there ? &indexer->rows.items[at] : NULL;
}

size_t
fake_rows_in(const struct fake_indexer *indexer, unsigned table)
{
	size_t count = 0;

	for (size_t i = 0; i < indexer->rows.count; i++)
		count += indexer->rows.items[i].table == table;
	return count;
}

/* --- batches --- */

/* Opened if the number is not known yet. */
static struct fake_batch *
open_batch(struct fake_indexer *indexer, uint64_t id)
{
	struct fake_batch *free_one = NULL;

	for (size_t i = 0; i < FAKE_LANES; i++) {
		struct fake_batch *batch = &indexer->batches[i];

		if (batch->is_open && batch->id == id)
			return batch;
		if (!batch->is_open && free_one == NULL)
			free_one = batch;
	}
	assert_non_null(free_one);
	*free_one = (struct fake_batch){ .is_open = true, .id = id };
	return free_one;
}

static void
close_batch(struct fake_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		free_bytes(batch->changes[i].key);
		free_bytes(batch->changes[i].value);
	}
	free(batch->changes);
	*batch = (struct fake_batch){ 0 };
}

void
fake_batch_abort(struct fake_indexer *indexer, uint64_t id)
{
	for (size_t i = 0; i < FAKE_LANES; i++)
		if (indexer->batches[i].is_open && indexer->batches[i].id == id)
			close_batch(&indexer->batches[i]);
}

static void
add_change(struct fake_indexer *indexer, uint64_t id, enum msg_type type,
    uint64_t table, struct bytes key, struct bytes value, uint64_t at_ms)
{
	struct fake_batch *batch = open_batch(indexer, id);

	batch->changes = xrealloc(batch->changes,
	    (batch->count + 1) * sizeof(*batch->changes));
	batch->changes[batch->count++] = (struct fake_change){ type, (unsigned)table,
	    copy_bytes(key), copy_bytes(value), (int64_t)at_ms };
}

static void
set_checked(struct fake_indexer *indexer, struct str did, int64_t at_ms)
{
	for (size_t i = 0; i < indexer->repo_count; i++) {
		struct fake_repo *repo = &indexer->repos[i];

		if (str_eq(str_from(repo->did), did) && at_ms > repo->checked_ms)
			repo->checked_ms = at_ms;
	}
}

static void
clear_rows(struct fake_rows *rows, unsigned table, struct bytes prefix,
    struct msg_ack *ack)
{
	for (size_t at = rows->count; at > 0; at--) {
		const struct fake_row *row = &rows->items[at - 1];

		if (row->table != table ||
		    !str_starts_with(text_of(row->key), text_of(prefix)))
			continue;
		delete_at(rows, at - 1);
		ack->deleted++;
	}
}

static void
apply(struct fake_indexer *indexer, const struct fake_change *change,
    struct msg_ack *ack)
{
	const struct fake_row *old = fake_rows_get(indexer, change->table, change->key);

	switch ((int)change->type) {
	case MSG_TYPE_ROW_PUT:
		ack->created += old == NULL;
		ack->updated += old != NULL && !bytes_eq(old->value, change->value);
		fake_rows_put(indexer, change->table, change->key, change->value);
		break;
	case MSG_TYPE_ROW_DELETE:
		ack->deleted += old != NULL;
		if (old != NULL)
			delete_at(&indexer->rows, (size_t)(old - indexer->rows.items));
		break;
	case MSG_TYPE_ROW_CLEAR:
		clear_rows(&indexer->rows, change->table, change->key, ack);
		break;
	case MSG_TYPE_CHECKED:
		set_checked(indexer, text_of(change->key), change->at_ms);
		break;
	}
}

void
fake_rows_count(struct fake_indexer *indexer, const struct msg_ack *changes)
{
	indexer->tally.created += changes->created;
	indexer->tally.updated += changes->updated;
	indexer->tally.deleted += changes->deleted;
}

static void
on_row_commit(struct fake_indexer *indexer, const struct msg_row_commit *commit)
{
	struct fake_batch *batch = open_batch(indexer, commit->lane);
	struct msg msg = { .type = MSG_TYPE_ACK, .ack = { .lane = commit->lane } };

	if (indexer->refuse_commit != NULL) {
		msg = (struct msg){ .type = MSG_TYPE_REFUSE, .refuse = {
			.lane = commit->lane, .class = str_from(indexer->refuse_commit),
			.text = STR("as the test wants") } };
	} else {
		indexer->row_commits++;
		for (size_t i = 0; i < batch->count; i++)
			apply(indexer, &batch->changes[i], &msg.ack);
		if (commit->is_counted)
			fake_rows_count(indexer, &msg.ack);
	}
	close_batch(batch);
	fake_indexer_answer(indexer, &msg);
}

/* --- questions --- */

static void
send_end(struct fake_indexer *indexer, uint64_t lane)
{
	fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_END,
	    .end = { lane } });
}

/* The number of a repository that was committed, from 1 on; 0: there is none. */
static size_t
find_repo(const struct fake_indexer *indexer, struct str did)
{
	for (size_t i = 0; i < indexer->repo_count; i++)
		if (str_eq(str_from(indexer->repos[i].did), did))
			return indexer->repos[i].status[0] != '\0' ? i + 1 : 0;
	return 0;
}

static void
on_look(struct fake_indexer *indexer, const struct msg_look *look)
{
	struct msg msg = { .type = MSG_TYPE_STATE, .state = { .lane = look->lane } };
	size_t id = find_repo(indexer, look->did);
	const struct fake_repo *repo = &indexer->repos[id > 0 ? id - 1 : 0];

	indexer->looks++;
	if (id > 0)
		msg.state = (struct msg_state){
			.lane = look->lane,
			.is_known = true,
			.pds_url = str_from(repo->pds_url),
			.rev = str_from(repo->rev),
			.status = str_from(repo->status),
			.selection = str_from(repo->selection),
			.records = repo->records.count,
			.id = id,
			.checked_ms = (uint64_t)repo->checked_ms,
			.commit_cid = { repo->commit.bytes, repo->has_cids ? CID_BYTES : 0 },
			.data_cid = { repo->data.bytes, repo->has_cids ? CID_BYTES : 0 },
		};
	fake_indexer_answer(indexer, &msg);
}

static void
on_rows(struct fake_indexer *indexer, const struct msg_rows *ask)
{
	uint64_t left = ask->limit != 0 ? ask->limit : UINT64_MAX;

	for (size_t i = 0; i < indexer->rows.count && left > 0; i++) {
		const struct fake_row *row = &indexer->rows.items[i];

		if (row->table != ask->table ||
		    !str_starts_with(text_of(row->key), text_of(ask->prefix)) ||
		    str_cmp(text_of(row->key), text_of(ask->after)) <= 0)
			continue;
		fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_ROW,
		    .row = { ask->lane, row->key, row->value } });
		left--;
	}
	send_end(indexer, ask->lane);
}

static void
on_row_get(struct fake_indexer *indexer, const struct msg_row_get *ask)
{
	const struct fake_row *row = fake_rows_get(indexer, (unsigned)ask->table, ask->key);

	if (row != NULL)
		fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_ROW,
		    .row = { ask->lane, row->key, row->value } });
	send_end(indexer, ask->lane);
}

/* As the indexer understands a collection: all, "a.b.*", or one. */
static bool
is_wanted(struct str path, struct str collection)
{
	if (collection.len == 0 || str_eq(collection, STR("*")))
		return true;
	if (collection.ptr[collection.len - 1] == '*')
		return str_starts_with(path,
		    (struct str){ collection.ptr, collection.len - 1 });
	return str_starts_with(path, collection) && path.len > collection.len &&
	    path.ptr[collection.len] == '/';
}

static void
walk_repo(struct fake_indexer *indexer, const struct fake_repo *repo,
    const struct msg_records *ask, struct str after_path, uint64_t *left)
{
	for (size_t i = 0; i < repo->records.count && *left > 0; i++) {
		const struct fake_record *record = &repo->records.items[i];
		struct str path = str_from(record->path);

		if (!is_wanted(path, ask->collection) || str_cmp(path, after_path) <= 0)
			continue;
		fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_RECORD,
		    .record = { .lane = ask->lane, .did = str_from(repo->did),
		    .path = path, .cid = { record->cid.bytes, CID_BYTES },
		    .record = { record->record, record->record != NULL ?
		    record->bytes : 0 } } });
		(*left)--;
	}
}

static void
on_records(struct fake_indexer *indexer, const struct msg_records *ask)
{
	uint64_t left = ask->limit != 0 ? ask->limit : UINT64_MAX;
	bool has_begun = ask->after_did.len == 0;

	indexer->walks++;
	for (size_t i = 0; i < indexer->repo_count; i++) {
		const struct fake_repo *repo = &indexer->repos[i];
		bool is_start = str_eq(str_from(repo->did), ask->after_did);

		has_begun = has_begun || is_start;
		if (has_begun && (ask->did.len == 0 ||
		    str_eq(str_from(repo->did), ask->did)))
			walk_repo(indexer, repo, ask,
			    is_start ? ask->after_path : STR_NONE, &left);
	}
	if (has_begun)
		send_end(indexer, ask->lane);
	else
		fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_REFUSE,
		    .refuse = { ask->lane, STR("not-found"), STR("after_did") } });
}

/* A repository's place in a walk, which is its cursor. */
static struct bytes
cursor_of(const struct fake_indexer *indexer, size_t i, uint64_t order,
    uint8_t cursor[16])
{
	u64_encode(cursor, (uint64_t)indexer->repos[i].checked_ms);
	u64_encode(cursor + 8, i + 1);
	return order == 1 ? (struct bytes){ cursor, 16 } : (struct bytes){ cursor + 8, 8 };
}

static void
send_repo(struct fake_indexer *indexer, size_t i, const struct msg_repos *ask,
    struct bytes cursor)
{
	const struct fake_repo *repo = &indexer->repos[i];

	fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_REPO, .repo = {
		.lane = ask->lane, .did = str_from(repo->did),
		.pds_url = str_from(repo->pds_url), .rev = str_from(repo->rev),
		.status = str_from(repo->status), .records = repo->records.count,
		.id = i + 1, .checked_ms = (uint64_t)repo->checked_ms,
		.commit_cid = { repo->commit.bytes, repo->has_cids ? CID_BYTES : 0 },
		.data_cid = { repo->data.bytes, repo->has_cids ? CID_BYTES : 0 },
		.cursor = cursor,
	} });
}

static void
on_repos(struct fake_indexer *indexer, const struct msg_repos *ask)
{
	uint64_t left = ask->limit != 0 ? ask->limit : UINT64_MAX;
	struct bytes after = copy_bytes(ask->after);

	for (; left > 0; left--) {
		uint8_t cursor[16], best_cursor[16];
		struct bytes best = BYTES_NONE;
		size_t best_at = 0;

		for (size_t i = 0; i < indexer->repo_count; i++) {
			struct bytes at = cursor_of(indexer, i, ask->order, cursor);

			if (str_cmp(text_of(at), text_of(after)) <= 0 ||
			    (ask->did.len > 0 &&
			    !str_eq(ask->did, str_from(indexer->repos[i].did))) ||
			    (best.len > 0 && str_cmp(text_of(at), text_of(best)) > 0))
				continue;
			best = cursor_of(indexer, i, ask->order, best_cursor);
			best_at = i;
		}
		if (best.len == 0)
			break;
		send_repo(indexer, best_at, ask, best);
		free_bytes(after);
		after = copy_bytes(best);
	}
	free_bytes(after);
	send_end(indexer, ask->lane);
}

bool
fake_rows_on_msg(struct fake_indexer *indexer, const struct msg *msg)
{
	struct msg tally = { .type = MSG_TYPE_ACK, .ack = indexer->tally };

	switch ((int)msg->type) {
	case MSG_TYPE_ROW_PUT:
		add_change(indexer, msg->row_put.lane, msg->type, msg->row_put.table,
		    msg->row_put.key, msg->row_put.value, 0);
		break;
	case MSG_TYPE_ROW_DELETE:
		add_change(indexer, msg->row_delete.lane, msg->type,
		    msg->row_delete.table, msg->row_delete.key, BYTES_NONE, 0);
		break;
	case MSG_TYPE_ROW_CLEAR:
		add_change(indexer, msg->row_clear.lane, msg->type, msg->row_clear.table,
		    msg->row_clear.prefix, BYTES_NONE, 0);
		break;
	case MSG_TYPE_CHECKED:
		add_change(indexer, msg->checked.lane, msg->type, 0,
		    (struct bytes){ (const uint8_t *)msg->checked.did.ptr,
		    msg->checked.did.len }, BYTES_NONE, msg->checked.at_ms);
		break;
	case MSG_TYPE_ROW_COMMIT:
		on_row_commit(indexer, &msg->row_commit);
		break;
	case MSG_TYPE_TALLY:
		tally.ack.lane = msg->tally.lane;
		fake_indexer_answer(indexer, &tally);
		break;
	case MSG_TYPE_LOOK:
		on_look(indexer, &msg->look);
		break;
	case MSG_TYPE_ROWS:
		on_rows(indexer, &msg->rows);
		break;
	case MSG_TYPE_ROW_GET:
		on_row_get(indexer, &msg->row_get);
		break;
	case MSG_TYPE_RECORDS:
		on_records(indexer, &msg->records);
		break;
	case MSG_TYPE_REPOS:
		on_repos(indexer, &msg->repos);
		break;
	default:
		return false;
	}
	return true;
}

void
fake_rows_clear_all(struct fake_indexer *indexer)
{
	while (indexer->rows.count > 0)
		delete_at(&indexer->rows, indexer->rows.count - 1);
	free(indexer->rows.items);
	for (size_t i = 0; i < FAKE_LANES; i++)
		close_batch(&indexer->batches[i]);
}
