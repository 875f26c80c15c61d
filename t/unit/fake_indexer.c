#include "t/unit/fake_indexer.h"

#include <string.h>

#include "atproto/sha256.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "t/unit/unit.h"

/* --- sorted records --- */

/* The place of a path, or where it would go. */
static size_t
place_of(const struct fake_records *records, struct str path, bool *is_there_out)
{
	size_t low = 0, high = records->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (str_cmp(str_from(records->items[middle].path), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*is_there_out = low < records->count &&
	    str_eq(str_from(records->items[low].path), path);
	return low;
}

static struct fake_record *
put_record(struct fake_records *records, struct str path, const struct cid *cid,
    size_t bytes)
{
	bool is_there;
	size_t at = place_of(records, path, &is_there);

	if (!is_there) {
		if (records->count == records->room) {
			records->room = records->room * 2 + 64;
			records->items = xrealloc(records->items,
			    records->room * sizeof(*records->items));
		}
		memmove(&records->items[at + 1], &records->items[at],
		    (records->count - at) * sizeof(*records->items));
		records->items[at] = (struct fake_record){
			.path = xstrndup(path.ptr, path.len) };
		records->count++;
	}
	records->items[at].cid = *cid;
	records->items[at].bytes = bytes;
	free(records->items[at].record);
	records->items[at].record = NULL;
	return &records->items[at];
}

void
fake_records_put(struct fake_records *records, struct str path, const struct cid *cid,
    size_t bytes)
{
	(void)put_record(records, path, cid, bytes);
}

void
fake_records_put_record(struct fake_records *records, struct str path,
    const struct cid *cid, struct bytes record)
{
	struct fake_record *item = put_record(records, path, cid, record.len);

	item->record = xmalloc(record.len + 1);
	if (record.len > 0)
		memcpy(item->record, record.ptr, record.len);
}

bool
fake_records_delete(struct fake_records *records, struct str path)
{
	bool is_there;
	size_t at = place_of(records, path, &is_there);

	if (!is_there)
		return false;
	free(records->items[at].path);
	free(records->items[at].record);
	records->count--;
	memmove(&records->items[at], &records->items[at + 1],
	    (records->count - at) * sizeof(*records->items));
	return true;
}

const struct fake_record *
fake_records_get(const struct fake_records *records, const char *path)
{
	bool is_there;
	size_t at = place_of(records, str_from(path), &is_there);

	return is_there ? &records->items[at] : NULL;
}

void
fake_records_clear(struct fake_records *records)
{
	for (size_t i = 0; i < records->count; i++) {
		free(records->items[i].path);
		free(records->items[i].record);
	}
	free(records->items);
	*records = (struct fake_records){ 0 };
}

static void
copy_records(struct fake_records *to, const struct fake_records *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct fake_record *item = &from->items[i];

		if (item->record == NULL)
			fake_records_put(to, str_from(item->path), &item->cid,
			    item->bytes);
		else
			fake_records_put_record(to, str_from(item->path), &item->cid,
			    (struct bytes){ item->record, item->bytes });
	}
}

/* --- lanes --- */

struct fake_repo *
fake_indexer_repo(struct fake_indexer *indexer, const char *did)
{
	struct fake_repo *repo;

	for (size_t i = 0; i < indexer->repo_count; i++)
		if (strcmp(indexer->repos[i].did, did) == 0)
			return &indexer->repos[i];
	assert_true(indexer->repo_count < FAKE_LANES);
	repo = &indexer->repos[indexer->repo_count++];
	*repo = (struct fake_repo){ 0 };
	strcpy(repo->did, did);
	return repo;
}

static struct fake_lane *
find_lane(struct fake_indexer *indexer, uint64_t id)
{
	for (size_t i = 0; i < FAKE_LANES; i++)
		if (indexer->lanes[i].id == id)
			return &indexer->lanes[i];
	fail_msg("a message for lane %llu, which is not open", (unsigned long long)id);
	return NULL;
}

static void
close_lane(struct fake_lane *lane)
{
	fake_records_clear(&lane->staged);
	fake_records_clear(&lane->scanned);
	*lane = (struct fake_lane){ 0 };
}

void
fake_indexer_answer(struct fake_indexer *indexer, const struct msg *msg)
{
	if (!indexer->is_silent)
		channel_send(indexer->channel, msg);
}

static void
on_begin(struct fake_indexer *indexer, const struct msg_begin *begin)
{
	struct msg msg = { .type = MSG_TYPE_STATE, .state = { .lane = begin->lane } };
	struct fake_lane *lane;
	struct fake_repo *repo;
	char did[128];

	indexer->begins++;
	if (indexer->busy > 0) {
		indexer->busy--;
		msg.state.is_busy = true;
		fake_indexer_answer(indexer, &msg);
		return;
	}
	assert_true(str_copy(did, sizeof(did), begin->did));
	repo = fake_indexer_repo(indexer, did);
	lane = find_lane(indexer, 0);
	*lane = (struct fake_lane){ .id = begin->lane, .repo = repo };
	copy_records(&lane->staged, &repo->records);
	msg.state.is_known = repo->status[0] != '\0';
	msg.state.pds_url = str_from(repo->pds_url);
	msg.state.rev = str_from(repo->rev);
	msg.state.status = str_from(repo->status);
	msg.state.selection = str_from(repo->selection);
	msg.state.records = repo->records.count;
	if (repo->has_cids) {
		msg.state.commit_cid = (struct bytes){ repo->commit.bytes, CID_BYTES };
		msg.state.data_cid = (struct bytes){ repo->data.bytes, CID_BYTES };
	}
	fake_indexer_answer(indexer, &msg);
}

/* Entries go out as far as there is room, and never keep puts from being read. */
static void
send_entries(struct fake_indexer *indexer, struct fake_lane *lane)
{
	while (lane->at < lane->scanned.count && !channel_is_clogged(indexer->channel)) {
		const struct fake_record *record = &lane->scanned.items[lane->at++];

		fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_ENTRY, .entry = {
		    .lane = lane->id, .path = str_from(record->path),
		    .cid = { record->cid.bytes, CID_BYTES } } });
	}
	if (lane->at < lane->scanned.count)
		return;
	lane->is_scanning = false;
	fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_END, .end = { lane->id } });
}

