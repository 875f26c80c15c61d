/*
 * test_fault.c - every reason of fault.def is produced here, and every limit of the
 * engine is met: the last test looks for reasons that no test gave.
 */
#include "t/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "atproto/dagcbor.h"
#include "atproto/dagcbor_json.h"
#include "atproto/dagcbor_write.h"
#include "atproto/diff.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/tid.h"
#include "t/unit/fault_expect.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

bool fault_produced[FAULT_CODES];

void
fault_expect(enum fault_code want, int rc, const struct fault *fault)
{
	if (rc != -1 || fault->code != want)
		fail_msg("wanted %s, got %s", fault_symbol(want),
		    rc == -1 ? fault_symbol(fault->code) : "no fault");
	fault_produced[want] = true;
}

/* Feed one CAR and prove it: the fault it fails with. */
int
fault_prove_with(struct bytes car, struct repo_options options, struct fault *fault)
{
	struct repo *repo = repo_new(&options);
	struct commit_expect any = { .did = STR_NONE };
	int rc = -1;

	if (repo_feed(repo, car, fault) == 0 && repo_feed_end(repo, fault) == 0 &&
	    repo_check_commit(repo, &any, fault) == 0 &&
	    repo_check_tree(repo, SIZE_MAX, fault) == REPO_DONE)
		rc = 0;
	repo_free(&repo);
	return rc;
}

int
fault_prove(const struct buf *car, struct fault *fault)
{
	return fault_prove_with(buf_bytes(car), REPO_OPTIONS_DEFAULT, fault);
}

static struct buf
good_car(size_t records)
{
	struct maker *maker = maker_new();
	struct keypair *pair = maker_keypair(KEY_K256);
	struct buf car = BUF_INIT;

	maker_add_samples(maker, records, 5);
	maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair, MAKER_TREE_ORDER, &car);
	keypair_free(&pair);
	maker_free(&maker);
	return car;
}

static void
expect_bytes(enum fault_code want, const char *hex)
{
	struct buf car = vectors_hex(str_from(hex));
	struct fault fault;

	fault_expect(want, fault_prove(&car, &fault), &fault);
	buf_clear(&car);
}

#define ROOT	"d82a582500017112209dfefe61dd76ea3dcae50238" \
		"80b08379d57adf20482d6fdbe2759289f647677b"

static void
framing_faults(void **state BF_UNUSED)
{
	expect_bytes(FAULT_CAR_TRUNCATED, "");
	expect_bytes(FAULT_CAR_TRUNCATED, "3aa265");
	expect_bytes(FAULT_CAR_VARINT, "8000");
	expect_bytes(FAULT_CAR_HEADER, "01f7");
	expect_bytes(FAULT_CAR_HEADER, "01a0");
	expect_bytes(FAULT_CAR_HEADER_SIZE, "8120");
	expect_bytes(FAULT_CAR_VERSION, "0aa16776657273696f6e02");
	expect_bytes(FAULT_CAR_ROOT, "11a265726f6f7473806776657273696f6e01");
	expect_bytes(FAULT_CAR_TRUNCATED,
	    "3aa265726f6f747381" ROOT "6776657273696f6e01" "2b");
	expect_bytes(FAULT_COMMIT_MISSING,
	    "3aa265726f6f747381" ROOT "6776657273696f6e01");
	expect_bytes(FAULT_CAR_BLOCK_SIZE, "3aa265726f6f747381" ROOT "6776657273696f6e01"
	    "81808001");
	expect_bytes(FAULT_BLOCK_CID,
	    "3aa265726f6f747381" ROOT "6776657273696f6e01" "00");
	/* An identity CID: well-formed, and nothing that could be verified. */
	expect_bytes(FAULT_BLOCK_CID, "3aa265726f6f747381" ROOT "6776657273696f6e01"
	    "0501710001f6");
	assert_int_equal(LIMIT_CAR_HEADER_BYTES, 4096);		/* the 8120 above is 4097 */
	assert_int_equal(LIMIT_CAR_BLOCK_BYTES, 2 * 1024 * 1024);	/* 81808001 is one more */
}

