/*
 * repo.h - a repository: from a CAR's bytes as they arrive to verified records
 * in the order of their keys.  The front door of this library.
 *
 * The order of calls:
 *
 *	repo = repo_new(&options);
 *	repo_feed(repo, piece, &fault)  for each piece of the body, of any size
 *	repo_feed_end(repo, &fault)     when the transport says it is complete
 *	repo_check_commit(repo, &expect, &fault)     again with a fresh key if need be
 *	repo_check_tree(repo, nodes, &fault)         until it says REPO_DONE
 *	repo_walk_new(repo, filter), repo_walk_next(), ...   as often as wanted
 *	repo_free(&repo);
 *
 * Each call does a bounded piece of work and returns, so a program with an event
 * loop stays in charge; a walk can be left standing for as long as one likes.
 * Nothing here waits, reads a clock, logs, or touches the network.  The commit may
 * be checked before or after the tree; any other order of calls is a bug of the
 * caller and asserts.
 *
 * A fault of the repository is fatal to it: the call fails, every later one fails
 * with the same fault, and nothing of it may be used.  A fault of one record
 * (its bytes are not canonical DAG-CBOR, ...) is told with that record by the
 * walk; the others are good.
 *
 * Memory: blocks are kept as they came, in memory up to options.memory_bytes and
 * then, all of them, in the spill file; beside that 12 to 15 bytes for each block and
 * room for one block of the largest size.
 */
#ifndef BF_ATPROTO_REPO_H
#define BF_ATPROTO_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/commit.h"
#include "atproto/fault.h"
#include "atproto/filter.h"
#include "common/attr.h"
#include "common/limits.h"
#include "common/str.h"

struct repo;
struct repo_walk;

struct repo_options {
	size_t memory_bytes;	/* blocks in memory before they go to the spill file */
	int spill_fd;		/* borrowed: an empty file, open for reading and writing,
				 * that nobody else uses; -1: none, and FAULT_CAR_MEMORY
				 * over memory_bytes */
	bool spill_has_car;	/* spill_fd is a file that already holds the very bytes
				 * that are fed: they are read from there again, and
				 * nothing is written.  It must not change meanwhile */
	uint64_t max_bytes;	/* of the CAR; at most LIMIT_CAR_BYTES */
	uint64_t max_blocks;	/* duplicates count; at most LIMIT_CAR_BLOCKS */
};

#define REPO_OPTIONS_DEFAULT	((struct repo_options){		\
	.memory_bytes = 16 * 1024 * 1024,			\
	.spill_fd = -1,						\
	.max_bytes = LIMIT_CAR_BYTES,				\
	.max_blocks = LIMIT_CAR_BLOCKS,				\
})

struct repo *repo_new(const struct repo_options *options);
void repo_free(struct repo **repo);	/* after its walks; spill_fd stays open */

/*
 * Take the next bytes, which need not outlive the call.  Every block is hashed and
 * compared with its CID here, and checked as DAG-CBOR.  Blocks may come in any
 * order, more than once, and without being linked from anywhere.
 */
int repo_feed(struct repo *repo, struct bytes piece, struct fault *fault) BF_MUSTCHECK;

/* The body is complete.  Finds and reads the commit. */
int repo_feed_end(struct repo *repo, struct fault *fault) BF_MUSTCHECK;

/* After repo_feed_end(); borrowed from repo.  Not verified before
 * repo_check_commit() has passed. */
const struct commit *repo_commit(const struct repo *repo);

/*
 * commit_check() on the repository's commit.  A failure here is not held against
 * the repository: call again with another expectation, e.g. after a fresh look at
 * the DID document.
 */
int repo_check_commit(struct repo *repo, const struct commit_expect *expect,
    struct fault *fault) BF_MUSTCHECK;

enum repo_step {
	REPO_FAILED = -1,	/* fault is set */
	REPO_DONE = 0,
	REPO_AGAIN = 1,		/* the budget is used up; call again */
};

/*
 * Check the whole tree, some nodes at a time: node form, key order, syntax, layers
 * and prefixes, and that every node and every record is there.  10,000 nodes, with
 * some 40,000 records, take about 10 ms.
 */
enum repo_step repo_check_tree(struct repo *repo, size_t nodes, struct fault *fault)
    BF_MUSTCHECK;

struct repo_stats {
	uint64_t bytes;			/* taken so far */
	uint64_t blocks;		/* in the CAR, with duplicates */
	uint64_t spilled_bytes;		/* in the spill file */
	/* known after repo_check_tree() */
	uint64_t nodes;
	uint64_t records;		/* keys in the tree */
	uint64_t records_bad;		/* of these: with a fault of their own */
};

struct repo_stats repo_stats(const struct repo *repo);

/*
 * What a walk finds at one key.  Slices are good until the next call on the walk
 * or the repository.
 */
struct repo_record {
	struct str path;		/* "COLLECTION/RKEY" */
	struct str collection, rkey;	/* its parts */
	struct cid cid;
	struct bytes bytes;		/* canonical DAG-CBOR, a map; empty if bad */
	enum fault_code bad;		/* FAULT_NONE, or why not to use it: see
					 * repo_walk_fault() */
};

/*
 * Walk a repository whose tree was checked, in bytewise order of the paths.  The
 * filter is borrowed for the life of the walk; NULL is everything.  Several walks
 * may stand at once.
 */
struct repo_walk *repo_walk_new(struct repo *repo, const struct filter *filter);
void repo_walk_free(struct repo_walk **walk);

/* 1 and a record, 0 at the end, -1 if the spill file fails or no longer holds what was
 * written. */
int repo_walk_next(struct repo_walk *walk, struct repo_record *record_out,
    struct fault *fault) BF_MUSTCHECK;

/* The whole reason why the record that was returned last is bad, with its place. */
struct fault repo_walk_fault(const struct repo_walk *walk);

/* Nodes read so far: shows what a filter saves. */
uint64_t repo_walk_nodes(const struct repo_walk *walk);

#endif
