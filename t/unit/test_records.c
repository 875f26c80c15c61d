/*
 * test_records.c - src/store/records: limits, repositories.
 */
#include "t/unit/records_unit.h"

static void
records_put__refuses_what_breaks_a_limit(void **state)
{
	static char path[LIMIT_COLLECTION_BYTES + LIMIT_RKEY_BYTES + 4];
	static uint8_t big[LIMIT_RECORD_BYTES + 1], cid[LIMIT_CID_BYTES + 1];
	static const char *const bad[] = { "", "a", "/", "a/", "/b", "a/b/c", "a /b", "a/\x01",
	    "a/\xc3\xa9" };
	struct fixture *f = *state;
	struct records_write *write;
	enum record_effect effect;
	struct err err;
	uint64_t id;

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	assert_int_equal(records_repo_id(write, STR("did:plc:a"), &id, &err), 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++) {
		assert_int_equal(records_put(write, id, str_from(bad[i]),
		    (struct bytes){ cid, LIMIT_CID_BYTES }, BYTES_NONE, &effect, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
	for (size_t len = LIMIT_CID_BYTES - 1; len <= LIMIT_CID_BYTES + 1; len += 2)
		assert_int_equal(records_put(write, id, STR("a/b"),
		    (struct bytes){ cid, len }, BYTES_NONE, &effect, &err), -1);
	assert_int_equal(records_put(write, id, STR("a/b"),
	    (struct bytes){ cid, LIMIT_CID_BYTES }, (struct bytes){ big, sizeof(big) },
	    &effect, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);

	/* The longest of both is taken, one byte more of either is not. */
	memset(path, 'p', sizeof(path) - 1);
	path[LIMIT_COLLECTION_BYTES] = '/';
	assert_int_equal(records_put(write, id, (struct str){ path,
	    LIMIT_COLLECTION_BYTES + 1 + LIMIT_RKEY_BYTES },
	    (struct bytes){ cid, LIMIT_CID_BYTES }, (struct bytes){ big, LIMIT_RECORD_BYTES },
	    &effect, &err), 0);
	assert_int_equal(records_put(write, id, (struct str){ path,
	    LIMIT_COLLECTION_BYTES + 1 + LIMIT_RKEY_BYTES + 1 },
	    (struct bytes){ cid, LIMIT_CID_BYTES }, BYTES_NONE, &effect, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	path[LIMIT_COLLECTION_BYTES] = 'p';
	path[LIMIT_COLLECTION_BYTES + 1] = '/';
	assert_int_equal(records_put(write, id, (struct str){ path,
	    LIMIT_COLLECTION_BYTES + 3 }, (struct bytes){ cid, LIMIT_CID_BYTES },
	    BYTES_NONE, &effect, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	records_write_abort(&write);
}

static size_t
make_did(char did[LIMIT_DID_BYTES + 1], size_t i)
{
	static const size_t lengths[] = { 9, 479, 480, 481, 960, 1440, 1920, LIMIT_DID_BYTES };
	size_t len = lengths[i / 2];

	memset(did, 'd', len);
	did[len - 1] = i % 2 == 0 ? '0' : '1';
	did[len] = '\0';
	return len;
}

struct repos_seen {
	uint64_t last_id;
	size_t count;
};

static bool
see_repo(const struct repo_row *row, void *arg)
{
	struct repos_seen *seen = arg;
	char did[LIMIT_DID_BYTES + 1];

	make_did(did, seen->count++);
	assert_true(str_eq(row->did, str_from(did)));
	assert_true(row->id > seen->last_id);
	assert_int_equal(row->synced_ms, (int64_t)seen->count);
	seen->last_id = row->id;
	return true;
}

static void
records__keep_a_repository_under_a_did_of_any_length(void **state)
{
	struct fixture *f = *state;
	struct repos_seen seen = { 0, 0 };
	struct records_write *write;
	struct records_read *read;
	char did[LIMIT_DID_BYTES + 2];
	struct repo_row row;
	struct err err;

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	for (size_t i = 0; i < 16; i++) {
		row = (struct repo_row){ .did = { did, make_did(did, i) },
		    .pds_url = STR("https://pds.example"), .rev = STR("3migo7fijwi2k"),
		    .status = STR("active"), .records = 99, .synced_ms = (int64_t)i + 1 };
		assert_int_equal(records_put_repo(write, &row, &err), 0);
	}
	memset(did, 'd', sizeof(did));
	row.did = (struct str){ did, LIMIT_DID_BYTES + 1 };
	assert_int_equal(records_put_repo(write, &row, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(records_write_commit(&write, &err), 0);

	assert_int_equal(records_read_begin(f->records, &read, &err), 0);
	assert_int_equal(records_each_repo(read, 0, see_repo, &seen, &err), 0);
	assert_int_equal(seen.count, 16);
	assert_int_equal(records_get_repo(read, (struct str){ did, 478 }, &row, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(records_get_repo_by_id(read, UINT64_MAX, &row, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	make_did(did, 3);
	assert_int_equal(records_get_repo(read, str_from(did), &row, &err), 0);
	assert_true(str_eq(row.status, STR("active")));
	assert_true(row.records == 0);
	records_read_end(&read);
}

static void
records_put_repo__keeps_id_and_records(void **state)
{
	struct fixture *f = *state;
	struct repo_row row = { .did = STR("did:plc:a"), .rev = STR("1") }, back;
	uint8_t cid[LIMIT_CID_BYTES];
	struct records_write *write;
	struct records_read *read;
	enum record_effect effect;
	struct err err;
	uint64_t id;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(records_write_begin(f->records, &write, &err), 0);
		assert_int_equal(records_repo_id(write, row.did, &id, &err), 0);
		assert_int_equal(records_put(write, id, STR("a/b"), cid_of(1, cid),
		    BYTES_NONE, &effect, &err), 0);
		assert_int_equal(records_put_repo(write, &row, &err), 0);
		assert_int_equal(records_write_commit(&write, &err), 0);
		row.rev = STR("2");
	}
	assert_int_equal(records_read_begin(f->records, &read, &err), 0);
	assert_int_equal(records_get_repo(read, row.did, &back, &err), 0);
	assert_true(back.id == id);
	assert_true(str_eq(back.rev, STR("2")));
	assert_true(back.records == 1);
	records_read_end(&read);
}

static const struct CMUnitTest records_tests[] = {
	RECORDS_TEST(records_put__refuses_what_breaks_a_limit),
	RECORDS_TEST(records__keep_a_repository_under_a_did_of_any_length),
	RECORDS_TEST(records_put_repo__keeps_id_and_records),
};

UNIT_MAIN(records_tests)