static void
content_faults(void **state BF_UNUSED)
{
	struct buf car = good_car(20);
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct fault fault;
	int fd;

	buf_data(&car)[buf_len(&car) - 1] ^= 1;
	fault_expect(FAULT_BLOCK_HASH, fault_prove(&car, &fault), &fault);
	buf_data(&car)[buf_len(&car) - 1] ^= 1;
	assert_int_equal(fault_prove(&car, &fault), 0);

	options.max_blocks = 5;
	fault_expect(FAULT_CAR_BLOCKS, fault_prove_with(buf_bytes(&car), options, &fault),
	    &fault);
	options = REPO_OPTIONS_DEFAULT;
	options.max_bytes = buf_len(&car) - 1;
	fault_expect(FAULT_CAR_BYTES, fault_prove_with(buf_bytes(&car), options, &fault),
	    &fault);
	assert_true(fault.offset == options.max_bytes);
	options = REPO_OPTIONS_DEFAULT;
	options.memory_bytes = 100;
	fault_expect(FAULT_CAR_MEMORY, fault_prove_with(buf_bytes(&car), options, &fault),
	    &fault);
	buf_clear(&car);

	/* A spill file that cannot be written. */
	car = good_car(2000);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	options.spill_fd = fd;
	fault_expect(FAULT_CAR_IO, fault_prove_with(buf_bytes(&car), options, &fault),
	    &fault);
	close(fd);
	fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	options.spill_fd = fd;
	fault_expect(FAULT_CAR_NO_ROOM, fault_prove_with(buf_bytes(&car), options, &fault),
	    &fault);
	close(fd);
	buf_clear(&car);
}

static void
a_caller_cannot_raise_the_limits(void **state BF_UNUSED)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct buf car = good_car(20);
	struct fault fault;

	options.max_bytes = LIMIT_CAR_BYTES * 2;
	options.max_blocks = (uint64_t)LIMIT_CAR_BLOCKS * 2;
	assert_int_equal(fault_prove_with(buf_bytes(&car), options, &fault), 0);
	buf_clear(&car);
}

static void
expect_cbor(enum fault_code want, const char *hex)
{
	struct buf block = vectors_hex(str_from(hex));
	struct fault fault;

	fault_expect(want, dagcbor_check(buf_bytes(&block), &fault), &fault);
	buf_clear(&block);
}

static void
dagcbor_faults(void **state BF_UNUSED)
{
	char deep[2 * (LIMIT_CBOR_DEPTH + 1) + 1] = "";

	expect_cbor(FAULT_CBOR_TRUNCATED, "6261");
	expect_cbor(FAULT_CBOR_TRAILING, "f6f6");
	expect_cbor(FAULT_CBOR_HEAD, "bfff");
	expect_cbor(FAULT_CBOR_NOT_MINIMAL, "1817");
	expect_cbor(FAULT_CBOR_INT_RANGE, "1bffffffffffffffff");
	expect_cbor(FAULT_CBOR_FLOAT, "f90000");
	expect_cbor(FAULT_CBOR_SIMPLE, "f7");
	expect_cbor(FAULT_CBOR_TAG, "c1f6");
	expect_cbor(FAULT_CBOR_LINK, "d82a4100");
	expect_cbor(FAULT_CBOR_KEY_TYPE, "a101f6");
	expect_cbor(FAULT_CBOR_KEY_ORDER, "a26162f66161f6");
	expect_cbor(FAULT_CBOR_KEY_TWICE, "a26161f66161f6");
	expect_cbor(FAULT_CBOR_UTF8, "61ff");
	expect_cbor(FAULT_CBOR_ENTRIES, "9a00020001");
	for (size_t i = 0; i <= LIMIT_CBOR_DEPTH; i++)
		memcpy(deep + 2 * i, "81", 2);
	expect_cbor(FAULT_CBOR_DEPTH, deep);
}

struct commit_fields {
	int64_t version;
	const char *did, *rev;
	enum cid_codec data;
	bool has_prev;
	size_t sig_len, padding;
};

static const struct commit_fields good_fields = { 3, MAKER_DID, MAKER_REV, CID_DAG_CBOR,
    true, 64, 0 };

static int
parse_fields(const struct commit_fields *fields, struct commit *commit, struct buf *block,
    struct fault *fault)
{
	static const uint8_t zeros[LIMIT_COMMIT_BYTES + 1];
	struct sha256 *sha = sha256_new();
	struct cid cid;
	int rc;

	cid_of(sha, fields->data, BYTES_NONE, &cid);
	dagcbor_write_map(block, 5 + fields->has_prev + (fields->padding > 0));
	dagcbor_write_text(block, STR("did"));
	dagcbor_write_text(block, str_from(fields->did));
	dagcbor_write_text(block, STR("rev"));
	dagcbor_write_text(block, str_from(fields->rev));
	dagcbor_write_text(block, STR("sig"));
	dagcbor_write_bytes(block, (struct bytes){ zeros, fields->sig_len });
	dagcbor_write_text(block, STR("data"));
	dagcbor_write_link(block, &cid);
	if (fields->has_prev) {
		dagcbor_write_text(block, STR("prev"));
		dagcbor_write_null(block);
	}
	dagcbor_write_text(block, STR("version"));
	dagcbor_write_int(block, fields->version);
	if (fields->padding > 0) {
		dagcbor_write_text(block, STR("zpadding"));
		dagcbor_write_bytes(block, (struct bytes){ zeros, fields->padding });
	}
	rc = commit_parse(buf_bytes(block), &cid, sha, commit, fault);
	sha256_free(&sha);
	return rc;
}

