/*
 * stage.h - the changes of one lane between the first of them and its commit.
 *
 * Process: backfill-indexer.  lane.c fills a stage, apply.c reads it, more than
 * once if a group has to be tried again.  Changes are kept in memory up to a
 * limit, then in an unlinked temporary file, so that neither a huge repository
 * nor many of them make the process grow.  Nothing of it survives the process.
 */
#ifndef BF_INDEXER_STAGE_H
#define BF_INDEXER_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

/* What all stages share. */
struct stage_pool {
	const char *dir;		/* borrowed; where files are made */
	size_t stage_memory_max;	/* of one stage */
	size_t memory_max;		/* of all; beyond, every stage goes to a file */
	uint64_t stage_bytes_max;
	size_t memory_used;
};

enum stage_kind {
	STAGE_PUT,		/* key is the path; cid, record */
	STAGE_DELETE,		/* key is the path */
	STAGE_ROW_PUT,		/* table, key; record is the value */
	STAGE_ROW_DELETE,	/* table, key */
	STAGE_ROW_CLEAR,	/* table; key is the prefix */
	STAGE_CHECKED,		/* key is the DID; at_ms */
};

/* What a kind does not use is empty or 0. */
struct stage_change {
	enum stage_kind kind;
	uint8_t table;
	struct str key;		/* at most 65535 bytes */
	struct bytes cid, record;
	int64_t at_ms;
};

struct stage;

struct stage *stage_new(struct stage_pool *pool);	/* pool outlives it */
void stage_free(struct stage **stage);

/* Copies the change.  ERR_LIMIT over stage_bytes_max, ERR_DISK_FULL, ERR_SYSTEM;
 * after a failure the stage is good for stage_free() only. */
int stage_add(struct stage *stage, const struct stage_change *change,
    struct err *err) BF_MUSTCHECK;

/* All bytes of its changes, wherever they are. */
uint64_t stage_bytes(const struct stage *stage);

/* Read from the start; nothing may be added from now on. */
int stage_rewind(struct stage *stage, struct err *err) BF_MUSTCHECK;

/* The next change, valid until the next call; *has_one_out is false at the end. */
int stage_next(struct stage *stage, struct stage_change *change_out,
    bool *has_one_out, struct err *err) BF_MUSTCHECK;

#endif
