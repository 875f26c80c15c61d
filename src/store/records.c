#include "store/records.h"

#include <stdlib.h>

#include "common/fields_codec.h"
#include "common/mem.h"
#include "common/number.h"
#include "store/records_internal.h"

/* Address space only; where there is less of it, env.c takes less. */
#define RECORDS_MAP_BYTES	((size_t)1 << 40)

/* The body of a repository: F(NUMBER, KIND, member); rules as for OP_FIELDS. */
#define REPO_FIELDS(F)		\
	F(1, U64, id)		\
	F(2, TEXT, did)		\
	F(3, TEXT, pds_url)	\
	F(4, TEXT, rev)		\
	F(5, BYTES, commit_cid)	\
	F(6, BYTES, data_cid)	\
	F(7, TEXT, status)	\
	F(8, U64, synced_ms)	\
	F(9, TEXT, selection)	\
	F(10, U64, checked_ms)

#define ROW(number, kind, member)	FIELD_ROW_OF(struct repo_row, kind, member)
static const struct field repo_fields[] = { REPO_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t repo_numbers[] = { REPO_FIELDS(NUMBER) };

static const struct fields_layout repo_layout = {
	repo_fields, repo_numbers, BF_ARRAY_LEN(repo_fields), sizeof(struct repo_row)
};

int
records_open(const char *dir, enum records_mode mode, struct records **records_out,
    struct err *err)
{
	static const struct table tables[] = {
#define T(NAME, table_name, table_version)	\
		{ .name = table_name, .version = table_version },
		RECORDS_TABLES(T)
#undef T
	};
	struct records *records = xcalloc(1, sizeof(*records));
	struct env_options options = {
		.may_write = mode == RECORDS_WRITE,
		.is_larger_than_memory = true,
		.schema = RECORDS_SCHEMA,
		.map_bytes = RECORDS_MAP_BYTES,
		.tables = records->tables,
		.tables_count = RECORDS_TABLE_COUNT,
		.convert = records_convert,
	};

	memcpy(records->tables, tables, sizeof(tables));
	if (env_open(dir, &options, &records->env, err) == -1) {
		records_close(&records);
		return -1;
	}
	*records_out = records;
	return 0;
}

void
records_close(struct records **records)
{
	if (*records == NULL)
		return;
	env_close(&(*records)->env);
	free(*records);
	*records = NULL;
}

int
records_check_readers(struct records *records)
{
	return env_check_readers(records->env);
}

bool
records_lost_its_lock(const struct records *records)
{
	return env_lost_its_lock(records->env);
}

int
records_check_path(struct str path, struct str *collection_out, struct err *err)
{
	const char *slash = path.len > 0 ? memchr(path.ptr, '/', path.len) : NULL;
	size_t collection_len, rkey_len;

	if (slash == NULL)
		return err_set(err, ERR_INVALID, "path: has no slash");
	collection_len = (size_t)(slash - path.ptr);
	rkey_len = path.len - collection_len - 1;
	if (collection_len == 0 || rkey_len == 0)
		return err_set(err, ERR_INVALID, "path: nothing before or behind the slash");
	if (collection_len > LIMIT_COLLECTION_BYTES || rkey_len > LIMIT_RKEY_BYTES)
		return err_set(err, ERR_LIMIT, "path: longer than %d/%d bytes",
		    LIMIT_COLLECTION_BYTES, LIMIT_RKEY_BYTES);
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] <= ' ' || path.ptr[i] > '~' ||
		    (path.ptr[i] == '/' && i != collection_len))
			return err_set(err, ERR_INVALID, "path: has the byte 0x%02x",
			    (unsigned char)path.ptr[i]);
	*collection_out = (struct str){ path.ptr, collection_len };
	return 0;
}

int
records_read_begin(struct records *records, struct records_read **read_out,
    struct err *err)
{
	struct txn txn;

	if (txn_begin_read(records->env, &txn, err) == -1)
		return -1;
	*read_out = xmalloc(sizeof(**read_out));
	**read_out = (struct records_read){ records, txn };
	return 0;
}

void
records_read_end(struct records_read **read)
{
	if (*read == NULL)
		return;
	txn_abort(&(*read)->txn);
	free(*read);
	*read = NULL;
}

void
records_encode_repo(struct buf *to, const struct repo_row *row)
{
	fields_encode(to, &repo_layout, row);
}

int
records_decode_repo(struct bytes body, struct repo_row *row_out)
{
	if (fields_decode(body, &repo_layout, row_out) == -1 || row_out->id == 0)
		return -1;
	/* Schema 1 did not write it. */
	if (row_out->checked_ms == 0)
		row_out->checked_ms = row_out->synced_ms;
	return 0;
}

int
records_find_repo(struct records *records, struct txn *txn, struct str did,
    struct repo_row *row_out, struct err *err)
{
	const struct table *table = &records->tables[RECORDS_REPO];
	struct value value = { BYTES_NONE, 0 };

	*row_out = (struct repo_row){ .id = 0 };
	if (did.len > 0 && did.len <= LIMIT_DID_BYTES &&
	    keyspace_find(txn, table, REPO_SPACE, key_str(did), &value, err) == -1)
		return -1;
	if (value.body.ptr == NULL)
		return 0;
	if (records_decode_repo(value.body, row_out) == -1 || !str_eq(row_out->did, did))
		return table_corrupt(txn, table, key_str(did), "not a repository", err);
	return 0;
}

