/*
 * test_proof.c - what an event of the firehose proves: real events, the scenarios of
 * the reference relay's tests, and events that prove nothing.
 */
#include "t/unit/unit.h"

#include <endian.h>
#include <stdio.h>

#include "atproto/dagcbor_json.h"
#include "atproto/dagcbor_write.h"
#include "atproto/diddoc.h"
#include "atproto/proof.h"
#include "common/limits.h"
#include "t/unit/event_maker.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

#define DATA	"jetstream/internal/corpus/testdata/"
#define DID	"did:plc:k256testaaaaaaaaaaaaaaaa"

static void
must(int rc, const struct fault *fault)
{
	char text[FAULT_TEXT_SIZE];

	if (rc == 0)
		return;
	fault_format(fault, text);
	fail_msg("%s", text);
}

/* --- the real frames --- */

static struct key
key_of(const json_t *docs, struct str did)
{
	char *text, name[128];
	struct diddoc doc;
	struct err err;
	struct key key;

	assert_true(str_copy(name, sizeof(name), did));
	text = json_dumps(json_object_get(docs, name), 0);
	assert_non_null(text);
	assert_int_equal(diddoc_parse((struct bytes){ (const uint8_t *)text, strlen(text) }, did,
	    false, &doc, &err), 0);
	assert_true(doc.has_key);
	key = doc.key;
	diddoc_clear(&doc);
	free(text);
	return key;
}

/* The record as production Jetstream served it. */
static void
expect_record(struct proof *proof, const struct firehose_op *op, const json_t *want)
{
	struct str rkey = vectors_member(want, "rkey");
	struct buf json = BUF_INIT;
	json_t *got;
	struct bytes bytes;
	enum fault_code bad;
	struct fault fault;

	assert_true(str_eq(op->rkey, rkey));
	assert_true(str_eq(op->collection, vectors_member(want, "collection")));
	if (op->action == FIREHOSE_DELETE)
		return;
	must(proof_record(proof, op, &bytes, &bad, &fault), &fault);
	assert_int_equal(bad, FAULT_NONE);
	dagcbor_to_json(bytes, &json);
	got = json_loadb((const char *)buf_data(&json), buf_len(&json), 0, NULL);
	assert_true(json_equal(got, json_object_get(want, "record")));
	json_decref(got);
	buf_clear(&json);
}

struct real {
	json_t *docs;
	json_t *expected;		/* array of Jetstream's events */
	size_t commits, records;
};

/* Jetstream orders operations as the event has them, all of one commit together. */
static const json_t *
find_expected(const struct real *real, const struct firehose_event *event,
    const struct firehose_op *op)
{
	const json_t *line;
	size_t i;

	json_array_foreach(real->expected, i, line) {
		const json_t *commit = json_object_get(line, "commit");

		if (commit != NULL && str_eq(vectors_member(line, "did"), event->did) &&
		    str_eq(vectors_member(commit, "rev"), event->rev) &&
		    str_eq(vectors_member(commit, "rkey"), op->rkey))
			return commit;
	}
	fail_msg("no record is expected at %.*s", STR_FMT(op->path));
	return NULL;
}

static void
prove_real(struct real *real, const struct firehose_event *event)
{
	struct key key = key_of(real->docs, event->did);
	struct commit_expect expect = { .did = event->did, .key = &key };
	struct dagcbor at = event->ops;
	struct fault fault;
	struct proof *proof = proof_read(event, &fault);

	must(proof != NULL ? 0 : -1, &fault);
	must(proof_check_commit(proof, &expect, &fault), &fault);
	must(proof_check_ops(proof, &fault), &fault);
	for (size_t i = 0; i < event->op_count; i++) {
		struct firehose_op op;

		firehose_next_op(&at, &op);
		expect_record(proof, &op, find_expected(real, event, &op));
		real->records++;
	}
	proof_free(&proof);
	real->commits++;
}

static void
add_expected(struct str line, void *arg)
{
	struct real *real = arg;

	json_array_append_new(real->expected, json_loadb(line.ptr, line.len, 0, NULL));
}

static void
all_real_commits_prove_their_records(void **state BF_UNUSED)
{
	struct real real = { .commits = 0 };
	struct buf frames;

	vectors_need();
	frames = vectors_read(DATA "frames.bin");
	real.docs = vectors_json(DATA "did_docs.json");
	real.expected = json_array();
	vectors_lines(DATA "expected_v1.jsonl", add_expected, &real);
	while (buf_len(&frames) > 0) {
		struct firehose_event event;
		struct fault fault;
		uint32_t len;

		memcpy(&len, buf_data(&frames), sizeof(len));
		buf_consume(&frames, sizeof(len));
		must(firehose_read((struct bytes){ buf_data(&frames), le32toh(len) },
		    &event, &fault), &fault);
		if (event.type == FIREHOSE_COMMIT)
			prove_real(&real, &event);
		buf_consume(&frames, le32toh(len));
	}
	assert_int_equal(real.commits, 148);
	assert_int_equal(real.records, 150);
	json_decref(real.docs);
	json_decref(real.expected);
	buf_clear(&frames);
}

/* --- a scenario of the reference relay's tests: one account's life --- */

