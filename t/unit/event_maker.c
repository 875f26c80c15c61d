#include "t/unit/event_maker.h"

#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/car.h"
#include "atproto/dagcbor_write.h"
#include "atproto/mst_build.h"
#include "common/mem.h"
#include "t/unit/maker.h"

#define TIME	"2026-11-22T12:00:00.000Z"

/* --- frames --- */

void
event_clear(struct event *event)
{
	buf_clear(&event->blocks);
}

static void
write_name(struct buf *to, const char *name)
{
	dagcbor_write_text(to, str_from(name));
}

static void
write_text(struct buf *to, const char *name, const char *text)
{
	write_name(to, name);
	if (text != NULL)
		dagcbor_write_text(to, str_from(text));
	else
		dagcbor_write_null(to);
}

static void
write_op(struct buf *to, const struct event_op *op)
{
	dagcbor_write_map(to, 3 + (uint64_t)op->has_prev);
	write_name(to, "cid");
	if (op->has_cid)
		dagcbor_write_link(to, &op->cid);
	else
		dagcbor_write_null(to);
	write_text(to, "path", op->path);
	if (op->has_prev) {
		write_name(to, "prev");
		dagcbor_write_link(to, &op->prev);
	}
	write_text(to, "action", op->action);
}

static void
write_commit(struct buf *to, const struct event *event)
{
	dagcbor_write_map(to, 9 + (uint64_t)event->has_prev_data + event->too_big);
	write_name(to, "ops");
	dagcbor_write_array(to, event->n_ops);
	for (size_t i = 0; i < event->n_ops; i++)
		write_op(to, &event->ops[i]);
	write_text(to, "rev", event->rev);
	write_name(to, "seq");
	dagcbor_write_int(to, event->seq);
	write_text(to, "repo", event->did);
	write_text(to, "time", event->time);
	write_name(to, "blobs");
	dagcbor_write_array(to, 0);
	write_text(to, "since", event->since);
	write_name(to, "blocks");
	dagcbor_write_bytes(to, buf_bytes(&event->blocks));
	write_name(to, "commit");
	dagcbor_write_link(to, &event->commit);
	if (event->too_big) {
		write_name(to, "tooBig");
		dagcbor_write_bool(to, true);
	}
	if (event->has_prev_data) {
		write_name(to, "prevData");
		dagcbor_write_link(to, &event->prev_data);
	}
}

static void
write_sync(struct buf *to, const struct event *event)
{
	dagcbor_write_map(to, 5);
	write_text(to, "did", event->did);
	write_text(to, "rev", event->rev);
	write_name(to, "seq");
	dagcbor_write_int(to, event->seq);
	write_text(to, "time", event->time);
	write_name(to, "blocks");
	dagcbor_write_bytes(to, buf_bytes(&event->blocks));
}

static void
write_account(struct buf *to, const struct event *event)
{
	dagcbor_write_map(to, 4 + (uint64_t)(event->status != NULL));
	write_text(to, "did", event->did);
	write_name(to, "seq");
	dagcbor_write_int(to, event->seq);
	write_text(to, "time", event->time);
	write_name(to, "active");
	dagcbor_write_bool(to, event->active);
	if (event->status != NULL)
		write_text(to, "status", event->status);
}

/* #identity, and whatever is unknown. */
static void
write_plain(struct buf *to, const struct event *event)
{
	dagcbor_write_map(to, 3);
	write_text(to, "did", event->did);
	write_name(to, "seq");
	dagcbor_write_int(to, event->seq);
	write_text(to, "time", event->time);
}

static void
write_words(struct buf *to, const struct event *event, const char *name)
{
	dagcbor_write_map(to, 1 + (uint64_t)(event->message != NULL));
	write_text(to, name, event->name);
	if (event->message != NULL)
		write_text(to, "message", event->message);
}

void
event_write(const struct event *event, struct buf *to)
{
	dagcbor_write_map(to, event->t != NULL ? 2 : 1);
	if (event->t != NULL)
		write_text(to, "t", event->t);
	write_name(to, "op");
	dagcbor_write_int(to, event->t != NULL ? 1 : -1);
	if (event->t == NULL)
		write_words(to, event, "error");
	else if (strcmp(event->t, "#info") == 0)
		write_words(to, event, "name");
	else if (strcmp(event->t, "#commit") == 0)
		write_commit(to, event);
	else if (strcmp(event->t, "#sync") == 0)
		write_sync(to, event);
	else if (strcmp(event->t, "#account") == 0)
		write_account(to, event);
	else
		write_plain(to, event);
}

/* --- the account --- */