static void
on_put(struct fake_indexer *indexer, const struct msg_put *put)
{
	struct sha256 *sha = sha256_new();
	struct cid cid, made;

	indexer->puts++;
	assert_int_equal(cid_unpack(put->cid, &cid), 0);
	cid_of(sha, CID_DAG_CBOR, put->record, &made);
	indexer->bad_cids += !cid_eq(&cid, &made);
	fake_records_put_record(&find_lane(indexer, put->lane)->staged, put->path, &cid,
	    put->record);
	sha256_free(&sha);
}

/* What a commit changes, by comparing; the worker's word is not taken for it. */
static void
count_changes(const struct fake_records *before, const struct fake_records *after,
    struct msg_ack *ack)
{
	for (size_t i = 0; i < after->count; i++) {
		const struct fake_record *old = fake_records_get(before,
		    after->items[i].path);

		ack->created += old == NULL;
		ack->updated += old != NULL && !cid_eq(&old->cid, &after->items[i].cid);
	}
	ack->deleted = before->count + ack->created - after->count;
}

static void
on_commit(struct fake_indexer *indexer, const struct msg_commit *commit)
{
	struct fake_lane *lane = find_lane(indexer, commit->lane);
	struct msg msg = { .type = MSG_TYPE_ACK, .ack = { .lane = commit->lane } };
	struct fake_repo *repo = lane->repo;

	if (indexer->refuse_commit != NULL) {
		close_lane(lane);
		fake_indexer_answer(indexer, &(struct msg){ .type = MSG_TYPE_REFUSE, .refuse = {
		    .lane = commit->lane, .class = str_from(indexer->refuse_commit),
		    .text = STR("as the test wants") } });
		return;
	}
	indexer->commits++;
	count_changes(&repo->records, &lane->staged, &msg.ack);
	fake_records_clear(&repo->records);
	repo->records = lane->staged;
	lane->staged = (struct fake_records){ 0 };
	assert_true(str_copy(repo->pds_url, sizeof(repo->pds_url), commit->pds_url));
	assert_true(str_copy(repo->rev, sizeof(repo->rev), commit->rev));
	assert_true(str_copy(repo->status, sizeof(repo->status), commit->status));
	assert_true(str_copy(repo->selection, sizeof(repo->selection),
	    commit->selection));
	repo->has_cids = commit->commit_cid.len > 0;
	if (repo->has_cids) {
		assert_int_equal(cid_unpack(commit->commit_cid, &repo->commit), 0);
		assert_int_equal(cid_unpack(commit->data_cid, &repo->data), 0);
	}
	repo->checked_ms = clock_wall_ms();
	fake_rows_count(indexer, &msg.ack);
	close_lane(lane);
	fake_indexer_answer(indexer, &msg);
}

