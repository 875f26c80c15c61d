/*
 * op_type.h - the types of operation: one row each.
 *
 * A type is an executable of its kebab-case name in libexec/backfilld/.  The
 * trigger lexicon spells types in camelCase, the record lexicons in kebab-case
 * (pub.chive.admin.triggerBackfill, getBackfillStatus): both are taken as input
 * everywhere.
 */
#ifndef BF_OP_OP_TYPE_H
#define BF_OP_OP_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/str.h"
#include "op/op.h"

/*
 * What a trigger may say, each with the most that it may be: of a text its length
 * in bytes, of a number the number.  The types take the first five as their rows
 * say, all types the last two.
 *
 * X(ENUM, bit, KIND, member of struct op, name in the API, the most)
 */
#define OP_PARAMS(X)							\
	X(DID, 1, TEXT, did, "did", LIMIT_DID_BYTES)			\
	X(PDS_URL, 2, TEXT, pds_url, "pdsUrl", LIMIT_URL_BYTES)		\
	X(URI, 4, TEXT, uri, "uri", LIMIT_ATURI_BYTES)			\
	X(BATCH_SIZE, 8, U64, batch_size, "batchSize", LIMIT_BATCH_SIZE) \
	X(TIER, 16, TEXT, tier, "tier", LIMIT_TIER_BYTES)		\
	X(ITEMS_OF, 32, TEXT, items_of, "itemsOf", TID_LEN)		\
	X(IDEMPOTENCY_KEY, 64, TEXT, idempotency_key, "idempotencyKey",	\
	    LIMIT_IDEMPOTENCY_KEY_BYTES)

enum op_param {			/* bits */
#define X(name, bit, kind, member, api_name, most) OP_PARAM_##name = (bit),
	OP_PARAMS(X)
#undef X
};

/* Whether the failed items of an ended operation can be run again alone. */
enum op_retry {
	OP_RETRY_NONE,		/* trigger it again instead */
	OP_RETRY_DIDS,		/* the repositories among them */
	OP_RETRY_URIS,		/* the records among them: AT-URIs */
	OP_RETRY_SERVERS,	/* the repositories, and the servers by their origins */
};

/* X(ENUM, kebab, camel, parameters it takes, parameters it needs,
 *   temporary files it is given, enum op_retry) */
#define OP_TYPES(X)							\
	X(DID_SYNC, "did-sync", "didSync", OP_PARAM_DID, OP_PARAM_DID,	\
	    1, OP_RETRY_DIDS)						\
	X(PDS_SCAN, "pds-scan", "pdsScan", OP_PARAM_PDS_URL, 0,		\
	    LIMIT_WORKER_SPILL_FILES, OP_RETRY_SERVERS)			\
	X(FRESHNESS_SCAN, "freshness-scan", "freshnessScan",		\
	    OP_PARAM_TIER, 0,						\
	    LIMIT_WORKER_SPILL_FILES, OP_RETRY_DIDS)			\
	X(GOVERNANCE_SYNC, "governance-sync", "governanceSync", 0, 0,	\
	    1, OP_RETRY_NONE)						\
	X(CITATION_EXTRACTION, "citation-extraction",			\
	    "citationExtraction", OP_PARAM_URI, 0, 1, OP_RETRY_URIS)	\
	X(FULL_REINDEX, "full-reindex", "fullReindex",			\
	    OP_PARAM_BATCH_SIZE, 0, 1, OP_RETRY_NONE)			\
	X(FULL_SYNC, "full-sync", "fullSync", 0, 0,			\
	    LIMIT_WORKER_SPILL_FILES, OP_RETRY_DIDS)			\
	X(CATCH_UP, "catch-up", "catchUp", 0, 0,			\
	    LIMIT_WORKER_SPILL_FILES, OP_RETRY_DIDS)

struct op_type {
	const char *kebab, *camel;
	unsigned takes, needs;		/* enum op_param bits */
	unsigned spill_files;		/* one for each repository it has open at once */
	enum op_retry retry;
};

extern const struct op_type op_types[];
extern const size_t op_types_count;

/* By either spelling; NULL if there is no such type. */
const struct op_type *op_type_find(struct str name);

/* Could be the name of a type of an operator's own, which has no row here: 1 to
 * 31 of a-z, 0-9 and '-'.  Whether it is installed is for the supervisor to say. */
bool op_type_is_plain_name(struct str name);

/*
 * No parameter is more than its row of OP_PARAMS allows.  ERR_LIMIT names the
 * parameter, the most and what was given.  Of every type, an operator's own too, and
 * before a request is handed on: whoever takes one says the same sentence, and not
 * what a frame or a key of the store cannot hold.
 */
int op_params_fit(const struct op *op, struct err *err) BF_MUSTCHECK;

/*
 * Check an operation's parameters against its type: they fit, needed ones are there,
 * no others are; a retry (items_of) is possible.  Syntax beyond that (a DID, a URL)
 * is for the process that takes the request.  ERR_INVALID names the parameter; ERR_LIMIT
 * as above.
 */
int op_params_check(const struct op *op, const struct op_type *type,
    struct err *err) BF_MUSTCHECK;

/*
 * What a retry of this kind runs again for a failed item: the item itself, the
 * DID in it, or nothing (an empty slice): the item is of another kind, a
 * relay's list for example.  Borrowed from item.
 */
struct str op_retry_item(enum op_retry retry, struct str item);

#endif
