#include "common/fields_codec.h"
#include "common/limits.h"
#include "common/number.h"
#include "common/utf8.h"
#include "store/ops_internal.h"

/* Rows of `event` and `item` have the key `id n`, n counting from 0. */
#define ROW_KEY_BYTES	(TID_LEN + 4)

/* The body of an event, F(NUMBER, KIND, member); rules as for OP_FIELDS. */
#define EVENT_FIELDS(F)		\
	F(1, U64, at_ms)	\
	F(2, U64, event)	\
	F(3, TEXT, text)

#define ITEM_FIELDS(F)		\
	F(1, U64, at_ms)	\
	F(2, TEXT, item)	\
	F(3, TEXT, class)	\
	F(4, TEXT, text)	\
	F(5, U64, open)		/* the checkpoint, by number, that is to cover it; ITEM_OPEN:
				 * its attempt died before that; 0: covered */

#define ITEM_OPEN	UINT64_MAX

#define MEMBER(number, kind, member)	FIELD_TYPE_##kind member;
struct event_body { EVENT_FIELDS(MEMBER) };
struct item_body { ITEM_FIELDS(MEMBER) };

#define NUMBER(number, kind, member)	number,
static const uint8_t event_numbers[] = { EVENT_FIELDS(NUMBER) };
static const uint8_t item_numbers[] = { ITEM_FIELDS(NUMBER) };

#define ROW(number, kind, member)	FIELD_ROW_OF(struct event_body, kind, member)
static const struct field event_fields[] = { EVENT_FIELDS(ROW) };
#undef ROW
#define ROW(number, kind, member)	FIELD_ROW_OF(struct item_body, kind, member)
static const struct field item_fields[] = { ITEM_FIELDS(ROW) };
#undef ROW

static const struct fields_layout event_layout = {
	event_fields, event_numbers, BF_ARRAY_LEN(event_fields),
	sizeof(struct event_body)
};
static const struct fields_layout item_layout = {
	item_fields, item_numbers, BF_ARRAY_LEN(item_fields), sizeof(struct item_body)
};

struct row_key {
	uint8_t bytes[ROW_KEY_BYTES];
};

static struct bytes
row_key(struct row_key *key, struct str id, uint32_t n)
{
	memcpy(key->bytes, id.ptr, TID_LEN);
	u32_encode(key->bytes + TID_LEN, n);
	return (struct bytes){ key->bytes, ROW_KEY_BYTES };
}

static uint32_t
row_number(const struct cursor *cursor)
{
	return u32_decode(cursor->key.ptr + TID_LEN);
}

/* Stands on a row of this operation. */
static bool
is_row_of(const struct cursor *cursor, struct str id)
{
	return cursor->key.len == ROW_KEY_BYTES && cursor_is_in(cursor, key_str(id));
}

/* The number after the last row's: 0 if there is none. */
static int
next_row(struct cursor *cursor, struct str id, uint32_t *n_out, struct err *err)
{
	struct row_key key;

	if (cursor_seek_below(cursor, row_key(&key, id, UINT32_MAX), err) == -1)
		return -1;
	*n_out = is_row_of(cursor, id) ? row_number(cursor) + 1 : 0;
	return 0;
}

static int
event_decode(struct cursor *cursor, struct event_body *event_out, struct err *err)
{
	struct value value;

	if (cursor_value(cursor, &value, err) == -1)
		return -1;
	if (fields_decode(value.body, &event_layout, event_out) == -1)
		return table_corrupt(cursor->txn, cursor->table, cursor->key,
		    "not an event", err);
	return 0;
}

/* What may go when the history is full: first log lines, then other events that
 * changed no state; never a transition. */
static int
rank_of(uint64_t event)
{
	switch (event) {
	case OP_EVENT_LOG:
		return 2;
	case OP_EVENT_CANCEL_ASKED:
	case OP_EVENT_KILL:
	case OP_EVENT_PAUSE:
	case OP_EVENT_RESUME:
		return 1;
	}
	return 0;
}

