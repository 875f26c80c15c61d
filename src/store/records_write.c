#include <stdlib.h>

#include "common/mem.h"
#include "common/number.h"
#include "store/records_internal.h"

int
records_write_begin(struct records *records, struct records_write **write_out,
    struct err *err)
{
	struct txn txn;

	if (txn_begin_write(records->env, &txn, err) == -1)
		return -1;
	*write_out = xcalloc(1, sizeof(**write_out));
	(*write_out)->records = records;
	(*write_out)->txn = txn;
	return 0;
}

void
records_write_abort(struct records_write **write)
{
	if (*write == NULL)
		return;
	txn_abort(&(*write)->txn);
	buf_clear(&(*write)->encoded);
	free(*write);
	*write = NULL;
}

int
records_write_commit(struct records_write **write, struct err *err)
{
	int rc = records_count_flush(*write, err);

	if (rc == 0)
		rc = txn_commit(&(*write)->txn, err);
	records_write_abort(write);
	return rc;
}

static int
put_repo(struct records_write *write, const struct repo_row *row, struct err *err)
{
	buf_reset(&write->encoded);
	records_encode_repo(&write->encoded, row);
	return keyspace_put(&write->txn, &write->records->tables[RECORDS_REPO], REPO_SPACE,
	    key_str(row->did), buf_bytes(&write->encoded), BYTES_NONE, err);
}

static int
make_repo(struct records_write *write, struct str did, uint64_t *id_out,
    struct err *err)
{
	struct repo_row row = { .did = did };
	uint8_t key[8];

	if (did.len == 0 || did.len > LIMIT_DID_BYTES)
		return err_set(err, ERR_LIMIT, "DID: not 1 to %d bytes long",
		    LIMIT_DID_BYTES);
	if (txn_next_number(&write->txn, KEYSPACE_COUNTER, &row.id, err) == -1 ||
	    put_repo(write, &row, err) == -1 ||
	    records_checked_move(write, row.id, -1, 0, err) == -1)
		return -1;
	u64_encode(key, row.id);
	if (table_put(&write->txn, &write->records->tables[RECORDS_REPO_ID],
	    (struct bytes){ key, sizeof(key) }, key_str(did), err) == -1)
		return -1;
	*id_out = row.id;
	return 0;
}

int
records_repo_id(struct records_write *write, struct str did, uint64_t *id_out,
    struct err *err)
{
	struct repo_row row;

	if (records_find_repo(write->records, &write->txn, did, &row, err) == -1)
		return -1;
	if (row.did.ptr == NULL)
		return make_repo(write, did, id_out, err);
	*id_out = row.id;
	return 0;
}

int
records_put_repo(struct records_write *write, const struct repo_row *row,
    struct err *err)
{
	struct repo_row to_write = *row, old;
	int64_t was_ms;

	if (row->pds_url.len > LIMIT_URL_BYTES || row->rev.len > LIMIT_REV_BYTES ||
	    row->status.len > LIMIT_STATUS_BYTES ||
	    row->selection.len > LIMIT_STATUS_BYTES ||
	    row->commit_cid.len > LIMIT_CID_BYTES || row->data_cid.len > LIMIT_CID_BYTES)
		return err_set(err, ERR_LIMIT, "repository %.*s: a field is too long",
		    STR_FMT(row->did));
	if (records_find_repo(write->records, &write->txn, row->did, &old, err) == -1)
		return -1;
	was_ms = old.checked_ms;
	if (old.did.ptr == NULL && make_repo(write, row->did, &old.id, err) == -1)
		return -1;
	to_write.id = old.id;
	to_write.checked_ms = row->synced_ms;
	if (put_repo(write, &to_write, err) == -1)
		return -1;
	return records_checked_move(write, old.id, was_ms, row->synced_ms, err);
}

int
records_set_checked(struct records_write *write, struct str did, int64_t at_ms,
    struct err *err)
{
	struct repo_row row;
	int64_t was_ms;

	if (records_find_repo(write->records, &write->txn, did, &row, err) == -1)
		return -1;
	if (row.did.ptr == NULL || row.checked_ms >= at_ms)
		return 0;
	was_ms = row.checked_ms;
	row.checked_ms = at_ms;
	if (put_repo(write, &row, err) == -1)
		return -1;
	return records_checked_move(write, row.id, was_ms, at_ms, err);
}

static int
check_record(struct bytes cid, struct bytes record, struct err *err)
{
	if (cid.len != LIMIT_CID_BYTES)
		return err_set(err, ERR_INVALID, "CID: %zu bytes long, not %d", cid.len,
		    LIMIT_CID_BYTES);
	if (record.len > LIMIT_RECORD_BYTES)
		return err_set(err, ERR_LIMIT, "record: %zu bytes are over the limit of %d",
		    record.len, LIMIT_RECORD_BYTES);
	return 0;
}

int
records_put(struct records_write *write, uint64_t repo_id, struct str path,
    struct bytes cid, struct bytes record, enum record_effect *effect_out,
    struct err *err)
{
	const struct table *table = &write->records->tables[RECORDS_RECORD];
	struct str collection;
	struct value old;
	bool is_new;

	if (records_check_path(path, &collection, err) == -1 ||
	    check_record(cid, record, err) == -1 ||
	    keyspace_find(&write->txn, table, repo_id, key_str(path), &old, err) == -1)
		return -1;
	is_new = old.body.ptr == NULL;
	if (old.body.len >= LIMIT_CID_BYTES &&
	    memcmp(old.body.ptr, cid.ptr, LIMIT_CID_BYTES) == 0) {
		*effect_out = RECORD_UNCHANGED;
		return 0;
	}
	if (keyspace_put(&write->txn, table, repo_id, key_str(path), cid, record,
	    err) == -1)
		return -1;
	if (is_new && records_count_add(write, repo_id, collection, 1, err) == -1)
		return -1;
	*effect_out = is_new ? RECORD_CREATED : RECORD_UPDATED;
	return 0;
}

int
records_delete(struct records_write *write, uint64_t repo_id, struct str path,
    bool *was_there_out, struct err *err)
{
	struct str collection;
	bool was_there;

	if (records_check_path(path, &collection, err) == -1 ||
	    keyspace_delete(&write->txn, &write->records->tables[RECORDS_RECORD], repo_id,
	    key_str(path), &was_there, err) == -1)
		return -1;
	if (was_there && records_count_add(write, repo_id, collection, -1, err) == -1)
		return -1;
	*was_there_out = was_there;
	return 0;
}
