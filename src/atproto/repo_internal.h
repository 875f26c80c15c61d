/*
 * repo_internal.h - the inside of struct repo, for the files that make it up:
 * repo.c (arrival), repo_check.c (the tree), repo_walk.c (records).
 */
#ifndef BF_ATPROTO_REPO_INTERNAL_H
#define BF_ATPROTO_REPO_INTERNAL_H

#include "atproto/blocks.h"
#include "atproto/car.h"
#include "atproto/repo.h"
#include "atproto/sha256.h"
#include "atproto/spool.h"
#include "atproto/tree.h"

/* A record whose block is still to be looked up. */
struct repo_pending {
	uint64_t hash;			/* what the index knows it by */
	uint64_t offset;		/* of the tree's entry, in the CAR */
	uint8_t cid[CID_BYTES];
	size_t key_len;
	char key[LIMIT_MST_KEY_BYTES];
};

#define REPO_PENDING	32		/* a power of two */

enum repo_stage {
	REPO_FEEDING,
	REPO_FED,		/* the commit is read */
	REPO_CHECKING,		/* a part of the tree is checked */
	REPO_CHECKED,
};

struct repo {
	struct repo_options options;
	enum repo_stage stage;
	struct repo_stats stats;
	struct fault fault;		/* FAULT_NONE, or what every call fails with */
	struct car car;
	struct spool spool;
	struct blocks blocks;
	struct commit commit;		/* borrows from commit_block */
	struct tree tree;		/* while it is being checked */
	/* what repo_check_tree() keeps between leaves */
	uint8_t last_key[LIMIT_MST_KEY_BYTES];
	size_t last_key_len;
	size_t last_collection_len;	/* of last_key, known to be an NSID */
	struct repo_pending pending[REPO_PENDING];	/* the last ones: a ring */
	uint64_t n_pending;		/* put there so far */
	uint64_t n_settled;		/* of these: looked up */
	/* owned */
	struct sha256 *sha;
	struct buf commit_block;
	struct buf scratch;
};

/* Keep the fault that a call failed with.  Returns -1. */
int repo_failed(struct repo *repo, const struct fault *fault);

/*
 * The block behind a leaf, looked at as a record: 0 and either its bytes, with
 * *bad_out FAULT_NONE, or the reason in *bad_out and, whole, in fault; -1 if it is
 * absent or the spool fails.
 */
int repo_read_record(struct repo *repo, const struct tree_leaf *leaf,
    struct buf *scratch, struct bytes *bytes_out, enum fault_code *bad_out,
    struct fault *fault) BF_MUSTCHECK;

#endif
