/*
 * commit.h - the signed commit at the root of a repository (spec: Repository,
 * "Commit Objects").
 */
#ifndef BF_ATPROTO_COMMIT_H
#define BF_ATPROTO_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "atproto/key.h"
#include "common/attr.h"
#include "common/str.h"

struct commit {
	struct cid cid;			/* of the signed block */
	struct cid data;		/* the tree's root */
	int64_t version;		/* 3; or 2, which old exports have */
	uint8_t digest[SHA256_BYTES];	/* of the commit without its signature */
	/* borrowed from the block */
	struct str did;
	struct str rev;			/* a TID; may be empty in version 2 */
	struct bytes sig;		/* of any length until commit_check() */
};

/*
 * Read a block of at most LIMIT_COMMIT_BYTES.  Fields that the spec does not
 * name are kept: they are under the signature like the others.  `prev` has to be
 * there (spec), null or a link.  Fails with FAULT_CBOR_* or FAULT_COMMIT_*;
 * offsets count from the start of the block.  commit->cid is cid.
 */
int commit_parse(struct bytes block, const struct cid *cid, struct sha256 *sha,
    struct commit *commit_out, struct fault *fault) BF_MUSTCHECK;

struct commit_expect {
	struct str did;			/* the account asked for; empty: any */
	const struct key *key;		/* its signing key; NULL: leave the signature */
	struct str rev_known;		/* an older one than this fails; empty: any */
	int64_t now_us;			/* one LIMIT_REV_AHEAD_US later fails; 0: any */
	bool allow_version2;		/* for reading old exports; never for syncing */
};

/*
 * Is it what was asked for, and signed?  The fault tells which check failed;
 * after FAULT_SIG_WRONG a caller refreshes the DID document once and calls again.
 */
int commit_check(const struct commit *commit, const struct commit_expect *expect,
    struct fault *fault) BF_MUSTCHECK;

#endif