/* Make room for one more: n_out is the row to delete, if there has to be one. */
static int
find_expendable(struct cursor *cursor, struct str id, bool *found_out,
    uint32_t *n_out, struct err *err)
{
	struct row_key key;
	uint32_t count = 0;
	int best = 0;

	if (cursor_seek(cursor, row_key(&key, id, 0), err) == -1)
		return -1;
	while (is_row_of(cursor, id)) {
		struct event_body event;

		if (event_decode(cursor, &event, err) == -1)
			return -1;
		if (rank_of(event.event) > best) {
			best = rank_of(event.event);
			*n_out = row_number(cursor);
		}
		count++;
		if (cursor_next(cursor, err) == -1)
			return -1;
	}
	*found_out = count >= LIMIT_OP_EVENTS && best > 0;
	return 0;
}

int
ops_event_add(struct ops *ops, struct txn *txn, struct str id,
    const struct ops_event *event, struct err *err)
{
	const struct table *table = &ops->tables[OPS_EVENT];
	struct event_body body = { (uint64_t)event->at_ms, event->event,
	    utf8_cut(event->text, LIMIT_OP_TEXT_BYTES) };
	struct cursor cursor;
	struct row_key key;
	uint32_t n = 0, victim = 0;
	bool is_full = false, was_there;
	int rc;

	rc = cursor_open(&cursor, txn, table, err);
	if (rc == 0)
		rc = next_row(&cursor, id, &n, err);
	if (rc == 0 && n >= LIMIT_OP_EVENTS)
		rc = find_expendable(&cursor, id, &is_full, &victim, err);
	cursor_close(&cursor);
	if (rc == 0 && is_full)
		rc = table_delete(txn, table, row_key(&key, id, victim), &was_there, err);
	if (rc == -1)
		return -1;
	buf_reset(&ops->encoded);
	fields_encode(&ops->encoded, &event_layout, &body);
	return table_put(txn, table, row_key(&key, id, n), buf_bytes(&ops->encoded), err);
}

static int
item_decode(struct cursor *cursor, struct item_body *item_out, struct err *err)
{
	struct value value;

	if (cursor_value(cursor, &value, err) == -1)
		return -1;
	if (fields_decode(value.body, &item_layout, item_out) == -1)
		return table_corrupt(cursor->txn, cursor->table, cursor->key,
		    "not an item", err);
	return 0;
}

/* Read which items are kept.  A damaged row holds up no other item. */
static int
fill_set(struct cursor *cursor, struct str id, struct item_set *set, struct err *err)
{
	struct row_key key;
	struct item_body body;

	if (cursor_seek(cursor, row_key(&key, id, 0), err) == -1)
		return -1;
	while (is_row_of(cursor, id)) {
		if (item_decode(cursor, &body, err) == 0)
			item_set_put(set, row_number(cursor), body.item);
		else if (err->code != ERR_CORRUPT)
			return -1;
		if (cursor_next(cursor, err) == -1)
			return -1;
	}
	return 0;
}

/* Is this item in that row? */
static int
row_has(struct cursor *cursor, struct str id, uint32_t row, struct str item,
    bool *has_out, struct err *err)
{
	struct row_key key;
	struct item_body body;

	*has_out = false;
	if (cursor_seek(cursor, row_key(&key, id, row), err) == -1)
		return -1;
	if (!is_row_of(cursor, id) || row_number(cursor) != row)
		return 0;
	if (item_decode(cursor, &body, err) == 0)
		*has_out = str_eq(body.item, item);
	else if (err->code != ERR_CORRUPT)
		return -1;
	return 0;
}

/* What is kept of the operation, and a cursor, which the caller has to close. */
static int
open_set(struct ops *ops, struct txn *txn, struct str id, struct cursor *cursor_out,
    struct item_set **set_out, struct err *err)
{
	bool is_new;
	struct item_set *set = item_sets_get(&ops->items, id, &is_new);
	int rc = cursor_open(cursor_out, txn, &ops->tables[OPS_ITEM], err);

