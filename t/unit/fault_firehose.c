/*
 * fault_firehose.c - of test_fault: what is refused of a firehose.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/dagcbor_write.h"
#include "atproto/mst_build.h"
#include "atproto/mst_edit.h"
#include "atproto/proof.h"
#include "common/limits.h"
#include "common/mem.h"
#include "t/unit/event_maker.h"
#include "t/unit/fault_expect.h"

#define DID	"did:plc:k256testaaaaaaaaaaaaaaaa"
#define REV	"3migo7fijwi2k"

static struct bytes
record(const char *literal)
{
	return (struct bytes){ (const uint8_t *)literal, strlen(literal) };
}

/* Read the event, and prove it if it is a commit. */
static int
prove(const struct event *event, struct fault *fault)
{
	struct buf frame = BUF_INIT;
	struct firehose_event read;
	struct proof *proof = NULL;
	int rc;

	event_write(event, &frame);
	rc = firehose_read(buf_bytes(&frame), &read, fault);
	if (rc == 0 && read.type == FIREHOSE_COMMIT) {
		proof = proof_read(&read, fault);
		rc = proof != NULL ? proof_check_ops(proof, fault) : -1;
	}
	proof_free(&proof);
	buf_clear(&frame);
	return rc;
}

static void
expect_event(enum fault_code want, const struct event *event)
{
	struct fault fault;

	fault_expect(want, prove(event, &fault), &fault);
}

static void
expect_frame(enum fault_code want, struct bytes frame)
{
	struct firehose_event event;
	struct fault fault;

	fault_expect(want, firehose_read(frame, &event, &fault), &fault);
}

/* An event with one create, one update and one delete. */
static struct event
good_event(struct event_maker *maker)
{
	struct event event;

	event_maker_put(maker, "com.example.a/old", record("\xa0"));
	event_maker_put(maker, "com.example.a/same", record("\xa0"));
	event = event_maker_commit(maker, 6, "3migo7fijwi22");
	event_clear(&event);
	event_maker_put(maker, "com.example.a/new", record("\xa0"));
	event_maker_put(maker, "com.example.a/same", record("\xa1\x61" "a\x01"));
	event_maker_delete(maker, "com.example.a/old");
	return event_maker_commit(maker, 7, REV);
}

static void
field_faults(struct event event)
{
	static const int64_t bad_seqs[] = { 0, -1, FIREHOSE_SEQ_MAX + 1 };
	struct event bad;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad_seqs); i++) {
		bad = event;
		bad.seq = bad_seqs[i];
		expect_event(FAULT_FRAME_SEQ, &bad);
	}
	bad = event;
	bad.did = "did:plc";
	expect_event(FAULT_FRAME_FIELD, &bad);
	bad = event;
	bad.did = NULL;
	expect_event(FAULT_FRAME_FIELD, &bad);
	bad = event;
	bad.rev = "3migo7fijwi0k";
	expect_event(FAULT_FRAME_FIELD, &bad);
	bad = event;
	bad.time = "yesterday";
	expect_event(FAULT_FRAME_FIELD, &bad);
	bad = event;
	bad.commit.bytes[1] = CID_RAW;
	expect_event(FAULT_FRAME_FIELD, &bad);
	bad = event;
	bad.t = "#account";
	bad.did = NULL;
	expect_event(FAULT_FRAME_FIELD, &bad);
}

static void
op_faults(struct event event)
{
	struct event bad = event;

	bad.ops[0].action = "replace";
	expect_event(FAULT_FRAME_OP, &bad);
	bad = event;
	(void)strcpy(bad.ops[0].path, "com.example.a/../b");
	expect_event(FAULT_FRAME_OP, &bad);
	bad = event;
	bad.ops[0].has_cid = false;		/* a create */
	expect_event(FAULT_FRAME_OP, &bad);
	bad = event;
	bad.ops[2].has_cid = true;		/* a delete */
	bad.ops[2].cid = bad.ops[2].prev;
	expect_event(FAULT_FRAME_OP, &bad);
	bad = event;
	bad.ops[0].has_prev = true;		/* a create */
	bad.ops[0].prev = bad.ops[0].cid;
	expect_event(FAULT_FRAME_OP, &bad);
	bad = event;
	bad.ops[0].cid.bytes[0] = 2;
	expect_event(FAULT_CBOR_LINK, &bad);
}

void
frame_faults(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct event event = good_event(maker);

	expect_frame(FAULT_CBOR_TRUNCATED, BYTES_NONE);
	expect_frame(FAULT_FRAME_HEADER, record("\xa1\x62op\x61x\xa0"));
	expect_frame(FAULT_FRAME_HEADER, record("\xa1\x62op\x01\xa0"));
	expect_frame(FAULT_FRAME_HEADER, record("\x01\x01"));
	expect_frame(FAULT_CBOR_TRUNCATED, record("\xa1\x62op\x20"));
	expect_frame(FAULT_CBOR_TRAILING, record("\xa1\x62op\x03\xa0\xa0"));
	expect_frame(FAULT_FRAME_FIELD, record("\xa1\x62op\x20\xa0"));
	expect_frame(FAULT_FRAME_FIELD, record("\xa1\x62op\x20\x01"));
	field_faults(event);
	op_faults(event);
	event_clear(&event);
	event_maker_free(&maker);
}

