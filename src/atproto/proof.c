#include "atproto/proof.h"

#include <assert.h>
#include <stdlib.h>

#include "atproto/mst_edit.h"
#include "atproto/repo_internal.h"
#include "common/limits.h"
#include "common/mem.h"

struct proof {
	const struct firehose_event *event;	/* borrowed */
	/* owned */
	struct repo *repo;		/* holds the blocks; its tree is never walked */
	struct firehose_op *ops;	/* by path */
	struct buf scratch;
};

static int
check_event(const struct proof *proof, struct fault *fault)
{
	const struct firehose_event *event = proof->event;
	const struct commit *commit = repo_commit(proof->repo);

	if (event->type == FIREHOSE_COMMIT && !cid_eq(&commit->cid, &event->commit))
		return fault_set_detail(fault, FAULT_PROOF_COMMIT, FAULT_NO_OFFSET,
		    STR("commit"));
	if (!str_eq(commit->did, event->did))
		return fault_set_detail(fault, FAULT_PROOF_COMMIT, FAULT_NO_OFFSET,
		    commit->did);
	if (!str_eq(commit->rev, event->rev))
		return fault_set_detail(fault, FAULT_PROOF_COMMIT, FAULT_NO_OFFSET,
		    commit->rev);
	return 0;
}

struct proof *
proof_read(const struct firehose_event *event, struct fault *fault)
{
	/* The memory is taken as it is needed: most events are of some kilobytes. */
	struct repo_options options = {
		.memory_bytes = LIMIT_EVENT_BLOCKS_BYTES, .spill_fd = -1,
		.max_bytes = LIMIT_EVENT_BLOCKS_BYTES,
		.max_blocks = LIMIT_EVENT_BLOCKS_BYTES / CID_BYTES,
	};
	struct proof *proof = xcalloc(1, sizeof(*proof));

	assert(event->type == FIREHOSE_COMMIT || event->type == FIREHOSE_SYNC);
	proof->event = event;
	proof->repo = repo_new(&options);
	if (repo_feed(proof->repo, event->blocks, fault) < 0 ||
	    repo_feed_end(proof->repo, fault) < 0 || check_event(proof, fault) < 0)
		proof_free(&proof);
	return proof;
}

void
proof_free(struct proof **proof)
{
	if (*proof == NULL)
		return;
	repo_free(&(*proof)->repo);
	free((*proof)->ops);
	buf_clear(&(*proof)->scratch);
	free(*proof);
	*proof = NULL;
}

const struct commit *
proof_commit(const struct proof *proof)
{
	return repo_commit(proof->repo);
}

int
proof_check_commit(struct proof *proof, const struct commit_expect *expect,
    struct fault *fault)
{
	return repo_check_commit(proof->repo, expect, fault);
}

/* --- the operations --- */

static int
op_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct firehose_op *)a)->path,
	    ((const struct firehose_op *)b)->path);
}

static int
sort_ops(struct proof *proof, struct fault *fault)
{
	const struct firehose_event *event = proof->event;
	struct dagcbor at = event->ops;

	free(proof->ops);
	proof->ops = xcalloc(event->op_count + 1, sizeof(*proof->ops));
	for (uint64_t i = 0; i < event->op_count; i++)
		firehose_next_op(&at, &proof->ops[i]);
	qsort(proof->ops, event->op_count, sizeof(*proof->ops), op_cmp);
	for (uint64_t i = 0; i < event->op_count; i++) {
		const struct firehose_op *op = &proof->ops[i];

		if (i > 0 && str_eq(op->path, proof->ops[i - 1].path))
			return fault_set_detail(fault, FAULT_PROOF_OP_TWICE,
			    FAULT_NO_OFFSET, op->path);
		if (op->action != FIREHOSE_CREATE && !op->has_prev)
			return fault_set_detail(fault, FAULT_PROOF_NO_PREV,
			    FAULT_NO_OFFSET, op->path);
	}
	return 0;
}

static int
read_node(const struct cid *cid, struct bytes *block_out, struct fault *fault, void *arg)
{
	struct proof *proof = arg;
	struct block block;
	int rc = blocks_find(&proof->repo->blocks, &proof->repo->spool, cid->bytes,
	    &proof->scratch, &block, fault);

	if (rc <= 0)
		return rc;
	return spool_read(&proof->repo->spool, block.data_offset, block.len,
	    &proof->scratch, block_out, fault) < 0 ? -1 : 1;
}

static int
undo(struct mst_edit *edit, const struct firehose_op *op, struct fault *fault)
{
	switch (op->action) {
	case FIREHOSE_CREATE:
		return mst_edit_remove(edit, op->path, &op->cid, fault);
	case FIREHOSE_UPDATE:
		return mst_edit_replace(edit, op->path, &op->cid, &op->prev, fault);
	case FIREHOSE_DELETE:
		return mst_edit_insert(edit, op->path, &op->prev, fault);
	}
	return -1;
}

/* Deletes first: the order decides which nodes are needed, and hosts send those that
 * this order takes. */
static int
undo_all(struct proof *proof, struct mst_edit *edit, struct fault *fault)
{
	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t i = 0; i < proof->event->op_count; i++) {
			const struct firehose_op *op = &proof->ops[i];

			if ((op->action == FIREHOSE_DELETE) == (pass == 0) &&
			    undo(edit, op, fault) < 0)
				return -1;
		}
	}
	return 0;
}

int
proof_check_ops(struct proof *proof, struct fault *fault)
{
	const struct firehose_event *event = proof->event;
	struct mst_edit *edit;
	struct cid root;
	int rc = -1;

	assert(event->type == FIREHOSE_COMMIT);
	if (!event->has_prev_data)
		return fault_set_detail(fault, FAULT_PROOF_NO_PREV, FAULT_NO_OFFSET,
		    STR("prevData"));
	if (sort_ops(proof, fault) < 0)
		return -1;
	/* In a right tree every node stands once. */
	edit = mst_edit_new(proof->repo->sha, &proof_commit(proof)->data,
	    proof->repo->blocks.n, read_node, proof);
	if (undo_all(proof, edit, fault) < 0 || mst_edit_root(edit, &root, fault) < 0)
		goto out;
	if (!cid_eq(&root, &event->prev_data)) {
		fault_set(fault, FAULT_PROOF_ROOT, FAULT_NO_OFFSET);
		goto out;
	}
	rc = 0;
out:
	mst_edit_free(&edit);
	return rc;
}

int
proof_record(struct proof *proof, const struct firehose_op *op,
    struct bytes *bytes_out, enum fault_code *bad_out, struct fault *fault)
{
	struct tree_leaf leaf = {
		.key = op->path, .value = { op->cid.bytes, CID_BYTES },
	};

	return repo_read_record(proof->repo, &leaf, &proof->scratch, bytes_out, bad_out,
	    fault);
}
