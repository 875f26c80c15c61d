#include "store/keyspace.h"

#include "common/number.h"
#include "store/env.h"

#define SPACE_BYTES	8
#define ENTRY_MAX_BYTES	(SPACE_BYTES + KEYSPACE_PIECE_BYTES)
#define DEPTH_MAX	32	/* levels of any key: 15 KB, more than all limits together */

/* The LMDB key of one entry. */
struct entry_key {
	uint8_t bytes[ENTRY_MAX_BYTES];
	size_t len;
};

/* The first piece of `rest` in a space; *rest moves behind it. */
static struct entry_key
cut_piece(uint64_t space, struct bytes *rest)
{
	struct entry_key entry;
	size_t n = rest->len < KEYSPACE_PIECE_BYTES ? rest->len : KEYSPACE_PIECE_BYTES;

	u64_encode(entry.bytes, space);
	entry.len = SPACE_BYTES + n;
	if (n == 0)
		return entry;
	memcpy(entry.bytes + SPACE_BYTES, rest->ptr, n);
	*rest = (struct bytes){ rest->ptr + n, rest->len - n };
	return entry;
}

static struct bytes
entry_bytes(const struct entry_key *entry)
{
	return (struct bytes){ entry->bytes, entry->len };
}

static bool
is_head(struct bytes entry)
{
	return entry.len == ENTRY_MAX_BYTES;
}

static int
check_len(struct bytes key, struct err *err)
{
	if (key.len < DEPTH_MAX * KEYSPACE_PIECE_BYTES)
		return 0;
	return err_set(err, ERR_LIMIT, "key of %zu bytes", key.len);
}

static int
head_space(const struct txn *txn, const struct table *table, struct bytes entry,
    const struct value *head, uint64_t *space_out, struct err *err)
{
	if (head->body.len != SPACE_BYTES)
		return table_corrupt(txn, table, entry, "a head without a space", err);
	*space_out = u64_decode(head->body.ptr);
	return 0;
}

int
keyspace_find(struct txn *txn, const struct table *table, uint64_t space,
    struct bytes key, struct value *value_out, struct err *err)
{
	for (;;) {
		struct entry_key entry = cut_piece(space, &key);
		struct value value;

		if (table_find(txn, table, entry_bytes(&entry), &value, err) == -1)
			return -1;
		if (value.body.ptr == NULL || !is_head(entry_bytes(&entry))) {
			*value_out = value;
			return 0;
		}
		if (head_space(txn, table, entry_bytes(&entry), &value, &space, err) == -1)
			return -1;
	}
}

/* The space behind a head, which is made if it is not there. */
static int
enter_head(struct txn *txn, const struct table *table, const struct entry_key *entry,
    uint64_t *space_out, struct err *err)
{
	uint8_t body[SPACE_BYTES];
	struct value head;
	uint64_t space;

	if (table_find(txn, table, entry_bytes(entry), &head, err) == -1)
		return -1;
	if (head.body.ptr != NULL)
		return head_space(txn, table, entry_bytes(entry), &head, space_out, err);
	if (txn_next_number(txn, KEYSPACE_COUNTER, &space, err) == -1)
		return -1;
	u64_encode(body, space);
	if (table_put(txn, table, entry_bytes(entry),
	    (struct bytes){ body, sizeof(body) }, err) == -1)
		return -1;
	*space_out = space;
	return 0;
}

int
keyspace_put(struct txn *txn, const struct table *table, uint64_t space,
    struct bytes key, struct bytes first, struct bytes second, struct err *err)
{
	if (check_len(key, err) == -1)
		return -1;
	for (;;) {
		struct entry_key entry = cut_piece(space, &key);

		if (!is_head(entry_bytes(&entry)))
			return table_put2(txn, table, entry_bytes(&entry), first, second,
			    err);
		if (enter_head(txn, table, &entry, &space, err) == -1)
			return -1;
	}
}

static int
space_is_empty(struct txn *txn, const struct table *table, uint64_t space,
    bool *is_empty_out, struct err *err)
{
	uint8_t prefix[SPACE_BYTES];
	struct bytes from = { prefix, sizeof(prefix) };
	struct cursor cursor;
	int rc;

	u64_encode(prefix, space);
	if (cursor_open(&cursor, txn, table, err) == -1)
		return -1;
	rc = cursor_seek(&cursor, from, err);
	if (rc == 0)
		*is_empty_out = !cursor_is_in(&cursor, from);
	cursor_close(&cursor);
	return rc;
}

/* The way to a key: its space and what is left of it at each level. */
struct way {
	struct {
		uint64_t space;
		struct bytes rest;
	} steps[DEPTH_MAX];
	unsigned depth;
};

/* is_there_out: the way leads to a last entry, which need not be there itself. */
static int
find_way(struct txn *txn, const struct table *table, uint64_t space,
    struct bytes key, struct way *way_out, bool *is_there_out, struct err *err)
{
	for (unsigned depth = 0;; depth++) {
		struct entry_key entry;
		struct value head;

		way_out->steps[depth].space = space;
		way_out->steps[depth].rest = key;
		way_out->depth = depth + 1;
		entry = cut_piece(space, &key);
		if (!is_head(entry_bytes(&entry))) {
			*is_there_out = true;
			return 0;
		}
		if (table_find(txn, table, entry_bytes(&entry), &head, err) == -1)
			return -1;
		if (head.body.ptr == NULL) {
			*is_there_out = false;
			return 0;
		}
		if (head_space(txn, table, entry_bytes(&entry), &head, &space, err) == -1)
			return -1;
	}
}

