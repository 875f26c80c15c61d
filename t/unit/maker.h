/*
 * maker.h - makes signed repositories for tests and benchmarks.
 *
 * Everything is a function of its arguments: the same seed gives the same CAR.
 */
#ifndef BF_T_UNIT_MAKER_H
#define BF_T_UNIT_MAKER_H

#include <stddef.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/keypair.h"
#include "common/buf.h"
#include "common/str.h"

#define MAKER_DID	"did:plc:bench234567abcdefghijklm"
#define MAKER_REV	"3migo7fijwi2k"

enum maker_order {
	MAKER_TREE_ORDER,	/* commit, then nodes and records as they were made */
	MAKER_CID_ORDER,	/* by CID, descending: as the reference PDS sends them */
};

struct maker;

struct maker *maker_new(void);
void maker_free(struct maker **maker);

/* Paths ascend.  The record's bytes are taken as they are, good or bad. */
void maker_add(struct maker *maker, struct str path, struct bytes record);

/* Instead of a record: an entry whose value is this CID. */
void maker_add_link(struct maker *maker, struct str path, const struct cid *cid);

/* A block that nothing links to. */
void maker_add_block(struct maker *maker, struct bytes block);

/* Add n records as real accounts have them: likes, posts, follows, ... */
void maker_add_samples(struct maker *maker, size_t n, uint64_t seed);

/* Sign and append the CAR. */
void maker_finish(struct maker *maker, struct str did, struct str rev,
    const struct keypair *pair, enum maker_order order, struct buf *car_out);

/* A commit of version 3 over a tree's root; appends the block. */
void maker_commit(struct sha256 *sha, struct str did, struct str rev,
    const struct cid *data, const struct keypair *pair, struct buf *to);

/* The key that the samples are signed with. */
struct keypair *maker_keypair(enum key_curve curve);

uint64_t maker_random(uint64_t *state);	/* splitmix64 */

#endif
