#include "common/fields_codec.h"
#include "store/ops_internal.h"

/* The body of a row of `schedule`, whose key is the schedule's name. */
#define SCHEDULE_FIELDS(F)	\
	F(1, TEXT, rule)	\
	F(2, U64, next_ms)	\
	F(3, U64, last_ms)	\
	F(4, TEXT, last_id)	\
	F(5, U64, skipped_ms)

#define MEMBER(number, kind, member)	FIELD_TYPE_##kind member;
struct schedule_body { SCHEDULE_FIELDS(MEMBER) };

#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { SCHEDULE_FIELDS(NUMBER) };

#define ROW(number, kind, member)	FIELD_ROW_OF(struct schedule_body, kind, member)
static const struct field fields[] = { SCHEDULE_FIELDS(ROW) };
#undef ROW

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct schedule_body)
};

int
ops_put_schedule(struct ops *ops, struct str name, const struct ops_schedule *schedule,
    struct err *err)
{
	struct schedule_body body = {
		.rule = schedule->rule, .next_ms = (uint64_t)schedule->next_ms,
		.last_ms = (uint64_t)schedule->last_ms, .last_id = schedule->last_id,
		.skipped_ms = (uint64_t)schedule->skipped_ms,
	};
	struct txn txn;

	if (txn_begin_write(ops->env, &txn, err) == -1)
		return -1;
	buf_reset(&ops->encoded);
	fields_encode(&ops->encoded, &layout, &body);
	if (table_put(&txn, &ops->tables[OPS_SCHEDULE], key_str(name),
	    buf_bytes(&ops->encoded), err) == -1) {
		txn_abort(&txn);
		return -1;
	}
	return txn_commit(&txn, err);
}

int
ops_get_schedule(struct ops_read *read, struct str name,
    struct ops_schedule *schedule_out, bool *is_there_out, struct err *err)
{
	const struct table *table = &read->ops->tables[OPS_SCHEDULE];
	struct schedule_body body;
	struct value value;

	if (table_find(&read->txn, table, key_str(name), &value, err) == -1)
		return -1;
	*is_there_out = value.body.ptr != NULL;
	if (!*is_there_out)
		return 0;
	if (fields_decode(value.body, &layout, &body) == -1)
		return table_corrupt(&read->txn, table, key_str(name), "not a schedule", err);
	*schedule_out = (struct ops_schedule){
		.rule = body.rule, .next_ms = (int64_t)body.next_ms,
		.last_ms = (int64_t)body.last_ms, .last_id = body.last_id,
		.skipped_ms = (int64_t)body.skipped_ms,
	};
	return 0;
}
