/*
 * A frame, proven twice; or, behind a 'T', keys and a tree node, which the hashes would
 * otherwise keep out of reach.
 */
#include "fuzz/fuzz.h"

#include "atproto/mst_edit.h"
#include "atproto/proof.h"

static int
prove(const struct firehose_event *event)
{
	struct fault fault;
	struct proof *proof = proof_read(event, &fault);
	int rc = -1;

	if (proof != NULL && event->type == FIREHOSE_COMMIT)
		rc = proof_check_ops(proof, &fault);
	proof_free(&proof);
	return rc;
}

static void
try_frame(struct bytes frame)
{
	struct firehose_event event;
	struct fault fault;

	if (firehose_read(frame, &event, &fault) < 0 ||
	    (event.type != FIREHOSE_COMMIT && event.type != FIREHOSE_SYNC))
		return;
	fuzz_require(prove(&event) == prove(&event));
}

/* Every CID is this block's: a tree that holds itself, over and over. */
static int
read_any(const struct cid *cid, struct bytes *block_out, struct fault *fault, void *arg)
{
	(void)cid;
	(void)fault;
	*block_out = *(struct bytes *)arg;
	return 1;
}

#define KEY_BYTES	16
#define KEYS		2

/* The keys to insert, then the node. */
static void
try_tree(struct bytes input)
{
	struct bytes node = { input.ptr + KEYS * KEY_BYTES, input.len - KEYS * KEY_BYTES };
	struct sha256 *sha = sha256_new();
	struct mst_edit *edit;
	struct cid before, after, value;
	struct fault fault;
	int rc = 0;

	cid_of(sha, CID_DAG_CBOR, node, &before);
	cid_of(sha, CID_DAG_CBOR, BYTES_NONE, &value);
	edit = mst_edit_new(sha, &before, 64, read_any, &node);
	for (size_t i = 0; i < KEYS && rc == 0; i++)
		rc = mst_edit_insert(edit, fuzz_text(input.ptr + i * KEY_BYTES, KEY_BYTES),
		    &value, &fault);
	for (size_t i = 0; i < KEYS && rc == 0; i++)
		rc = mst_edit_remove(edit, fuzz_text(input.ptr + i * KEY_BYTES, KEY_BYTES),
		    &value, &fault);
	/* What was put in and taken out again leaves no trace. */
	if (rc == 0 && mst_edit_root(edit, &after, &fault) == 0)
		fuzz_require(cid_eq(&before, &after));
	mst_edit_free(&edit);
	sha256_free(&sha);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 + KEYS * KEY_BYTES && data[0] == 'T')
		try_tree((struct bytes){ data + 1, size - 1 });
	else
		try_frame((struct bytes){ data, size });
	return 0;
}
