/*
 * proof.h - does an event of the firehose prove what it says? (spec: Sync, "Commit
 * Validation", Sync v1.1)
 *
 * A #commit brings its commit, the records that it wrote, and so much of the tree
 * that its operations can be undone.  Undoing them has to give the root of the tree
 * before, prevData.  Who knows that the repository stood at prevData, and that tree
 * to be right, then knows the same of the new one, with nothing but these
 * operations between them.
 *
 * A #sync brings its commit alone: where the repository stands.
 *
 *	proof = proof_read(&event, &fault)
 *	proof_check_commit(proof, &expect, &fault)	again with a fresh key if need be
 *	proof_check_ops(proof, &fault)			of a #commit
 *	proof_record(proof, &op, ...)			for each wanted operation
 *	proof_free(&proof)
 *
 * Pure; whether the repository did stand at prevData is the caller's to compare.
 */
#ifndef BF_ATPROTO_PROOF_H
#define BF_ATPROTO_PROOF_H

#include "atproto/commit.h"
#include "atproto/fault.h"
#include "atproto/firehose.h"
#include "common/attr.h"

struct proof;

/*
 * Take in the blocks: each is hashed and compared with its CID.  The commit must be
 * the CAR's root, and event->commit, its account and revision those of the event:
 * else FAULT_PROOF_COMMIT.  The event, and the frame under it, are borrowed for the
 * life of the proof.  NULL on failure.
 */
struct proof *proof_read(const struct firehose_event *event, struct fault *fault);
void proof_free(struct proof **proof);

/* Borrowed from proof; not verified before proof_check_commit(). */
const struct commit *proof_commit(const struct proof *proof);

/* commit_check(); a failure is not held against the proof. */
int proof_check_commit(struct proof *proof, const struct commit_expect *expect,
    struct fault *fault) BF_MUSTCHECK;

/*
 * Undo the operations.  FAULT_PROOF_NO_PREV: an old host left out what this takes,
 * so nothing is shown either way.  FAULT_PROOF_*, FAULT_NODE_*, FAULT_KEY_* else.
 */
int proof_check_ops(struct proof *proof, struct fault *fault) BF_MUSTCHECK;

/*
 * The record that a create or update wrote: its bytes, which are canonical and a
 * map and last until the next call, or why it must not be used in *bad_out (then
 * fault tells the whole reason).  -1 if its block is absent: FAULT_RECORD_MISSING.
 */
int proof_record(struct proof *proof, const struct firehose_op *op,
    struct bytes *bytes_out, enum fault_code *bad_out, struct fault *fault)
    BF_MUSTCHECK;

#endif
