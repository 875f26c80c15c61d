/*
 * test_store_damage.c - src/store on files that are not as it wrote them.
 */
#include "t/unit/store_unit.h"

#include "common/limits.h"
#include "store/ops.h"
#include "store/records.h"

#define ROWS		2000
#define DAMAGE_ROUNDS	120
#define FLIPPED_BYTES	16

enum { SAW_ALL = 0, SAW_CORRUPT = 40, SAW_OTHER_ERROR, SAW_LESS, SAW_WRONG };

static struct bytes
row_body(uint32_t n, uint8_t body[600])
{
	size_t len = 100 + n % 500;

	memset(body, (int)(n % 251), len);
	return (struct bytes){ body, len };
}

static struct bytes
row_cid(uint32_t n, uint8_t cid[LIMIT_CID_BYTES])
{
	memset(cid, 1, LIMIT_CID_BYTES);
	memcpy(cid + 4, &n, sizeof(n));
	return (struct bytes){ cid, LIMIT_CID_BYTES };
}

static void
make_records(const char *dir)
{
	uint8_t cid[LIMIT_CID_BYTES], body[600];
	struct records_write *write;
	struct records *records;
	enum record_effect effect;
	struct err err;
	uint64_t id;

	assert_int_equal(records_open(dir, RECORDS_WRITE, &records, &err), 0);
	assert_int_equal(records_write_begin(records, &write, &err), 0);
	assert_int_equal(records_repo_id(write, STR("did:plc:a"), &id, &err), 0);
	for (uint32_t n = 0; n < ROWS; n++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "a/%06u", n);
		assert_int_equal(records_put(write, id, str_from(path), row_cid(n, cid),
		    row_body(n, body), &effect, &err), 0);
	}
	assert_int_equal(records_write_commit(&write, &err), 0);
	records_close(&records);
}

struct reading {
	unsigned seen;
	bool is_wrong;
};

static bool
check_row(const struct record_row *row, void *arg)
{
	uint8_t cid[LIMIT_CID_BYTES], body[600];
	struct reading *reading = arg;
	uint64_t n = ROWS;

	reading->seen++;
	if (!str_starts_with(row->path, STR("a/")) ||
	    str_to_u64((struct str){ row->path.ptr + 2, row->path.len - 2 }, &n) == -1 ||
	    !bytes_eq(row->cid, row_cid((uint32_t)n, cid)) ||
	    !bytes_eq(row->record, row_body((uint32_t)n, body)))
		reading->is_wrong = true;
	return !reading->is_wrong;
}

static int
outcome_of(enum err_code code)
{
	return code == ERR_CORRUPT ? SAW_CORRUPT : SAW_OTHER_ERROR;
}

static int
read_all(const char *dir)
{
	struct reading reading = { 0 };
	struct records_read *read;
	struct records *records;
	struct repo_row repo;
	struct err err;

	if (records_open(dir, RECORDS_READ, &records, &err) == -1 ||
	    records_read_begin(records, &read, &err) == -1 ||
	    records_get_repo(read, STR("did:plc:a"), &repo, &err) == -1 ||
	    records_each(read, repo.id, STR_NONE, STR_NONE, check_row, &reading, &err) == -1)
		return reading.is_wrong ? SAW_WRONG : outcome_of(err.code);
	if (reading.is_wrong)
		return SAW_WRONG;
	return reading.seen == ROWS ? SAW_ALL : SAW_LESS;
}

static void
write_file(const char *path, const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void
damaged_data__is_never_handed_out_as_a_record(void **state)
{
	unsigned corrupt = 0, crashed = 0;
	char *path = data_path(*state);
	uint8_t *good, *bad;
	size_t size;

	srand(51);
	make_records(*state);
	good = read_file(path, &size);
	bad = malloc(size);
	for (int round = 0; round < DAMAGE_ROUNDS; round++) {
		size_t at = (size_t)rand() % (size - FLIPPED_BYTES);
		int status;

		memcpy(bad, good, size);
		for (size_t i = 0; i < FLIPPED_BYTES; i++)
			bad[at + i] ^= (uint8_t)(1 + rand() % 255);
		write_file(path, bad, size);
		status = in_child(read_all, *state);
		if (!WIFEXITED(status)) {
			crashed++;
			continue;
		}
		assert_int_not_equal(WEXITSTATUS(status), SAW_WRONG);
		corrupt += WEXITSTATUS(status) == SAW_CORRUPT;
	}
	print_message("# %u of %d: told as corrupt, %u ended by a signal\n", corrupt,
	    DAMAGE_ROUNDS, crashed);
	assert_true(corrupt > DAMAGE_ROUNDS / 2);

	/* Without damage all is there: the test can see the difference. */
	write_file(path, good, size);
	assert_int_equal(in_child(read_all, *state), SAW_ALL);
	free(good);
	free(bad);
	free(path);
}

static int
open_ops(const char *dir)
{
	struct ops *ops;
	struct err err;

	return ops_open(dir, OPS_WRITE, &ops, &err) == 0 ? SAW_ALL : outcome_of(err.code);
}

static void
damaged_meta_pages__are_told_as_corrupt(void **state)
{
	char *path = data_path(*state);
	uint8_t *data;
	size_t size;

	assert_int_equal(in_child(open_ops, *state), 0);
	data = read_file(path, &size);
	memset(data, 0, 8192);
	write_file(path, data, size);
	assert_int_equal(WEXITSTATUS(in_child(open_ops, *state)), SAW_CORRUPT);
	free(data);
	free(path);
}

static void
a_fifo_in_a_stores_place__is_refused_and_does_not_block(void **state)
{
	char *path = data_path(*state);

	assert_int_equal(in_child(open_ops, *state), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(WEXITSTATUS(in_child(open_ops, *state)), SAW_CORRUPT);
	assert_int_equal(unlink(path), 0);
	free(path);
}

static const struct CMUnitTest store_damage[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
	TEST(damaged_data__is_never_handed_out_as_a_record),
	TEST(a_fifo_in_a_stores_place__is_refused_and_does_not_block),
	TEST(damaged_meta_pages__are_told_as_corrupt),
};

UNIT_MAIN(store_damage)
