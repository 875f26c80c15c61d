#include <assert.h>

#include "common/limits.h"
#include "common/number.h"
#include "common/utf8.h"
#include "op/op_type.h"
#include "store/op_codec.h"
#include "store/ops_internal.h"

/*
 * An operation while it is being changed: `op` points into `old`, a copy of the
 * stored value, since writing to a table may overwrite what lies in the map.
 */
struct change {
	struct ops *ops;
	struct txn txn;
	struct buf old;
	struct op op;
	bool was_in_queue;
};

static int
change_begin(struct change *change, struct ops *ops, struct err *err)
{
	*change = (struct change){ .ops = ops, .old = BUF_INIT };
	return txn_begin_write(ops->env, &change->txn, err);
}

static void
change_abort(struct change *change)
{
	txn_abort(&change->txn);
	buf_clear(&change->old);
}

static int
change_commit(struct change *change, struct err *err)
{
	buf_clear(&change->old);
	return txn_commit(&change->txn, err);
}

static int
change_load(struct change *change, struct str id, struct err *err)
{
	struct op stored;

	if (ops_find(change->ops, &change->txn, id, &stored, err) == -1)
		return -1;
	buf_reset(&change->old);
	op_encode(&change->old, &stored);
	if (op_decode(buf_bytes(&change->old), &change->op) == -1)
		return err_set(err, ERR_CORRUPT, "op %.*s: cannot be read back",
		    STR_FMT(id));
	change->was_in_queue = ops_queue_has(&change->op);
	return 0;
}

/* Text that a peer had a say in; what identifies an operation is never cut. */
static void
cut_texts(struct op *op)
{
	struct str *const texts[] = { &op->started_by, &op->cancelled_by,
	    &op->cancel_reason, &op->stage, &op->error_class, &op->error_text };

	for (size_t i = 0; i < BF_ARRAY_LEN(texts); i++)
		*texts[i] = utf8_cut(*texts[i], LIMIT_OP_TEXT_BYTES);
}

int
ops_put(struct ops *ops, struct txn *txn, struct op *op, struct err *err)
{
	cut_texts(op);
	buf_reset(&ops->encoded);
	op_encode(&ops->encoded, op);
	return table_put(txn, &ops->tables[OPS_OP], key_str(op->id),
	    buf_bytes(&ops->encoded), err);
}

static int
change_put(struct change *change, struct err *err)
{
	const struct op *op = &change->op;

	if (ops_put(change->ops, &change->txn, &change->op, err) == -1)
		return -1;
	if (ops_queue_has(op) == change->was_in_queue)
		return 0;
	return change->was_in_queue ? ops_queue_delete(change->ops, &change->txn, op, err) :
	    ops_queue_put(change->ops, &change->txn, op, err);
}

static void
apply_edit(struct op *op, ops_edit_cb *edit, void *arg)
{
	struct op before = *op;

	if (edit == NULL)
		return;
	edit(op, arg);
	assert(str_eq(op->id, before.id) && str_eq(op->type, before.type) &&
	    str_eq(op->did, before.did) && str_eq(op->pds_url, before.pds_url) &&
	    str_eq(op->uri, before.uri) && op->batch_size == before.batch_size &&
	    str_eq(op->tier, before.tier) && str_eq(op->items_of, before.items_of) &&
	    op->priority == before.priority &&
	    op->status == before.status);
}

static int
check_new(const struct op *op, struct err *err)
{
	if (!tid_is_valid(op->id))
		return err_set(err, ERR_INVALID, "operation id %.*s: not a TID",
		    STR_FMT(op->id));
	if (op->type.len == 0 || op->type.len > LIMIT_OP_TYPE_BYTES)
		return err_set(err, ERR_LIMIT, "operation type: not 1 to %d bytes long",
		    LIMIT_OP_TYPE_BYTES);
	return op_params_fit(op, err);
}

static int
check_free(struct ops *ops, struct txn *txn, const struct op *op,
    char active_id_out[TID_SIZE], struct err *err)
{
	struct value value;
	struct str active;
	struct op other;

	/* The row of one that was mended (ops_mend.c) stays until it is in the way. */
	if (ops_target_find(ops, txn, op, &active, err) == -1 ||
	    table_find(txn, &ops->tables[OPS_OP], key_str(op->id), &value, err) == -1)
		return -1;
	if (!str_is_empty(active) && (ops_find(ops, txn, active, &other, err) == -1 ?
	    err->code != ERR_NOT_FOUND : !op_status_is_terminal(op_status(&other)))) {
		(void)str_copy(active_id_out, TID_SIZE, active);
		return err_set(err, ERR_EXISTS, "operation %.*s does this already",
		    STR_FMT(active));
	}
	if (value.body.ptr != NULL)
		return err_set(err, ERR_CONFLICT, "operation id %.*s: was given out before",
		    STR_FMT(op->id));
	return 0;
}

int
ops_create(struct ops *ops, const struct op *op, char active_id_out[TID_SIZE],
    struct err *err)
{
	struct op queued = *op;
	struct ops_event event = { (int64_t)op->created_ms, OP_EVENT_TRIGGER,
	    op->started_by };
	struct txn txn;

