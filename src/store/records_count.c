#include "common/number.h"
#include "store/records_internal.h"

/*
 * The table `collection` has a count under each of `collection 0 repository id`.
 * An empty collection stands for all of them, and so does the id 0 for all
 * repositories; a count of 0 has no entry.
 */
#define COUNT_KEY_BYTES	(LIMIT_COLLECTION_BYTES + 1 + 8)

struct count_key {
	uint8_t bytes[COUNT_KEY_BYTES];
	size_t len;
};

static struct bytes
count_key(struct count_key *key, struct str collection, uint64_t repo_id)
{
	if (collection.len > 0)
		memcpy(key->bytes, collection.ptr, collection.len);
	key->bytes[collection.len] = '\0';
	u64_encode(key->bytes + collection.len + 1, repo_id);
	key->len = collection.len + 1 + 8;
	return (struct bytes){ key->bytes, key->len };
}

static int
find_count(const struct records *records, struct txn *txn, struct bytes key,
    uint64_t *count_out, struct err *err)
{
	const struct table *table = &records->tables[RECORDS_COLLECTION];
	struct value value;

	if (table_find(txn, table, key, &value, err) == -1)
		return -1;
	if (value.body.ptr != NULL && value.body.len != sizeof(uint64_t))
		return table_corrupt(txn, table, key, "not a count", err);
	*count_out = value.body.ptr == NULL ? 0 : u64_decode(value.body.ptr);
	return 0;
}

static int
change_count(struct records_write *write, struct str collection, uint64_t repo_id,
    int64_t change, struct err *err)
{
	const struct table *table = &write->records->tables[RECORDS_COLLECTION];
	struct count_key key_bytes;
	struct bytes key = count_key(&key_bytes, collection, repo_id);
	uint8_t body[sizeof(uint64_t)];
	uint64_t count;
	bool was_there;

	if (find_count(write->records, &write->txn, key, &count, err) == -1)
		return -1;
	count += (uint64_t)change;
	if (count == 0)
		return table_delete(&write->txn, table, key, &was_there, err);
	u64_encode(body, count);
	return table_put(&write->txn, table, key, (struct bytes){ body, sizeof(body) },
	    err);
}

int
records_count_flush(struct records_write *write, struct err *err)
{
	struct pending_count pending = write->pending;
	struct str collection = { pending.collection, pending.collection_len };

	write->pending.repo_id = 0;
	if (pending.repo_id == 0 || pending.change == 0)
		return 0;
	if (change_count(write, collection, pending.repo_id, pending.change, err) == -1 ||
	    change_count(write, collection, 0, pending.change, err) == -1 ||
	    change_count(write, STR_NONE, pending.repo_id, pending.change, err) == -1)
		return -1;
	return change_count(write, STR_NONE, 0, pending.change, err);
}

int
records_count_add(struct records_write *write, uint64_t repo_id,
    struct str collection, int change, struct err *err)
{
	struct pending_count *pending = &write->pending;
	struct str noted = { pending->collection, pending->collection_len };

	if (pending->repo_id != repo_id || !str_eq(noted, collection)) {
		if (records_count_flush(write, err) == -1)
			return -1;
		pending->repo_id = repo_id;
		memcpy(pending->collection, collection.ptr, collection.len);
		pending->collection_len = collection.len;
		pending->change = 0;
	}
	pending->change += change;
	return 0;
}

int
records_count_find(struct records *records, struct txn *txn, uint64_t repo_id,
    uint64_t *count_out, struct err *err)
{
	struct count_key key;

	return find_count(records, txn, count_key(&key, STR_NONE, repo_id), count_out,
	    err);
}

/* The collection of the entry that the cursor stands on; empty at the end. */
static int
collection_at(struct cursor *cursor, char to[LIMIT_COLLECTION_BYTES],
    struct str *collection_out, struct err *err)
{
	size_t len;

	*collection_out = STR_NONE;
	if (cursor->key.ptr == NULL)
		return 0;
	len = cursor->key.len - 1 - 8;
	if (cursor->key.len <= 1 + 8 || len > LIMIT_COLLECTION_BYTES)
		return table_corrupt(cursor->txn, cursor->table, cursor->key,
		    "not a collection", err);
	memcpy(to, cursor->key.ptr, len);
	*collection_out = (struct str){ to, len };
	return 0;
}

/* Go to the first entry of the next collection, from the one before. */
static int
next_collection(struct cursor *cursor, struct str before,
    char to[LIMIT_COLLECTION_BYTES], struct str *collection_out, struct err *err)
{
	uint8_t past[LIMIT_COLLECTION_BYTES + 1];

	/* Behind all of `before 0 ...`; no collection has a byte 1. */
	if (before.len > 0)
		memcpy(past, before.ptr, before.len);
	past[before.len] = 1;
	if (cursor_seek(cursor, (struct bytes){ past, before.len + 1 }, err) == -1)
		return -1;
	return collection_at(cursor, to, collection_out, err);
}

int
records_each_collection(struct records_read *read, uint64_t repo_id,
    records_collection_cb *each, void *arg, struct err *err)
{
	char name[LIMIT_COLLECTION_BYTES];
	struct str collection = STR_NONE;
	struct cursor cursor;
	int rc;

	if (cursor_open(&cursor, &read->txn, &read->records->tables[RECORDS_COLLECTION],
	    err) == -1)
		return -1;
	while ((rc = next_collection(&cursor, collection, name, &collection, err)) == 0 &&
	    collection.len > 0) {
		struct count_key key;
		uint64_t count;

		rc = find_count(read->records, &read->txn,
		    count_key(&key, collection, repo_id), &count, err);
		if (rc == -1 || (count > 0 && !each(collection, repo_id, count, arg)))
			break;
	}
	cursor_close(&cursor);
	return rc;
}

int
records_get_count(struct records_read *read, struct str collection,
    struct records_count *count_out, struct err *err)
{
	struct records *records = read->records;
	struct records_count count;
	struct count_key key;

	if (find_count(records, &read->txn, count_key(&key, collection, 0),
	    &count.records, err) == -1 ||
	    table_entries(&read->txn, &records->tables[RECORDS_REPO_ID], &count.repos,
	    err) == -1)
		return -1;
	*count_out = count;
	return 0;
}
