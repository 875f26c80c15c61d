/*
 * fake_indexer.h - an indexer in memory, on the test's own loop.
 *
 * Speaks the record channel's protocol for one worker and keeps one index of
 * repositories and rows; what a lane or a batch puts is in it after its commit
 * only.  The knobs make it busy, silent or unwilling.
 */
#ifndef BF_T_FAKE_INDEXER_H
#define BF_T_FAKE_INDEXER_H

#include <ev.h>
#include <stdbool.h>

#include "atproto/cid.h"
#include "proto/channel.h"
#include "proto/msg.h"
#include "t/unit/fake_rows.h"

#define FAKE_LANES	256	/* and repositories */

struct fake_record {
	char *path;		/* owned */
	struct cid cid;
	size_t bytes;		/* of the record */
	uint8_t *record;	/* owned; NULL: only its size is known */
};

/* A sorted list. */
struct fake_records {
	struct fake_record *items;	/* owned */
	size_t count, room;
};

/* What is committed of one repository. */
struct fake_repo {
	char did[128], pds_url[256], rev[16], status[32], selection[32];
	struct cid commit, data;
	bool has_cids;
	int64_t checked_ms;	/* a commit sets it to now */
	struct fake_records records;
};

/* An open repository. */
struct fake_lane {
	uint64_t id;			/* 0: free */
	struct fake_repo *repo;
	struct fake_records staged;	/* what it will be */
	bool is_scanning;		/* staged is untouched; `at` is next */
	struct fake_records scanned;
	size_t at;
};

struct fake_indexer {
	struct ev_loop *loop;
	struct channel *channel;	/* owned; NULL: gone */
	struct fake_repo repos[FAKE_LANES];
	size_t repo_count;
	struct fake_lane lanes[FAKE_LANES];
	struct fake_rows rows;
	struct fake_batch batches[FAKE_LANES];
	struct msg_ack tally;		/* of the one operation */

	/* the ledger */
	unsigned begins, scans, puts, deletes, commits, aborts;
	unsigned bad_cids;		/* puts whose CID is not that of the bytes */
	unsigned looks, walks, row_commits;

	/* the knobs */
	unsigned busy;			/* so many claims are refused */
	bool is_silent;			/* hears, but never answers */
	const char *refuse_commit;	/* with this class; of a batch, too */
};

/* Takes ownership of fd. */
void fake_indexer_init(struct fake_indexer *indexer, struct ev_loop *loop, int fd);
void fake_indexer_clear(struct fake_indexer *indexer);

/* The repository of this DID, made if it is new; for looking and for preparing. */
struct fake_repo *fake_indexer_repo(struct fake_indexer *indexer, const char *did);
void fake_records_put(struct fake_records *records, struct str path,
    const struct cid *cid, size_t bytes);
/* The same with its bytes, which a walk tells. */
void fake_records_put_record(struct fake_records *records, struct str path,
    const struct cid *cid, struct bytes record);
void fake_records_clear(struct fake_records *records);
bool fake_records_delete(struct fake_records *records, struct str path);
const struct fake_record *fake_records_get(const struct fake_records *records,
    const char *path);

/* Send it, unless the indexer is silent. */
void fake_indexer_answer(struct fake_indexer *indexer, const struct msg *msg);

#endif