static void
event_from_json(const json_t *frame, struct buf *to)
{
	static const char *const parts[] = { "header", "body" };

	for (size_t i = 0; i < BF_ARRAY_LEN(parts); i++) {
		char *text = json_dumps(json_object_get(frame, parts[i]), 0);
		struct fault fault;

		must(dagcbor_from_json(str_from(text), to, &fault), &fault);
		free(text);
	}
}

static void
the_life_of_a_post_is_one_chain_of_proofs(void **state BF_UNUSED)
{
	json_t *scenario;
	const json_t *message;
	struct cid data = { { 0 } };
	size_t i;

	vectors_need();
	scenario = vectors_json("indigo/cmd/relay/testing/testdata/post_lifecycle.json");
	json_array_foreach(json_object_get(scenario, "messages"), i, message) {
		struct buf frame = BUF_INIT;
		struct firehose_event event;
		struct fault fault;
		struct proof *proof;

		event_from_json(json_object_get(message, "frame"), &frame);
		must(firehose_read(buf_bytes(&frame), &event, &fault), &fault);
		proof = proof_read(&event, &fault);
		must(proof != NULL ? 0 : -1, &fault);
		must(proof_check_ops(proof, &fault), &fault);
		/* Adding and taking away leads back to where it began. */
		if (i == 1)
			data = proof_commit(proof)->data;
		if (i == 3)
			assert_true(cid_eq(&data, &proof_commit(proof)->data));
		proof_free(&proof);
		buf_clear(&frame);
	}
	assert_int_equal(i, 6);
	json_decref(scenario);
}

/* --- a made account --- */

static struct bytes
record(struct buf *to, int64_t n)
{
	buf_reset(to);
	dagcbor_write_map(to, 1);
	dagcbor_write_text(to, STR("n"));
	dagcbor_write_int(to, n);
	return buf_bytes(to);
}

static int
prove(const struct event *event, const struct commit_expect *expect, struct fault *fault)
{
	struct buf frame = BUF_INIT;
	struct firehose_event read;
	struct proof *proof = NULL;
	int rc = -1;

	event_write(event, &frame);
	if (firehose_read(buf_bytes(&frame), &read, fault) == 0 &&
	    (proof = proof_read(&read, fault)) != NULL &&
	    proof_check_commit(proof, expect, fault) == 0)
		rc = read.type == FIREHOSE_COMMIT ? proof_check_ops(proof, fault) : 0;
	proof_free(&proof);
	buf_clear(&frame);
	return rc;
}

static void
a_commit_of_many_changes_is_proven(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct key key = keypair_public(maker->pair);
	struct commit_expect expect = { .did = STR(DID), .key = &key };
	struct buf bytes = BUF_INIT;
	struct event event;
	struct fault fault;
	char path[64];

	for (int i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof(path), "com.example.a/%03d", i);
		event_maker_put(maker, path, record(&bytes, i));
	}
	event = event_maker_commit(maker, 1, "3migo7fijwi2k");
	must(prove(&event, &expect, &fault), &fault);
	event_clear(&event);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof(path), "com.example.a/%03d", i);
		if (i % 3 == 0)
			event_maker_put(maker, path, record(&bytes, i + 1000));
		else if (i % 3 == 1)
			event_maker_delete(maker, path);
	}
	event = event_maker_commit(maker, 2, "3migo7fijwi3k");
	must(prove(&event, &expect, &fault), &fault);
	event_clear(&event);
	event = event_maker_sync(maker, 3);
	must(prove(&event, &expect, &fault), &fault);
	event_clear(&event);
	buf_clear(&bytes);
	event_maker_free(&maker);
}

static void
an_operation_that_is_kept_quiet_is_noticed(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct commit_expect expect = { .did = STR(DID) };
	struct buf bytes = BUF_INIT;
	struct event event;
	struct fault fault;

	event_maker_put(maker, "com.example.a/1", record(&bytes, 1));
	event_maker_put(maker, "com.example.a/2", record(&bytes, 2));
	event = event_maker_commit(maker, 1, "3migo7fijwi2k");
	event.n_ops = 1;
	assert_int_equal(prove(&event, &expect, &fault), -1);
	assert_int_equal(fault.code, FAULT_PROOF_ROOT);
	event.n_ops = 2;
	must(prove(&event, &expect, &fault), &fault);
	event_clear(&event);
	buf_clear(&bytes);
	event_maker_free(&maker);
}

static void
a_commit_by_another_key_is_refused(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct keypair *other = maker_keypair(KEY_P256);
	struct key key = keypair_public(other);
	struct commit_expect expect = { .did = STR(DID), .key = &key };
	struct event event = event_maker_commit(maker, 1, "3migo7fijwi2k");
	struct fault fault;

	assert_int_equal(prove(&event, &expect, &fault), -1);
	assert_int_equal(fault.code, FAULT_SIG_WRONG);
	event_clear(&event);
	keypair_free(&other);
	event_maker_free(&maker);
}

static const struct CMUnitTest proof_tests[] = {
	cmocka_unit_test(all_real_commits_prove_their_records),
	cmocka_unit_test(the_life_of_a_post_is_one_chain_of_proofs),
	cmocka_unit_test(a_commit_of_many_changes_is_proven),
	cmocka_unit_test(an_operation_that_is_kept_quiet_is_noticed),
	cmocka_unit_test(a_commit_by_another_key_is_refused),
};

UNIT_MAIN(proof_tests)