static void
expect_commit(enum fault_code want, struct commit_fields fields)
{
	struct buf block = BUF_INIT;
	struct commit commit;
	struct fault fault;

	fault_expect(want, parse_fields(&fields, &commit, &block, &fault), &fault);
	buf_clear(&block);
}

static void
commit_faults(void **state BF_UNUSED)
{
	struct commit_fields f;

	f = good_fields, f.padding = LIMIT_COMMIT_BYTES;
	expect_commit(FAULT_COMMIT_SIZE, f);
	f = good_fields, f.has_prev = false;
	expect_commit(FAULT_COMMIT_FIELD, f);
	f = good_fields, f.data = CID_RAW;
	expect_commit(FAULT_COMMIT_FIELD, f);
	f = good_fields, f.did = "plc";
	expect_commit(FAULT_COMMIT_FIELD, f);
	f = good_fields, f.version = 4;
	expect_commit(FAULT_COMMIT_VERSION, f);
	f = good_fields, f.rev = "2026-01-01";
	expect_commit(FAULT_COMMIT_REV, f);
}

static void
commit_check_faults(void **state BF_UNUSED)
{
	struct buf block = BUF_INIT, old = BUF_INIT;
	struct keypair *pair = maker_keypair(KEY_K256);
	struct key key = keypair_public(pair);
	struct commit_fields version2 = good_fields;
	struct commit_expect e = { .did = STR(MAKER_DID) };
	struct commit commit, commit2;
	struct fault fault;
	uint8_t high[KEY_SIG_BYTES];
	uint64_t tid;

	version2.version = 2;
	assert_int_equal(parse_fields(&version2, &commit2, &old, &fault), 0);
	fault_expect(FAULT_COMMIT_VERSION, commit_check(&commit2, &e, &fault), &fault);
	assert_int_equal(parse_fields(&good_fields, &commit, &block, &fault), 0);
	assert_int_equal(commit_check(&commit, &e, &fault), 0);
	e.did = STR("did:web:other.example");
	fault_expect(FAULT_COMMIT_DID, commit_check(&commit, &e, &fault), &fault);
	e.did = STR(MAKER_DID);

	/* On the tolerance itself, and a microsecond beyond it. */
	assert_int_equal(tid_parse(commit.rev, &tid), 0);
	e.now_us = tid_us(tid) - LIMIT_REV_AHEAD_US;
	assert_int_equal(commit_check(&commit, &e, &fault), 0);
	e.now_us--;
	fault_expect(FAULT_COMMIT_REV_FUTURE, commit_check(&commit, &e, &fault), &fault);
	e.now_us = 0;
	e.rev_known = commit.rev;
	assert_int_equal(commit_check(&commit, &e, &fault), 0);
	e.rev_known = STR("3zzzzzzzzzzzz");
	fault_expect(FAULT_COMMIT_REV_OLDER, commit_check(&commit, &e, &fault), &fault);
	e.rev_known = STR_NONE;

	e.key = &key;
	fault_expect(FAULT_SIG_WRONG, commit_check(&commit, &e, &fault), &fault);
	commit.sig.len = 63;
	fault_expect(FAULT_SIG_LENGTH, commit_check(&commit, &e, &fault), &fault);
	memset(high, 0x11, 32);
	memset(high + 32, 0xee, 32);
	commit.sig = (struct bytes){ high, sizeof(high) };
	fault_expect(FAULT_SIG_HIGH_S, commit_check(&commit, &e, &fault), &fault);
	keypair_free(&pair);
	buf_clear(&block);
	buf_clear(&old);
}

static void
expect_json(enum fault_code want, struct str json)
{
	struct buf block = BUF_INIT;
	struct fault fault;

	fault_expect(want, dagcbor_from_json(json, &block, &fault), &fault);
	buf_clear(&block);
}