/* Of a lane, of a batch, or of neither: what it was has ended. */
static void
on_abort(struct fake_indexer *indexer, uint64_t id)
{
	indexer->aborts++;
	for (size_t i = 0; i < FAKE_LANES; i++)
		if (indexer->lanes[i].id == id)
			close_lane(&indexer->lanes[i]);
	fake_batch_abort(indexer, id);
}

static void
on_count(struct fake_indexer *indexer, const struct msg_count *ask)
{
	struct msg msg = { .type = MSG_TYPE_COUNTED, .counted = {
	    .lane = ask->lane, .repos = indexer->repo_count } };

	for (size_t i = 0; i < indexer->repo_count; i++) {
		const struct fake_records *records = &indexer->repos[i].records;

		for (size_t k = 0; k < records->count; k++)
			msg.counted.records += ask->collection.len == 0 ||
			    str_starts_with(str_from(records->items[k].path),
			    ask->collection);
	}
	fake_indexer_answer(indexer, &msg);
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct fake_indexer *indexer = arg;
	struct fake_lane *lane;

	switch ((int)msg->type) {
	case MSG_TYPE_HELLO:
		break;
	case MSG_TYPE_BEGIN:
		on_begin(indexer, &msg->begin);
		break;
	case MSG_TYPE_SCAN:
		indexer->scans++;
		lane = find_lane(indexer, msg->scan.lane);
		lane->is_scanning = true;
		copy_records(&lane->scanned, &lane->repo->records);
		send_entries(indexer, lane);
		break;
	case MSG_TYPE_PUT:
		on_put(indexer, &msg->put);
		break;
	case MSG_TYPE_DELETE:
		indexer->deletes++;
		assert_true(fake_records_delete(
		    &find_lane(indexer, msg->delete.lane)->staged, msg->delete.path));
		break;
	case MSG_TYPE_COMMIT:
		on_commit(indexer, &msg->commit);
		break;
	case MSG_TYPE_COUNT:
		on_count(indexer, &msg->count);
		break;
	case MSG_TYPE_ABORT:
		on_abort(indexer, msg->abort.lane);
		break;
	default:
		if (!fake_rows_on_msg(indexer, msg))
			fail_msg("%s", msg_name(msg->type));
	}
}

static void
on_drain(struct channel *channel BF_UNUSED, void *arg)
{
	struct fake_indexer *indexer = arg;

	for (size_t i = 0; i < FAKE_LANES; i++)
		if (indexer->lanes[i].is_scanning)
			send_entries(indexer, &indexer->lanes[i]);
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct fake_indexer *indexer = arg;

	if (why != NULL)
		fail_msg("the worker broke the protocol: %s", why->text);
	channel_free(&indexer->channel);
}

void
fake_indexer_init(struct fake_indexer *indexer, struct ev_loop *loop, int fd)
{
	struct channel_options options = {
		.accepts = FROM_RECORD_WRITER,
		.frame_max_bytes = LIMIT_FRAME_RECORD_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg, .on_close = on_close, .on_drain = on_drain,
		.arg = indexer,
	};

	*indexer = (struct fake_indexer){ .loop = loop };
	indexer->channel = channel_new(loop, fd, &options);
}

void
fake_indexer_clear(struct fake_indexer *indexer)
{
	channel_free(&indexer->channel);
	for (size_t i = 0; i < FAKE_LANES; i++)
		close_lane(&indexer->lanes[i]);
	for (size_t i = 0; i < indexer->repo_count; i++)
		fake_records_clear(&indexer->repos[i].records);
	fake_rows_clear_all(indexer);
}
