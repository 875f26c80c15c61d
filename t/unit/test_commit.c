/*
 * test_commit.c - commits and CARs as others write them: their digests, signatures
 * and framing.
 */
#include "t/unit/unit.h"

#include "atproto/basex.h"
#include "atproto/car.h"
#include "atproto/dagcbor.h"
#include "atproto/diddoc.h"
#include "common/mem.h"
#include "t/unit/repo_rig.h"
#include "t/unit/vectors.h"

static void
commit__has_the_digest_and_signature_of_the_vectors(void **state BF_UNUSED)
{
	json_t *cases;
	const json_t *entry;
	size_t i, judged = 0;

	vectors_need();
	cases = vectors_json("derived/commit_signatures.json");
	json_array_foreach(cases, i, entry) {
		struct buf car = vectors_read(vectors_member(entry, "file").ptr);
		struct buf digest = vectors_hex(vectors_member(entry, "sha256_hex"));
		struct buf point = vectors_hex(vectors_member(entry,
		    "pubkey_compressed_hex"));
		struct str curve = vectors_member(entry, "curve");
		struct commit_expect expect = { .allow_version2 = true };
		struct fault fault;
		FILE *spill;
		struct repo *repo = repo_rig_new(&repo_ways[0], &spill);
		struct key key;

		assert_int_equal(repo_rig_feed(repo, buf_bytes(&car), SIZE_MAX, &fault),
		    0);
		assert_memory_equal(repo_commit(repo)->digest, buf_data(&digest),
		    SHA256_BYTES);
		if (curve.len > 0) {
			bool is_valid = json_is_true(json_object_get(entry,
			    "atproto_valid"));

			assert_int_equal(key_from_point(str_eq(curve, STR("secp256k1")) ?
			    KEY_K256 : KEY_P256, buf_bytes(&point), &key), 0);
			expect.key = &key;
			assert_int_equal(repo_check_commit(repo, &expect, &fault),
			    is_valid ? 0 : -1);
			judged++;
		}
		repo_free(&repo);
		buf_clear(&car);
		buf_clear(&digest);
		buf_clear(&point);
	}
	assert_true(judged >= 3);
	json_decref(cases);
}

/* Those that older servers wrote: only export and diff take them. */
static void
commit__f95_of_version_2_is_refused_where_it_is_not_asked_for(void **state BF_UNUSED)
{
	json_t *cases;
	const json_t *entry;
	size_t i, old = 0;

	vectors_need();
	cases = vectors_json("derived/commit_signatures.json");
	json_array_foreach(cases, i, entry) {
		struct buf car = vectors_read(vectors_member(entry, "file").ptr);
		struct commit_expect expect = { .allow_version2 = true };
		struct fault fault;
		FILE *spill;
		struct repo *repo = repo_rig_new(&repo_ways[0], &spill);

		assert_int_equal(repo_rig_feed(repo, buf_bytes(&car), SIZE_MAX, &fault),
		    0);
		if (repo_commit(repo)->version == 2) {
			assert_int_equal(repo_check_commit(repo, &expect, &fault), 0);
			expect.allow_version2 = false;
			assert_int_equal(repo_check_commit(repo, &expect, &fault), -1);
			assert_int_equal(fault.code, FAULT_COMMIT_VERSION);
			old++;
		}
		repo_free(&repo);
		buf_clear(&car);
	}
	assert_true(old > 0);
	json_decref(cases);
}

/* The commit block of a CAR that is not a whole repository. */
static void
check_firehose_commit(struct bytes car_bytes, const json_t *docs, struct sha256 *sha)
{
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	struct commit commit;
	enum car_step step;
	bool found = false;

	while ((step = car_next(&car, (struct bytes){ car_bytes.ptr + car.offset,
	    car_bytes.len - (size_t)car.offset }, &block, &fault)) > CAR_MORE)
		if (step == CAR_BLOCK && memcmp(block.cid.ptr, car.root.bytes,
		    CID_BYTES) == 0) {
			assert_int_equal(commit_parse(block.data, &car.root, sha, &commit,
			    &fault), 0);
			found = true;
		}
	assert_int_equal(step, CAR_MORE);
	assert_int_equal(car_end(&car, car_bytes.len - car.offset, &fault), 0);
	assert_true(found);

	char *did = xstrndup(commit.did.ptr, commit.did.len);
	const json_t *doc_json = json_object_get(docs, did);
	char *text = json_is_string(doc_json) ? xstrdup(json_string_value(doc_json)) :
	    json_dumps(doc_json, 0);
	struct diddoc doc;
	struct err err;

	assert_int_equal(diddoc_parse((struct bytes){ (uint8_t *)text, strlen(text) },
	    str_from(did), false, &doc, &err), 0);
	assert_int_equal(commit_check(&commit, &(struct commit_expect){
	    .did = str_from(did), .key = &doc.key }, &fault), 0);
	diddoc_clear(&doc);
	free(text);
	free(did);
}

