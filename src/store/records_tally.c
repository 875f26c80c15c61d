#include "common/number.h"
#include "store/records_internal.h"

#define TALLY_BYTES	24

static int
find_tally(const struct records *records, struct txn *txn, struct str op_id,
    struct records_changes *changes_out, struct err *err)
{
	const struct table *table = &records->tables[RECORDS_TALLY];
	struct value value;

	*changes_out = (struct records_changes){ 0 };
	if (table_find(txn, table, key_str(op_id), &value, err) == -1)
		return -1;
	if (value.body.ptr == NULL)
		return 0;
	if (value.body.len != TALLY_BYTES)
		return table_corrupt(txn, table, key_str(op_id), "not a tally", err);
	*changes_out = (struct records_changes){
		.created = u64_decode(value.body.ptr),
		.updated = u64_decode(value.body.ptr + 8),
		.deleted = u64_decode(value.body.ptr + 16),
	};
	return 0;
}

int
records_add_tally(struct records_write *write, struct str op_id,
    const struct records_changes *changes, struct err *err)
{
	uint8_t body[TALLY_BYTES];
	struct records_changes sum;

	if (find_tally(write->records, &write->txn, op_id, &sum, err) == -1)
		return -1;
	u64_encode(body, sum.created + changes->created);
	u64_encode(body + 8, sum.updated + changes->updated);
	u64_encode(body + 16, sum.deleted + changes->deleted);
	return table_put(&write->txn, &write->records->tables[RECORDS_TALLY],
	    key_str(op_id), (struct bytes){ body, sizeof(body) }, err);
}

int
records_get_tally(struct records_read *read, struct str op_id,
    struct records_changes *changes_out, struct err *err)
{
	return find_tally(read->records, &read->txn, op_id, changes_out, err);
}

int
records_prune_tallies(struct records_write *write, struct str below_id,
    struct err *err)
{
	const struct table *table = &write->records->tables[RECORDS_TALLY];
	struct cursor cursor;
	int rc = 0;

	if (cursor_open(&cursor, &write->txn, table, err) == -1)
		return -1;
	while (rc == 0 && (rc = cursor_seek_below(&cursor, key_str(below_id), err)) == 0 &&
	    cursor.key.ptr != NULL) {
		struct buf key = BUF_INIT;
		bool was_there;

		buf_add(&key, cursor.key.ptr, cursor.key.len);
		rc = table_delete(&write->txn, table, buf_bytes(&key), &was_there, err);
		buf_clear(&key);
	}
	cursor_close(&cursor);
	return rc;
}
