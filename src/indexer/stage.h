/*
 * stage.h - the changes to one repository between the first `put` and `commit`.
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

struct stage_change {
	bool is_delete;
	struct str path;
	struct bytes cid, record;	/* empty in a delete */
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
