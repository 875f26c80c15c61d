/*
 * diddoc.h - what a DID document says about an account (spec: DID, "DID
 * Documents").  Parsing alone: fetching it is src/fetch's.
 */
#ifndef BF_ATPROTO_DIDDOC_H
#define BF_ATPROTO_DIDDOC_H

#include <stdbool.h>

#include "atproto/key.h"
#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

struct diddoc {
	bool has_key;		/* it has a usable verification method #atproto */
	struct key key;		/* the account's signing key */
	/* owned */
	char *pds;		/* "https://host[:port]", without a slash; or NULL */
	char *handle;		/* claimed, not confirmed; or NULL */
};

/*
 * Read the document of did.  Key and server may be absent: an account without a
 * server cannot be synced, which is the caller's to say.  Fails with ERR_LIMIT
 * over LIMIT_DIDDOC_BYTES, with ERR_INVALID if it is not JSON or its `id` is not
 * did.  A method or service that is malformed counts as absent.
 *
 * `allow_http` lets a server be "http://..." (tests, and networks that are not
 * the internet).  Whether its address may be connected to is not known here.
 */
int diddoc_parse(struct bytes json, struct str did, bool allow_http,
    struct diddoc *doc_out, struct err *err) BF_MUSTCHECK;
void diddoc_clear(struct diddoc *doc);

#endif