int
keyspace_delete(struct txn *txn, const struct table *table, uint64_t space,
    struct bytes key, bool *was_there_out, struct err *err)
{
	struct way way;
	bool was_there, is_empty;

	if (check_len(key, err) == -1 ||
	    find_way(txn, table, space, key, &way, &was_there, err) == -1)
		return -1;
	*was_there_out = false;
	if (!was_there)
		return 0;

	/* The entry, then each head that leads to nothing any more. */
	for (unsigned depth = way.depth; depth > 0; depth--) {
		struct bytes rest = way.steps[depth - 1].rest;
		struct entry_key entry = cut_piece(way.steps[depth - 1].space, &rest);

		if (table_delete(txn, table, entry_bytes(&entry), &was_there, err) == -1)
			return -1;
		if (depth == way.depth)
			*was_there_out = was_there;
		if (!was_there || depth == 1)
			return 0;
		if (space_is_empty(txn, table, way.steps[depth - 1].space, &is_empty,
		    err) == -1)
			return -1;
		if (!is_empty)
			return 0;
	}
	return 0;
}

/* Open one more level, standing on the first entry >= the next piece of *rest. */
static int
push_level(struct keyspace_walk *walk, uint64_t space, struct bytes *rest,
    struct entry_key *entry_out, struct err *err)
{
	struct keyspace_level *level = &walk->levels[walk->depth];

	if (walk->depth == KEYSPACE_WALK_DEPTH)
		return err_set(err, ERR_CORRUPT, "store %s: table %s: keys nest too deep",
		    walk->txn->env->dir, walk->table->name);
	if (cursor_open(&level->cursor, walk->txn, walk->table, err) == -1)
		return -1;
	level->space = space;
	level->is_done = false;
	walk->depth++;
	*entry_out = cut_piece(space, rest);
	return cursor_seek(&level->cursor, entry_bytes(entry_out), err);
}

/* Keep the piece of key that the innermost level stands on; returns the key. */
static struct bytes
keep_piece(struct keyspace_walk *walk)
{
	struct bytes entry = walk->levels[walk->depth - 1].cursor.key;
	size_t before = (walk->depth - 1) * KEYSPACE_PIECE_BYTES;
	size_t n = entry.len - SPACE_BYTES;

	if (n > 0)
		memcpy(walk->key_bytes + before, entry.ptr + SPACE_BYTES, n);
	return (struct bytes){ walk->key_bytes, before + n };
}

/* The space behind the head that the innermost level stands on; done with it. */
static int
leave_head(struct keyspace_walk *walk, uint64_t *space_out, struct err *err)
{
	struct keyspace_level *level = &walk->levels[walk->depth - 1];
	struct value head;

	level->is_done = true;
	if (cursor_value(&level->cursor, &head, err) == -1)
		return -1;
	return head_space(walk->txn, walk->table, level->cursor.key, &head, space_out,
	    err);
}

int
keyspace_walk_open(struct keyspace_walk *walk, struct txn *txn,
    const struct table *table, uint64_t space, struct bytes from, bool is_after,
    struct err *err)
{
	walk->txn = txn;
	walk->table = table;
	walk->depth = 0;
	for (;;) {
		struct keyspace_level *level = &walk->levels[walk->depth];
		struct entry_key entry;

		if (push_level(walk, space, &from, &entry, err) == -1)
			return -1;
		if (!bytes_eq(level->cursor.key, entry_bytes(&entry)))
			return 0;
		if (!is_head(level->cursor.key)) {
			level->is_done = is_after;
			return 0;
		}
		(void)keep_piece(walk);
		if (leave_head(walk, &space, err) == -1)
			return -1;
	}
}

void
keyspace_walk_close(struct keyspace_walk *walk)
{
	while (walk->depth > 0)
		cursor_close(&walk->levels[--walk->depth].cursor);
}

int
keyspace_walk_next(struct keyspace_walk *walk, struct err *err)
{
	while (walk->depth > 0) {
		struct keyspace_level *level = &walk->levels[walk->depth - 1];
		struct bytes from_start = BYTES_NONE;
		struct entry_key ignored;
		uint8_t prefix[SPACE_BYTES];
		uint64_t space;

		if (level->is_done && cursor_next(&level->cursor, err) == -1)
			return -1;
		level->is_done = true;
		u64_encode(prefix, level->space);
		if (!cursor_is_in(&level->cursor, (struct bytes){ prefix, SPACE_BYTES })) {
			cursor_close(&level->cursor);
			walk->depth--;
			continue;
		}
		walk->key = keep_piece(walk);
		if (!is_head(level->cursor.key))
			return cursor_value(&level->cursor, &walk->value, err);
		if (leave_head(walk, &space, err) == -1 ||
		    push_level(walk, space, &from_start, &ignored, err) == -1)
			return -1;
	}
	walk->key = BYTES_NONE;
	return 0;
}
