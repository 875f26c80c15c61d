/*
 * rows_link.h - rows, and questions to the index, on a worker's record channel.
 *
 * Beside the repositories of records_link.h, on the same link and under the same
 * rules: nothing calls back from inside a call, slices are good until the handler
 * returns, and a link that ends takes all of this with it without a word.
 *
 * What rows mean is told in src/rows; a table is an enum row_table.
 */
#ifndef BF_WORKERS_ROWS_LINK_H
#define BF_WORKERS_ROWS_LINK_H

#include "workers/records_link.h"

/* --- batches: rows that are written together or not at all --- */

struct rows_batch;

struct rows_batch_events {
	/* The batch is freed after either.  The numbers are those of its rows;
	 * putting what is there already counts as nothing. */
	void (*on_ack)(const struct msg_ack *ack, void *arg);
	void (*on_refuse)(struct str class, struct str text, void *arg);
	/* Sending may go on; also told to batches that were not waiting. */
	void (*on_room)(void *arg);
};

/*
 * Begin a batch.  The indexer learns of it with its first change.  With all that
 * is open of records_link.h there may be LIMIT_LANES.  Events are borrowed for
 * the life of the batch.
 */
struct rows_batch *rows_batch_new(struct records_link *link,
    const struct rows_batch_events *events, void *arg);

/* Before each change: may it be sent now?  If not, wait for on_room. */
bool rows_has_room(const struct rows_batch *batch);

/* Copied; applied in this order by the commit.  A key has 1 to LIMIT_ROW_KEY_BYTES,
 * a value at most LIMIT_ROW_VALUE_BYTES: the caller's business to check. */
void rows_put(struct rows_batch *batch, unsigned table, struct bytes key,
    struct bytes value);
void rows_delete(struct rows_batch *batch, unsigned table, struct bytes key);
/* All rows whose key starts with prefix; empty: all of the table. */
void rows_clear(struct rows_batch *batch, unsigned table, struct bytes prefix);
/* The repository was looked at and is as indexed.  Nothing if it is not known. */
void rows_checked(struct rows_batch *batch, struct str did, int64_t at_ms);

/* Write it: on_ack or on_refuse follows.  Counted: the rows are what the operation
 * is there for, and its tally has them; else they are notes of ours. */
void rows_commit(struct rows_batch *batch);
void rows_commit_counted(struct rows_batch *batch);

/* Forget it; sets *batch to NULL.  NULL is fine.  After a commit only the answer is
 * forgotten: it may be on disk already. */
void rows_abort(struct rows_batch **batch);

/* --- questions --- */

/*
 * Any number may be asked at once: LIMIT_QUESTIONS are sent, the others wait here.
 * They are answered in turns, not in the order asked.  An answer sees what is
 * on disk by then, commits that were acked before in any case.  The handle is good
 * until the last callback of its question begins.
 *
 * An answer of many messages is not held up by a slow caller: ask for a page
 * (limit) and for the next one from its end, behind the last that came.
 */
struct link_question;

/* Ask no more: none of its callbacks comes any more.  Sets *question to NULL. */
void link_question_cancel(struct link_question **question);

/* The last callback.  why is NULL, or the indexer's refusal. */
typedef void link_end_cb(const struct msg_refuse *why, void *arg);

/* What the index knows of a repository, claiming nothing: state->is_known,
 * records, rev, ...  One of state and why is NULL. */
typedef void link_state_cb(const struct msg_state *state, const struct msg_refuse *why,
    void *arg);
struct link_question *records_look(struct records_link *link, struct str did,
    link_state_cb *on_state, void *arg);

/* What this operation has changed in the index, over all its attempts: exact,
 * whatever died.  One of tally and why is NULL. */
typedef void link_tally_cb(const struct msg_ack *tally, const struct msg_refuse *why,
    void *arg);
struct link_question *records_tally(struct records_link *link, link_tally_cb *on_tally,
    void *arg);

/* How many records of a collection (empty: of all) there are in all repositories,
 * and how many repositories.  One of count and why is NULL. */
typedef void link_count_cb(const struct msg_counted *count, const struct msg_refuse *why,
    void *arg);
struct link_question *records_count(struct records_link *link, struct str collection,
    link_count_cb *on_count, void *arg);

/* Rows in bytewise order of key: those that start with prefix (empty: all), behind
 * `after` (empty: from the start), at most limit (0: all). */
typedef void link_row_cb(struct bytes key, struct bytes value, void *arg);
struct link_question *rows_read(struct records_link *link, unsigned table,
    struct bytes prefix, struct bytes after, uint64_t limit, link_row_cb *on_row,
    link_end_cb *on_end, void *arg);

/* One row: on_row if it is there, then on_end. */
struct link_question *rows_get(struct records_link *link, unsigned table,
    struct bytes key, link_row_cb *on_row, link_end_cb *on_end, void *arg);

/* Indexed records in the order of (repository, path). */
struct records_walk {
	struct str did;			/* empty: of all repositories */
	struct str collection;		/* a name, "pub.chive.*", or empty: all */
	struct str after_did;		/* go on behind this record, which may be gone, */
	struct str after_path;		/* of this repository; empty: from its start */
	uint64_t limit;			/* 0: all */
};
typedef void link_record_cb(const struct msg_record *record, void *arg);
struct link_question *records_walk(struct records_link *link,
    const struct records_walk *walk, link_record_cb *on_record, link_end_cb *on_end,
    void *arg);

/*
 * Repositories by id, or those first that were not checked for longest.  The next
 * page goes on behind repo->cursor of the last one.  By checked_ms a walk meets
 * again, further on, what is checked or synced meanwhile: it is over when
 * repo->checked_ms is not before the walk began.
 */
enum repos_order { REPOS_BY_ID, REPOS_BY_CHECKED };
typedef void link_repo_cb(const struct msg_repo *repo, void *arg);
struct link_question *repos_walk(struct records_link *link, enum repos_order order,
    struct bytes after, uint64_t limit, link_repo_cb *on_repo, link_end_cb *on_end,
    void *arg);

#endif