	queued.status = OP_QUEUED;
	queued.updated_ms = op->created_ms;
	if (check_new(op, err) == -1 || txn_begin_write(ops->env, &txn, err) == -1)
		return -1;
	if (check_free(ops, &txn, op, active_id_out, err) == -1 ||
	    ops_put(ops, &txn, &queued, err) == -1 ||
	    ops_queue_put(ops, &txn, &queued, err) == -1 ||
	    ops_key_put(ops, &txn, &queued, err) == -1 ||
	    ops_index_move(ops, &txn, &queued, 0, OP_QUEUED, err) == -1 ||
	    ops_target_put(ops, &txn, &queued, err) == -1 ||
	    ops_event_add(ops, &txn, op->id, &event, err) == -1) {
		txn_abort(&txn);
		return -1;
	}
	return txn_commit(&txn, err);
}

/* What is listed is counted, though its worker died before it had it in a checkpoint. */
static int
count_kept(struct change *change, struct err *err)
{
	struct op *op = &change->op;
	uint32_t rows;

	if (ops_item_rows(change->ops, &change->txn, op->id, &rows, err) == -1)
		return -1;
	if (rows > op->item_rows_empty && op->items_failed < rows - op->item_rows_empty)
		op->items_failed = rows - op->item_rows_empty;
	return 0;
}

/* What holds only for an active operation goes in the transaction that ends it. */
static int
leave_active(struct change *change, struct err *err)
{
	struct ops *ops = change->ops;
	bool was_there;

	if (ops_target_delete(ops, &change->txn, &change->op, err) == -1)
		return -1;
	return table_delete(&change->txn, &ops->tables[OPS_CHECKPOINT],
	    key_str(change->op.id), &was_there, err);
}

static int
write_transition(struct change *change, enum op_status from, enum op_status to,
    const struct ops_event *event, struct err *err)
{
	struct op *op = &change->op;

	op->status = to;
	op->updated_ms = (uint64_t)event->at_ms;
	if (to != OP_RUNNING)
		op->worker_pid = 0;
	if (op_status_is_terminal(to)) {
		op->completed_ms = (uint64_t)event->at_ms;
		if (leave_active(change, err) == -1)
			return -1;
	}
	if (change_put(change, err) == -1 ||
	    ops_index_move(change->ops, &change->txn, op, from, to, err) == -1)
		return -1;
	return ops_event_add(change->ops, &change->txn, op->id, event, err);
}

int
ops_change(struct ops *ops, struct str id, enum op_event event,
    struct str event_text, int64_t now_ms, ops_edit_cb *edit, void *arg,
    enum op_status *status_out, struct err *err)
{
	struct ops_event row = { now_ms, event, event_text };
	enum op_status from, to;
	struct change change;

	if (change_begin(&change, ops, err) == -1)
		return -1;
	if (change_load(&change, id, err) == -1)
		goto fail;
	from = op_status(&change.op);
	if (op_status_next(from, event, &to) == -1) {
		if (status_out != NULL)
			*status_out = from;
		(void)err_set(err, ERR_CONFLICT, "operation %.*s is %s: cannot become %s",
		    STR_FMT(id), op_status_word(from), op_event_word(event));
		goto fail;
	}
	apply_edit(&change.op, edit, arg);
	if ((event == OP_EVENT_START &&
	    ops_items_settle(ops, &change.txn, &change.op, err) == -1) ||
	    count_kept(&change, err) == -1 ||
	    write_transition(&change, from, to, &row, err) == -1)
		goto fail;
	if (change_commit(&change, err) == -1)
		return -1;
	if (status_out != NULL)
		*status_out = to;
	return 0;
fail:
	change_abort(&change);
	return -1;
}

/* Load an operation to note something about it: it must not be finished. */
static int
load_active(struct change *change, struct str id, struct err *err)
{
	enum op_status status;

	if (change_load(change, id, err) == -1)
		return -1;
	status = op_status(&change->op);
	if (op_status_is_terminal(status))
		return err_set(err, ERR_CONFLICT, "operation %.*s is %s", STR_FMT(id),
		    op_status_word(status));
	return 0;
}

int
ops_note(struct ops *ops, struct str id, enum op_event event,
    struct str event_text, int64_t now_ms, ops_edit_cb *edit, void *arg,
    struct err *err)
{
	struct ops_event row = { now_ms, event, event_text };
	struct change change;

	if (change_begin(&change, ops, err) == -1)
		return -1;
	if (load_active(&change, id, err) == -1)
		goto fail;
	apply_edit(&change.op, edit, arg);
	change.op.updated_ms = (uint64_t)now_ms;
	if (change_put(&change, err) == -1 ||
	    ops_event_add(ops, &change.txn, id, &row, err) == -1)
		goto fail;
	return change_commit(&change, err);
fail:
	change_abort(&change);
	return -1;
}