/* The tree of the records; its nodes into the set, unless that is NULL. */
static struct cid
build_tree(const struct event_maker *maker, struct node_set *nodes)
{
	struct mst_build *build = mst_build_new(maker->sha,
	    nodes != NULL ? node_set_add : NULL, nodes);
	struct cid root;

	for (size_t i = 0; i < maker->n; i++)
		mst_build_add(build, str_from(maker->records[i].path),
		    &maker->records[i].cid);
	mst_build_end(build, &root);
	mst_build_free(&build);
	return root;
}

struct event_maker *
event_maker_new(const char *did)
{
	struct event_maker *maker = xcalloc(1, sizeof(*maker));

	maker->sha = sha256_new();
	maker->pair = maker_keypair(KEY_K256);
	maker->did = did;
	maker->data = build_tree(maker, NULL);
	return maker;
}

void
event_maker_free(struct event_maker **maker)
{
	event_clear(&(*maker)->next);
	node_set_clear(&(*maker)->blocks);
	keypair_free(&(*maker)->pair);
	sha256_free(&(*maker)->sha);
	free(*maker);
	*maker = NULL;
}

static size_t
find(const struct event_maker *maker, const char *path, bool *found_out)
{
	size_t i = 0;

	while (i < maker->n && strcmp(maker->records[i].path, path) < 0)
		i++;
	*found_out = i < maker->n && strcmp(maker->records[i].path, path) == 0;
	return i;
}

static struct event_op *
add_op(struct event_maker *maker, const char *action, const char *path)
{
	struct event_op *op = &maker->next.ops[maker->next.n_ops++];

	assert_true(maker->next.n_ops <= EVENT_MAKER_OPS);
	*op = (struct event_op){ .action = action };
	assert_true(snprintf(op->path, sizeof(op->path), "%s", path) <
	    (int)sizeof(op->path));
	return op;
}

void
event_maker_put(struct event_maker *maker, const char *path, struct bytes record)
{
	bool found;
	size_t at = find(maker, path, &found);
	struct event_op *op = add_op(maker, found ? "update" : "create", path);

	if (found) {
		op->has_prev = true;
		op->prev = maker->records[at].cid;
	} else {
		assert_true(maker->n < EVENT_MAKER_RECORDS);
		memmove(&maker->records[at + 1], &maker->records[at],
		    (maker->n - at) * sizeof(maker->records[0]));
		memcpy(maker->records[at].path, op->path, sizeof(op->path));
		maker->n++;
	}
	op->has_cid = true;
	cid_of(maker->sha, CID_DAG_CBOR, record, &op->cid);
	maker->records[at].cid = op->cid;
	node_set_add(&op->cid, record, &maker->blocks);
}

void
event_maker_delete(struct event_maker *maker, const char *path)
{
	bool found;
	size_t at = find(maker, path, &found);
	struct event_op *op = add_op(maker, "delete", path);

	assert_true(found);
	op->has_prev = true;
	op->prev = maker->records[at].cid;
	maker->n--;
	memmove(&maker->records[at], &maker->records[at + 1],
	    (maker->n - at) * sizeof(maker->records[0]));
}

static struct cid
write_signed(struct event_maker *maker, const char *rev, struct buf *block)
{
	struct cid cid;

	maker_commit(maker->sha, str_from(maker->did), str_from(rev), &maker->data,
	    maker->pair, block);
	cid_of(maker->sha, CID_DAG_CBOR, buf_bytes(block), &cid);
	return cid;
}

struct event
event_maker_commit(struct event_maker *maker, int64_t seq, const char *rev)
{
	struct event event = maker->next;
	struct buf block = BUF_INIT;

	event.t = "#commit";
	event.seq = seq;
	event.did = maker->did;
	event.rev = rev;
	event.since = maker->rev;
	event.time = TIME;
	event.has_prev_data = true;
	event.prev_data = maker->data;
	maker->data = build_tree(maker, &maker->blocks);
	event.commit = write_signed(maker, rev, &block);
	car_write_header(&event.blocks, &event.commit);
	for (size_t i = 0; i < maker->blocks.n; i++)
		car_write_block(&event.blocks, &maker->blocks.blocks[i].cid,
		    buf_bytes(&maker->blocks.blocks[i].data));
	car_write_block(&event.blocks, &event.commit, buf_bytes(&block));
	maker->rev = rev;
	maker->next = (struct event){ .n_ops = 0 };
	node_set_clear(&maker->blocks);
	buf_clear(&block);
	return event;
}

struct event
event_maker_sync(struct event_maker *maker, int64_t seq)
{
	struct event event = { .t = "#sync", .seq = seq, .did = maker->did,
	    .rev = maker->rev, .time = TIME };
	struct buf block = BUF_INIT;
	struct cid cid = write_signed(maker, maker->rev, &block);

	car_write_header(&event.blocks, &cid);
	car_write_block(&event.blocks, &cid, buf_bytes(&block));
	buf_clear(&block);
	return event;
}