	if (rc == 0 && is_new)
		rc = fill_set(cursor_out, id, set, err);
	if (rc == -1 && is_new)
		item_set_forget(set);
	*set_out = set;
	return rc;
}

/* Where an item is kept; if it is not yet, the number of the row to be. */
static int
find_item(struct cursor *cursor, struct item_set *set, struct str id, struct str item,
    bool *found_out, uint32_t *n_out, struct err *err)
{
	*found_out = false;
	for (uint32_t row = 0; item_set_find(set, item, row, &row); row++) {
		if (row_has(cursor, id, row, item, found_out, err) == -1)
			return -1;
		if (*found_out) {
			*n_out = row;
			return 0;
		}
	}
	return next_row(cursor, id, n_out, err);
}

int
ops_item_rows(struct ops *ops, struct txn *txn, struct str id, uint32_t *count_out,
    struct err *err)
{
	struct cursor cursor;
	int rc;

	if (cursor_open(&cursor, txn, &ops->tables[OPS_ITEM], err) == -1)
		return -1;
	rc = next_row(&cursor, id, count_out, err);
	cursor_close(&cursor);
	return rc;
}

int
ops_item_add(struct ops *ops, struct txn *txn, const struct op *op,
    const struct ops_item *item, bool *is_new_out, struct err *err)
{
	const struct table *table = &ops->tables[OPS_ITEM];
	struct item_body body = {
		(uint64_t)item->at_ms,
		utf8_cut(item->item, LIMIT_ATURI_BYTES),
		utf8_cut(item->class, LIMIT_OP_TEXT_BYTES),
		utf8_cut(item->text, LIMIT_OP_TEXT_BYTES),
		op->checkpoints + 1,
	};
	bool is_there = false;
	struct str id = op->id;
	struct item_set *set;
	struct cursor cursor;
	struct row_key key;
	uint32_t n = 0;
	int rc;

	rc = open_set(ops, txn, id, &cursor, &set, err);
	if (rc == 0)
		rc = find_item(&cursor, set, id, body.item, &is_there, &n, err);
	cursor_close(&cursor);
	if (rc == -1)
		return -1;
	*is_new_out = !is_there;
	if (n >= LIMIT_OP_ITEMS)
		return 0;
	item_set_put(set, n, body.item);
	buf_reset(&ops->encoded);
	fields_encode(&ops->encoded, &item_layout, &body);
	return table_put(txn, table, row_key(&key, id, n), buf_bytes(&ops->encoded), err);
}

int
ops_item_take_back(struct ops *ops, struct txn *txn, struct str id, struct str item,
    bool *was_there_out, struct err *err)
{
	const struct table *table = &ops->tables[OPS_ITEM];
	struct item_body nothing = { .at_ms = 0 };
	struct item_set *set;
	struct cursor cursor;
	struct row_key key;
	uint32_t n = 0;
	int rc;

	*was_there_out = false;
	rc = open_set(ops, txn, id, &cursor, &set, err);
	if (rc == 0 && !str_is_empty(item))
		rc = find_item(&cursor, set, id, item, was_there_out, &n, err);
	cursor_close(&cursor);
	if (rc == -1 || !*was_there_out)
		return rc;
	/* It still counts as a row, so that the number of the last one tells how many. */
	item_set_put(set, n, STR_NONE);
	buf_reset(&ops->encoded);
	fields_encode(&ops->encoded, &item_layout, &nothing);
	return table_put(txn, table, row_key(&key, id, n), buf_bytes(&ops->encoded), err);
}

/* What it is when its attempt has ended: covered, or left open. */
static uint64_t
settled(uint64_t open, uint64_t checkpoints)
{
	return open == ITEM_OPEN || open > checkpoints ? ITEM_OPEN : 0;
}