void
frame_limits(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct event event = good_event(maker), bad = event;
	uint8_t *big = xcalloc(1, LIMIT_FRAME_BYTES + 1);
	struct buf frame = BUF_INIT;

	expect_frame(FAULT_FRAME_SIZE, (struct bytes){ big, LIMIT_FRAME_BYTES + 1 });
	dagcbor_write_map(&frame, 2);
	dagcbor_write_text(&frame, STR("t"));
	dagcbor_write_text(&frame, (struct str){ (char *)big, LIMIT_FRAME_HEADER_BYTES });
	dagcbor_write_text(&frame, STR("op"));
	dagcbor_write_int(&frame, 1);
	dagcbor_write_map(&frame, 0);
	expect_frame(FAULT_FRAME_HEADER, buf_bytes(&frame));
	bad.blocks = BUF_INIT;
	buf_add(&bad.blocks, big, LIMIT_EVENT_BLOCKS_BYTES + 1);
	expect_event(FAULT_FRAME_BLOCKS, &bad);
	buf_clear(&bad.blocks);
	bad = event;
	for (bad.n_ops = 0; bad.n_ops <= LIMIT_EVENT_OPS; bad.n_ops++)
		bad.ops[bad.n_ops] = event.ops[0];
	expect_event(FAULT_FRAME_OPS, &bad);
	bad.n_ops = LIMIT_EVENT_OPS;
	expect_event(FAULT_PROOF_OP_TWICE, &bad);
	free(big);
	buf_clear(&frame);
	event_clear(&event);
	event_maker_free(&maker);
}

void
proof_faults(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct event event = good_event(maker), bad = event;
	struct fault fault;

	assert_int_equal(prove(&event, &fault), 0);
	bad.did = "did:plc:p256testaaaaaaaaaaaaaaaa";
	expect_event(FAULT_PROOF_COMMIT, &bad);
	bad = event;
	bad.rev = "3migo7fijwi33";
	expect_event(FAULT_PROOF_COMMIT, &bad);
	bad = event;
	bad.commit = bad.prev_data;
	expect_event(FAULT_PROOF_COMMIT, &bad);
	bad = event;
	bad.has_prev_data = false;
	expect_event(FAULT_PROOF_NO_PREV, &bad);
	bad = event;
	bad.ops[2].has_prev = false;
	expect_event(FAULT_PROOF_NO_PREV, &bad);
	bad = event;
	bad.ops[0].cid = bad.ops[1].cid;
	expect_event(FAULT_PROOF_VALUE, &bad);
	bad = event;
	(void)strcpy(bad.ops[0].path, "com.example.a/other");
	expect_event(FAULT_PROOF_VALUE, &bad);
	bad = event;
	bad.prev_data = bad.commit;
	expect_event(FAULT_PROOF_ROOT, &bad);
	bad = event;
	bad.ops[2].prev = bad.ops[1].cid;
	expect_event(FAULT_PROOF_ROOT, &bad);
	event_clear(&event);
	event_maker_free(&maker);
}

void
a_proof_is_bounded(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct node_set nodes = { .n = 0 };
	struct mst_edit *edit;
	struct event event;
	struct fault fault;
	struct cid root;
	char path[64];

	for (int i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof(path), "com.example.a/%03d", i);
		event_maker_put(maker, path, record("\xa0"));
	}
	event = event_maker_commit(maker, 7, REV);
	(void)node_set_add_car(&nodes, buf_bytes(&event.blocks));
	edit = mst_edit_new(maker->sha, &maker->data, 1, node_set_read, &nodes);
	fault_expect(FAULT_PROOF_SIZE, mst_edit_remove(edit, STR("com.example.a/007"),
	    &event.ops[7].cid, &fault), &fault);
	mst_edit_free(&edit);
	root = event.commit;		/* a block, but no node */
	edit = mst_edit_new(maker->sha, &root, 9, node_set_read, &nodes);
	fault_expect(FAULT_NODE_FIELDS, mst_edit_remove(edit, STR("com.example.a/007"),
	    &maker->data, &fault), &fault);
	mst_edit_free(&edit);
	node_set_clear(&nodes);
	event_clear(&event);
	event_maker_free(&maker);
}

#define LONG_KEYS	(LIMIT_PROOF_KEY_BYTES / 500)

static void
long_key(int i, char key_out[600])
{
	(void)snprintf(key_out, 600, "com.example.a/%0490d%06d", 0, i);
}

/* Nodes hide how long their keys are: what they unfold to is bounded. */
void
the_keys_of_a_proof_are_bounded(void **state BF_UNUSED)
{
	struct sha256 *sha = sha256_new();
	struct node_set nodes = { .n = 0 };
	struct mst_build *build = mst_build_new(sha, node_set_add, &nodes);
	struct mst_edit *edit;
	struct cid root, value;
	struct fault fault;
	char key[600];
	int rc = 0;

	cid_of(sha, CID_DAG_CBOR, record("\xa0"), &value);
	for (int i = 0; i < LONG_KEYS; i++) {
		long_key(i, key);
		mst_build_add(build, str_from(key), &value);
	}
	mst_build_end(build, &root);
	edit = mst_edit_new(sha, &root, nodes.n, node_set_read, &nodes);
	for (int i = 0; i < LONG_KEYS && rc == 0; i++) {
		long_key(i, key);
		rc = mst_edit_replace(edit, str_from(key), &value, &value, &fault);
	}
	fault_expect(FAULT_PROOF_SIZE, rc, &fault);
	mst_edit_free(&edit);
	mst_build_free(&build);
	node_set_clear(&nodes);
	sha256_free(&sha);
}
