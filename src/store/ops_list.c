#include "store/ops_internal.h"

/*
 * A list is a merge of runs: the entries of an index under one prefix, whose
 * last TID_LEN bytes are an id.  Each run is in the order of its ids, so the
 * cost is that of what is returned, for every filter.
 */
struct run {
	struct cursor cursor;
	struct ops_index_key prefix;	/* empty: the table `op` itself */
	struct str id;			/* where it stands; empty: at its end */
};

struct merge {
	struct ops_read *read;
	const struct ops_filter *filter;
	struct run runs[OP_STATUS_COUNT];
	unsigned count;
};

static struct bytes
prefix_bytes(const struct run *run)
{
	return (struct bytes){ run->prefix.bytes, run->prefix.len };
}

static int
see_id(struct run *run, struct err *err)
{
	struct cursor *cursor = &run->cursor;
	size_t before = run->prefix.len;
	struct value value;

	run->id = STR_NONE;
	if (!cursor_is_in(cursor, prefix_bytes(run)))
		return 0;
	if (cursor->key.len != before + TID_LEN)
		return table_corrupt(cursor->txn, cursor->table, cursor->key,
		    "does not end in an id", err);
	run->id = (struct str){ (const char *)cursor->key.ptr + before, TID_LEN };
	return before == 0 ? 0 : cursor_value(cursor, &value, err);
}

/* Newest first starts below before_id, or below what no id can reach. */
static int
run_start(struct run *run, const struct ops_filter *filter, struct err *err)
{
	struct ops_index_key bound = run->prefix;
	int rc;

	if (filter->oldest_first) {
		/* An empty key is none for LMDB; ids have no NUL. */
		if (bound.len == 0)
			bound.bytes[bound.len++] = '\0';
		rc = cursor_seek(&run->cursor, (struct bytes){ bound.bytes, bound.len },
		    err);
	} else {
		if (str_is_empty(filter->before_id)) {
			bound.bytes[bound.len++] = 0xff;
		} else {
			memcpy(bound.bytes + bound.len, filter->before_id.ptr, TID_LEN);
			bound.len += TID_LEN;
		}
		rc = cursor_seek_below(&run->cursor,
		    (struct bytes){ bound.bytes, bound.len }, err);
	}
	return rc == -1 ? -1 : see_id(run, err);
}

static int
run_move(struct run *run, const struct ops_filter *filter, struct err *err)
{
	int rc = filter->oldest_first ? cursor_next(&run->cursor, err) :
	    cursor_prev(&run->cursor, err);

	return rc == -1 ? -1 : see_id(run, err);
}

static int
merge_add(struct merge *merge, enum ops_table table, struct ops_index_key prefix,
    struct err *err)
{
	struct run *run = &merge->runs[merge->count];

	run->prefix = prefix;
	if (cursor_open(&run->cursor, &merge->read->txn,
	    &merge->read->ops->tables[table], err) == -1)
		return -1;
	merge->count++;
	return run_start(run, merge->filter, err);
}

static int
merge_start(struct merge *merge, struct err *err)
{
	const struct ops_filter *filter = merge->filter;
	bool any_type = str_is_empty(filter->type);

	if (any_type && filter->status == 0 && !filter->finished_only)
		return merge_add(merge, OPS_OP, (struct ops_index_key){ .len = 0 }, err);
	for (enum op_status status = OP_QUEUED; status <= OP_CANCELLED; status++) {
		if (filter->status != 0 && status != filter->status)
			continue;
		if (filter->finished_only && !op_status_is_terminal(status))
			continue;
		if (merge_add(merge, any_type ? OPS_BY_STATUS : OPS_BY_TYPE,
		    any_type ? ops_status_prefix(status) :
		    ops_type_prefix(filter->type, status), err) == -1)
			return -1;
	}
	return 0;
}

/* The run whose turn it is; NULL at the end. */
static struct run *
merge_head(struct merge *merge)
{
	struct run *head = NULL;

	for (unsigned i = 0; i < merge->count; i++) {
		struct run *run = &merge->runs[i];

		if (str_is_empty(run->id))
			continue;
		if (head == NULL || (str_cmp(run->id, head->id) < 0) ==
		    merge->filter->oldest_first)
			head = run;
	}
	return head;
}

static int
merge_walk(struct merge *merge, ops_each_cb *each, void *arg, struct err *err)
{
	struct ops_read *read = merge->read;
	struct run *run;

	while ((run = merge_head(merge)) != NULL) {
		struct op op;

		if (ops_find(read->ops, &read->txn, run->id, &op, err) == -1) {
			if (err->code == ERR_NOT_FOUND)
				(void)table_corrupt(&read->txn, run->cursor.table,
				    run->cursor.key, "no such operation", err);
			return -1;
		}
		if (!each(&op, arg))
			return 0;
		if (run_move(run, merge->filter, err) == -1)
			return -1;
	}
	return 0;
}

int
ops_list(struct ops_read *read, const struct ops_filter *filter, ops_each_cb *each,
    void *arg, struct err *err)
{
	struct merge merge = { .read = read, .filter = filter };
	int rc;

	if (!str_is_empty(filter->before_id) && !tid_is_valid(filter->before_id))
		return err_set(err, ERR_INVALID, "the cursor is not an operation's id");
	if (filter->type.len > LIMIT_OP_TYPE_BYTES)
		return 0;
	rc = merge_start(&merge, err);
	if (rc == 0)
		rc = merge_walk(&merge, each, arg, err);
	for (unsigned i = 0; i < merge.count; i++)
		cursor_close(&merge.runs[i].cursor);
	return rc;
}