static void
json_faults(void **state BF_UNUSED)
{
	char *big = xmalloc(LIMIT_JSON_RECORD_BYTES + 1);

	memset(big, ' ', LIMIT_JSON_RECORD_BYTES + 1);
	expect_json(FAULT_JSON_SIZE, (struct str){ big, LIMIT_JSON_RECORD_BYTES + 1 });
	free(big);
	expect_json(FAULT_JSON_SYNTAX, STR("{"));
	expect_json(FAULT_JSON_NOT_MAP, STR("7"));
	expect_json(FAULT_JSON_FLOAT, STR("{\"a\":0.5}"));
	expect_json(FAULT_JSON_LINK, STR("{\"a\":{\"$link\":7}}"));
	expect_json(FAULT_JSON_BYTES, STR("{\"a\":{\"$bytes\":7}}"));
	expect_json(FAULT_JSON_TYPE, STR("{\"$type\":7}"));
	expect_json(FAULT_JSON_BLOB, STR("{\"a\":{\"$type\":\"blob\",\"size\":1}}"));
}

static void
diff_faults(void **state BF_UNUSED)
{
	struct buf car = good_car(1);
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct commit_expect any = { .did = STR_NONE };
	struct repo *repo = repo_new(&options);
	struct repo_walk *walk;
	struct diff *diff;
	struct diff_change change;
	struct fault fault;
	struct cid cid = { { 0 } };

	assert_int_equal(repo_feed(repo, buf_bytes(&car), &fault), 0);
	assert_int_equal(repo_feed_end(repo, &fault), 0);
	assert_int_equal(repo_check_commit(repo, &any, &fault), 0);
	assert_int_equal(repo_check_tree(repo, SIZE_MAX, &fault), REPO_DONE);
	walk = repo_walk_new(repo, NULL);
	diff = diff_new(walk);
	assert_int_equal(diff_next(diff, &change, &fault), DIFF_NEED_ROW);
	assert_int_equal(diff_row(diff, STR("a"), &cid, &fault), 0);
	assert_int_equal(diff_next(diff, &change, &fault), DIFF_CHANGED);
	assert_int_equal(diff_next(diff, &change, &fault), DIFF_NEED_ROW);
	fault_expect(FAULT_DIFF_ORDER, diff_row(diff, STR("a"), &cid, &fault), &fault);
	diff_free(&diff);
	repo_walk_free(&walk);
	repo_free(&repo);
	buf_clear(&car);
}

static void
fault__is_told_with_its_kind_and_place(void **state BF_UNUSED)
{
	struct fault fault;
	struct err err;
	char text[FAULT_TEXT_SIZE];

	fault_set(&fault, FAULT_BLOCK_HASH, 48213);
	fault_format(&fault, text);
	assert_string_equal(text,
	    "BadBlock at byte 48213: CID does not match its content");
	fault_set_detail(&fault, FAULT_RECORD_MISSING, FAULT_NO_OFFSET, STR("a\n\x1b/b"));
	fault_format(&fault, text);
	assert_string_equal(text, "Incomplete: a record's block is absent (a\?\?/b)");
	assert_int_equal(fault_to_err(&fault, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, text);
	fault_set(&fault, FAULT_CAR_BYTES, 7);
	assert_int_equal(fault_to_err(&fault, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	fault_set(&fault, FAULT_CAR_IO, 7);
	assert_int_equal(fault_to_err(&fault, &err), -1);
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void
every_fault_was_produced(void **state BF_UNUSED)
{
	for (int code = FAULT_NONE + 1; code < FAULT_CODES; code++)
		if (!fault_produced[code])
			fail_msg("no test produces %s",
			    fault_symbol((enum fault_code)code));
}

static const struct CMUnitTest fault_tests[] = {
	cmocka_unit_test(framing_faults),
	cmocka_unit_test(content_faults),
	cmocka_unit_test(a_caller_cannot_raise_the_limits),
	cmocka_unit_test(dagcbor_faults),
	cmocka_unit_test(commit_faults),
	cmocka_unit_test(commit_check_faults),
	cmocka_unit_test(tree_faults),
	cmocka_unit_test(a_node_without_entries_and_subtree_is_refused_below_the_root),
	cmocka_unit_test(tree_limits),
	cmocka_unit_test(record_faults),
	cmocka_unit_test(frame_faults),
	cmocka_unit_test(frame_limits),
	cmocka_unit_test(proof_faults),
	cmocka_unit_test(a_proof_is_bounded),
	cmocka_unit_test(the_keys_of_a_proof_are_bounded),
	cmocka_unit_test(json_faults),
	cmocka_unit_test(diff_faults),
	cmocka_unit_test(fault__is_told_with_its_kind_and_place),
	cmocka_unit_test(every_fault_was_produced),
};

UNIT_MAIN(fault_tests)