int
ops_items_settle(struct ops *ops, struct txn *txn, const struct op *op, struct err *err)
{
	const struct table *table = &ops->tables[OPS_ITEM];
	struct item_body body;
	struct cursor cursor;
	struct row_key key;
	int rc;

	if (cursor_open(&cursor, txn, table, err) == -1)
		return -1;
	rc = cursor_seek(&cursor, row_key(&key, op->id, 0), err);
	while (rc == 0 && is_row_of(&cursor, op->id)) {
		uint32_t n = row_number(&cursor);

		rc = item_decode(&cursor, &body, err);
		if (rc == 0 && body.open != settled(body.open, op->checkpoints) &&
		    body.open != 0) {
			body.open = settled(body.open, op->checkpoints);
			buf_reset(&ops->encoded);
			fields_encode(&ops->encoded, &item_layout, &body);
			rc = table_put(txn, table, row_key(&key, op->id, n),
			    buf_bytes(&ops->encoded), err);
		} else if (rc == -1 && err->code == ERR_CORRUPT) {
			rc = 0;
		}
		if (rc == 0)
			rc = cursor_seek(&cursor, row_key(&key, op->id, n + 1), err);
	}
	cursor_close(&cursor);
	return rc;
}

/* Sees one row; says whether to go on. */
typedef int row_cb(struct cursor *cursor, void *arg, bool *goes_on_out,
    struct err *err);

static int
walk_rows(struct ops_read *read, enum ops_table table, struct str id, row_cb *see,
    void *arg, struct err *err)
{
	struct cursor cursor;
	struct row_key key;
	bool goes_on = true;
	int rc;

	if (!tid_is_valid(id))
		return 0;
	if (cursor_open(&cursor, &read->txn, &read->ops->tables[table], err) == -1)
		return -1;
	rc = cursor_seek(&cursor, row_key(&key, id, 0), err);
	while (rc == 0 && goes_on && is_row_of(&cursor, id)) {
		rc = see(&cursor, arg, &goes_on, err);
		if (rc == 0 && goes_on)
			rc = cursor_next(&cursor, err);
	}
	cursor_close(&cursor);
	return rc;
}

struct event_reader {
	ops_event_cb *each;
	void *arg;
};

static int
see_event(struct cursor *cursor, void *arg, bool *goes_on_out, struct err *err)
{
	const struct event_reader *reader = arg;
	struct event_body body;
	struct ops_event event;

	if (event_decode(cursor, &body, err) == -1)
		return -1;
	event = (struct ops_event){ (int64_t)body.at_ms, (enum op_event)body.event,
	    body.text };
	*goes_on_out = reader->each(&event, reader->arg);
	return 0;
}

int
ops_events(struct ops_read *read, struct str id, ops_event_cb *each, void *arg,
    struct err *err)
{
	struct event_reader reader = { each, arg };

	return walk_rows(read, OPS_EVENT, id, see_event, &reader, err);
}

struct item_reader {
	ops_item_cb *each;
	void *arg;
	bool wants_open;	/* nothing else */
};

static int
see_item(struct cursor *cursor, void *arg, bool *goes_on_out, struct err *err)
{
	const struct item_reader *reader = arg;
	struct item_body body;
	struct ops_item item;

	if (item_decode(cursor, &body, err) == -1)
		return -1;
	item = (struct ops_item){ (int64_t)body.at_ms, body.item, body.class, body.text };
	/* Nothing in it: taken back. */
	if (reader->wants_open ? body.open == ITEM_OPEN :
	    body.at_ms > 0 || !str_is_empty(body.item))
		*goes_on_out = reader->each(&item, reader->arg);
	return 0;
}

int
ops_items(struct ops_read *read, struct str id, ops_item_cb *each, void *arg,
    struct err *err)
{
	struct item_reader reader = { each, arg, false };

	return walk_rows(read, OPS_ITEM, id, see_item, &reader, err);
}

int
ops_open_items(struct ops_read *read, struct str id, ops_item_cb *each, void *arg,
    struct err *err)
{
	struct item_reader reader = { each, arg, true };

	return walk_rows(read, OPS_ITEM, id, see_item, &reader, err);
}