static void
commit__of_real_firehose_frames_is_signed_by_its_account(void **state BF_UNUSED)
{
	static const uint8_t head[] = "\xa2\x61t\x67#commit\x62op\x01";
	size_t head_len = sizeof(head) - 1, commits = 0;
	struct sha256 *sha;
	struct buf frames;
	json_t *docs;

	vectors_need();
	sha = sha256_new();
	frames = vectors_read("jetstream/internal/corpus/testdata/frames.bin");
	docs = vectors_json("jetstream/internal/corpus/testdata/did_docs.json");
	while (buf_len(&frames) > 4) {
		const uint8_t *at = buf_data(&frames);
		size_t len = at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16;
		struct bytes body = { at + 4 + head_len, len - head_len };
		struct dagcbor_item blocks;
		struct fault fault;

		if (memcmp(at + 4, head, head_len) == 0) {
			assert_int_equal(dagcbor_check(body, &fault), 0);
			assert_true(dagcbor_find_item(dagcbor_read(body), STR("blocks"),
			    DAGCBOR_BYTES, &blocks));
			check_firehose_commit(blocks.bytes, docs, sha);
			commits++;
		}
		buf_consume(&frames, 4 + len);
	}
	assert_int_equal(commits, 148);
	json_decref(docs);
	buf_clear(&frames);
	sha256_free(&sha);
}

static void
car__is_written_as_the_reference_writes_it(void **state BF_UNUSED)
{
	json_t *fixtures;
	const json_t *fixture, *entry;
	size_t i, b;

	vectors_need();
	fixtures = vectors_json("atproto/packages/repo/tests/car-file-fixtures.json");
	json_array_foreach(fixtures, i, fixture) {
		struct buf want = BUF_INIT, got = BUF_INIT;
		struct cid cid;

		assert_int_equal(base64_decode(vectors_member(fixture, "car"), &want), 0);
		assert_int_equal(cid_parse(vectors_member(fixture, "root"), &cid), 0);
		car_write_header(&got, &cid);
		json_array_foreach(json_object_get(fixture, "blocks"), b, entry) {
			struct buf data = BUF_INIT;

			assert_int_equal(base64_decode(vectors_member(entry, "bytes"),
			    &data), 0);
			assert_int_equal(cid_parse(vectors_member(entry, "cid"), &cid),
			    0);
			car_write_block(&got, &cid, buf_bytes(&data));
			buf_clear(&data);
		}
		assert_true(bytes_eq(buf_bytes(&want), buf_bytes(&got)));
		buf_clear(&want);
		buf_clear(&got);
	}
	assert_true(i > 0);
	json_decref(fixtures);
}

static void
car__with_cids_of_other_kinds_is_framed(void **state BF_UNUSED)
{
	struct buf bytes;
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	enum car_step step;
	size_t n = 0, foreign = 0;

	vectors_need();
	bytes = vectors_read("ipld/specs/transport/car/fixture/carv1-basic/carv1-basic.car");
	while ((step = car_next(&car, (struct bytes){ buf_data(&bytes) + car.offset,
	    buf_len(&bytes) - (size_t)car.offset }, &block, &fault)) > CAR_MORE) {
		if (step != CAR_BLOCK)
			continue;
		n++;
		foreign += block.cid.len != CID_BYTES;
	}
	assert_int_equal(step, CAR_MORE);
	assert_int_equal(n, 8);
	assert_true(foreign > 0);
	buf_clear(&bytes);
}

static const struct CMUnitTest commit_tests[] = {
	cmocka_unit_test(commit__has_the_digest_and_signature_of_the_vectors),
	cmocka_unit_test(commit__f95_of_version_2_is_refused_where_it_is_not_asked_for),
	cmocka_unit_test(commit__of_real_firehose_frames_is_signed_by_its_account),
	cmocka_unit_test(car__is_written_as_the_reference_writes_it),
	cmocka_unit_test(car__with_cids_of_other_kinds_is_framed),
};

UNIT_MAIN(commit_tests)