int
records_get_repo(struct records_read *read, struct str did,
    struct repo_row *row_out, struct err *err)
{
	struct repo_row row;

	if (records_find_repo(read->records, &read->txn, did, &row, err) == -1)
		return -1;
	if (row.did.ptr == NULL)
		return err_set(err, ERR_NOT_FOUND, "no repository %.*s", STR_FMT(did));
	if (records_count_find(read->records, &read->txn, row.id, &row.records, err) == -1)
		return -1;
	*row_out = row;
	return 0;
}

static struct bytes
id_key(uint8_t bytes[8], uint64_t id)
{
	u64_encode(bytes, id);
	return (struct bytes){ bytes, 8 };
}

/* `repo-id` names a DID that `repo` has to know under the same id. */
int
records_get_named(struct records_read *read, uint64_t id, struct bytes did,
    struct repo_row *row_out, struct err *err)
{
	uint8_t bytes[8];
	int rc = records_get_repo(read,
	    (struct str){ (const char *)did.ptr, did.len }, row_out, err);

	if (rc == 0 && row_out->id == id)
		return 0;
	if (rc == -1 && err->code != ERR_NOT_FOUND)
		return -1;
	return table_corrupt(&read->txn, &read->records->tables[RECORDS_REPO_ID],
	    id_key(bytes, id), "leads to no repository", err);
}

int
records_get_repo_by_id(struct records_read *read, uint64_t id,
    struct repo_row *row_out, struct err *err)
{
	uint8_t bytes[8];
	struct bytes key = id_key(bytes, id);
	struct value value;

	if (table_find(&read->txn, &read->records->tables[RECORDS_REPO_ID], key, &value,
	    err) == -1)
		return -1;
	if (value.body.ptr == NULL)
		return err_set(err, ERR_NOT_FOUND, "no repository with the id %llu",
		    (unsigned long long)id);
	return records_get_named(read, id, value.body, row_out, err);
}

int
records_each_repo(struct records_read *read, uint64_t after_id,
    records_repo_cb *each, void *arg, struct err *err)
{
	struct cursor cursor;
	uint8_t bytes[8];
	int rc;

	if (after_id == UINT64_MAX)
		return 0;
	if (cursor_open(&cursor, &read->txn, &read->records->tables[RECORDS_REPO_ID],
	    err) == -1)
		return -1;
	rc = cursor_seek(&cursor, id_key(bytes, after_id + 1), err);
	while (rc == 0 && cursor.key.ptr != NULL) {
		struct value value;
		struct repo_row row;

		rc = cursor_value(&cursor, &value, err);
		if (rc == 0)
			rc = records_get_named(read, u64_decode(cursor.key.ptr),
			    value.body, &row, err);
		if (rc == -1 || !each(&row, arg))
			break;
		rc = cursor_next(&cursor, err);
	}
	cursor_close(&cursor);
	return rc;
}

static int
decode_record(struct records_read *read, struct str path, struct bytes body,
    struct record_row *row_out, struct err *err)
{
	if (body.len < LIMIT_CID_BYTES)
		return table_corrupt(&read->txn, &read->records->tables[RECORDS_RECORD],
		    key_str(path), "not a record", err);
	*row_out = (struct record_row){
		.path = path,
		.cid = { body.ptr, LIMIT_CID_BYTES },
		.record = { body.ptr + LIMIT_CID_BYTES, body.len - LIMIT_CID_BYTES },
	};
	return 0;
}

int
records_get(struct records_read *read, uint64_t repo_id, struct str path,
    struct record_row *row_out, struct err *err)
{
	struct value value = { BYTES_NONE, 0 };
	struct str collection;

	if (records_check_path(path, &collection, err) == -1)
		return -1;
	if (keyspace_find(&read->txn, &read->records->tables[RECORDS_RECORD], repo_id,
	    key_str(path), &value, err) == -1)
		return -1;
	if (value.body.ptr == NULL)
		return err_set(err, ERR_NOT_FOUND, "no record %.*s", STR_FMT(path));
	return decode_record(read, path, value.body, row_out, err);
}

int
records_each(struct records_read *read, uint64_t repo_id, struct str after_path,
    struct str prefix, records_record_cb *each, void *arg, struct err *err)
{
	bool is_after = str_cmp(after_path, prefix) >= 0;
	struct keyspace_walk walk;
	int rc;

	rc = keyspace_walk_open(&walk, &read->txn, &read->records->tables[RECORDS_RECORD],
	    repo_id, key_str(is_after ? after_path : prefix), is_after, err);
	while (rc == 0 && (rc = keyspace_walk_next(&walk, err)) == 0) {
		struct str path = { (const char *)walk.key.ptr, walk.key.len };
		struct record_row row;

		if (path.ptr == NULL || !str_starts_with(path, prefix))
			break;
		rc = decode_record(read, path, walk.value.body, &row, err);
		if (rc == -1 || !each(&row, arg))
			break;
	}
	keyspace_walk_close(&walk);
	return rc;
}