int
ops_group_begin(struct ops *ops, struct err *err)
{
	return env_group_begin(ops->env, err);
}

int
ops_group_commit(struct ops *ops, struct err *err)
{
	return env_group_commit(ops->env, err);
}

void
ops_group_abort(struct ops *ops)
{
	env_group_abort(ops->env);
}

int
ops_part_begin(struct ops *ops, struct err *err)
{
	return env_part_begin(ops->env, err);
}

int
ops_part_commit(struct ops *ops, struct err *err)
{
	return env_part_commit(ops->env, err);
}

void
ops_part_abort(struct ops *ops)
{
	env_part_abort(ops->env);
}

static int
write_progress(struct change *change, const struct ops_progress *progress,
    bool *wrote, struct err *err)
{
	struct op *op = &change->op;

	/* What is damaged is told when its worker ends, and holds up nobody until then. */
	if (change_load(change, str_from(progress->id), err) == -1)
		return err->code == ERR_NOT_FOUND || err->code == ERR_CORRUPT ? 0 : -1;
	if (op_status(op) != OP_RUNNING)
		return 0;
	op->stage = progress->stage;
	op->stage_done = progress->stage_done;
	op->stage_total = progress->stage_total;
	op->records_processed = progress->processed;
	op->records_total = progress->total;
	/* A worker that counts them itself knows best: it may have counted some that are
	 * not kept, and an attempt that goes on may count again. */
	if (progress->failed > 0)
		op->items_failed = progress->failed;
	if (count_kept(change, err) == -1)
		return -1;
	op->bytes_fetched = progress->bytes;
	if (progress->met != NULL)
		op_met_set(op, progress->met);
	op->rate_milli = progress->rate_milli;
	op->updated_ms = (uint64_t)progress->now_ms;
	*wrote = true;
	return change_put(change, err);
}

int
ops_write_progress(struct ops *ops, const struct ops_progress *list, size_t count,
    struct err *err)
{
	struct change change;
	bool wrote = false;

	if (change_begin(&change, ops, err) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (write_progress(&change, &list[i], &wrote, err) == -1) {
			change_abort(&change);
			return -1;
		}
	}
	if (wrote)
		return change_commit(&change, err);
	change_abort(&change);
	return 0;
}

int
ops_put_checkpoint(struct ops *ops, struct str id, struct bytes data,
    uint64_t processed, int64_t now_ms, struct err *err)
{
	struct change change;

	if (data.len > LIMIT_CHECKPOINT_BYTES)
		return err_set(err, ERR_LIMIT, "checkpoint: %zu bytes are over the limit "
		    "of %d", data.len, LIMIT_CHECKPOINT_BYTES);
	if (change_begin(&change, ops, err) == -1)
		return -1;
	if (load_active(&change, id, err) == -1)
		goto fail;
	change.op.checkpoints++;
	change.op.records_processed = processed;
	change.op.updated_ms = (uint64_t)now_ms;
	if (change_put(&change, err) == -1 ||
	    table_put(&change.txn, &ops->tables[OPS_CHECKPOINT], key_str(id), data,
	    err) == -1)
		goto fail;
	return change_commit(&change, err);
fail:
	change_abort(&change);
	return -1;
}

int
ops_add_item(struct ops *ops, struct str id, const struct ops_item *item,
    struct err *err)
{
	struct change change;
	bool is_new = false;

	if (change_begin(&change, ops, err) == -1)
		return -1;
	if (load_active(&change, id, err) == -1 ||
	    ops_item_add(ops, &change.txn, &change.op, item, &is_new, err) == -1)
		goto fail;
	change.op.items_failed += is_new;
	change.op.updated_ms = (uint64_t)item->at_ms;
	if (change_put(&change, err) == -1)
		goto fail;
	return change_commit(&change, err);
fail:
	change_abort(&change);
	return -1;
}

int
ops_take_back_item(struct ops *ops, struct str id, struct str item, int64_t now_ms,
    struct err *err)
{
	struct change change;
	bool was_there;

	if (change_begin(&change, ops, err) == -1)
		return -1;
	if (load_active(&change, id, err) == -1 ||
	    ops_item_take_back(ops, &change.txn, id, item, &was_there, err) == -1)
		goto fail;
	change.op.item_rows_empty += was_there;
	change.op.items_failed -= was_there && change.op.items_failed > 0;
	change.op.updated_ms = (uint64_t)now_ms;
	if (change_put(&change, err) == -1)
		goto fail;
	return change_commit(&change, err);
fail:
	change_abort(&change);
	return -1;
}

int
ops_probe(struct ops *ops, int64_t now_ms, struct err *err)
{
	uint8_t body[sizeof(uint64_t)];
	struct txn txn;

	u64_encode(body, (uint64_t)now_ms);
	if (txn_begin_write(ops->env, &txn, err) == -1)
		return -1;
	if (table_put(&txn, &ops->env->meta, key_text("probe"),
	    (struct bytes){ body, sizeof(body) }, err) == -1) {
		txn_abort(&txn);
		return -1;
	}
	return txn_commit(&txn, err);
}
