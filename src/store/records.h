/*
 * records.h - records/: the index of verified repositories (LMDB).
 *
 * backfill-indexer opens it as the only writer; backfill-api opens it read only.
 * A repository's changes become visible all at once or not at all: the indexer
 * stages them and applies them inside one write transaction, in which the
 * changes of many workers may be grouped (docs/store.md).
 *
 * A record is addressed by its repository and its path, `collection/rkey`.  A
 * path that does not fit into an LMDB key is split, so that order and lookup
 * stay exact and no path is refused.
 *
 * Errors as in ops.h.
 */
#ifndef BF_STORE_RECORDS_H
#define BF_STORE_RECORDS_H

#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

struct records;

enum records_mode {
	RECORDS_WRITE,
	RECORDS_READ,
};

int records_open(const char *dir, enum records_mode mode,
    struct records **records_out, struct err *err) BF_MUSTCHECK;
void records_close(struct records **records);
int records_check_readers(struct records *records);

/* As ops_lost_its_lock(). */
bool records_lost_its_lock(const struct records *records);

/*
 * Whether a path can be stored: a collection, a slash and a record key, neither
 * of them empty, both within their limits; printable ASCII, no second slash.
 * ERR_INVALID or ERR_LIMIT.  collection_out points into path.  Pure.
 */
int records_check_path(struct str path, struct str *collection_out,
    struct err *err) BF_MUSTCHECK;

/* What is known of a repository. */
struct repo_row {
	uint64_t id;		/* ours, for keys */
	struct str did;
	struct str pds_url;
	struct str rev;
	struct bytes commit_cid, data_cid;
	struct str status;	/* account status: "active", "deactivated", ... */
	struct str selection;	/* which collections were wanted; a worker's own word */
	uint64_t records;
	int64_t synced_ms;
	int64_t checked_ms;	/* found to be as indexed, or synced */
};

/* --- writing (indexer) --- */

struct records_write;

int records_write_begin(struct records *records, struct records_write **write_out,
    struct err *err) BF_MUSTCHECK;
/* On disk when it returns 0.  In either case the write is over. */
int records_write_commit(struct records_write **write, struct err *err) BF_MUSTCHECK;
void records_write_abort(struct records_write **write);

/*
 * Changes to one repository inside a write.  After an error the whole write has
 * to be aborted.  Changes are fastest when those of one repository follow each
 * other in the order of their paths.
 *
 * ERR_INVALID and ERR_LIMIT: a path that records_check_path() refuses, a CID that
 * is not LIMIT_CID_BYTES long, a record over LIMIT_RECORD_BYTES, a field of a
 * repository over its limit.
 */
enum record_effect { RECORD_CREATED, RECORD_UPDATED, RECORD_UNCHANGED };

/* The id of a repository, made if it is new. */
int records_repo_id(struct records_write *write, struct str did, uint64_t *id_out,
    struct err *err) BF_MUSTCHECK;
/* Unchanged if the same CID is there. */
int records_put(struct records_write *write, uint64_t repo_id, struct str path,
    struct bytes cid, struct bytes record, enum record_effect *effect_out,
    struct err *err) BF_MUSTCHECK;
int records_delete(struct records_write *write, uint64_t repo_id, struct str path,
    bool *was_there_out, struct err *err) BF_MUSTCHECK;
/* Made if it is new.  row->id, row->records and row->checked_ms are ignored: the id
 * is ours, the count is kept by put and delete, and what is synced is checked. */
int records_put_repo(struct records_write *write, const struct repo_row *row,
    struct err *err) BF_MUSTCHECK;
/* It was looked at and is as indexed.  Nothing if it is not known, or was checked
 * later than that. */
int records_set_checked(struct records_write *write, struct str did, int64_t at_ms,
    struct err *err) BF_MUSTCHECK;

/*
 * Rows: a key and a value, both bytes that mean nothing here, in tables that are
 * numbers from 1 to LIMIT_ROW_TABLES (src/rows/row_table.h).  ERR_INVALID for
 * another table or an empty key, ERR_LIMIT over LIMIT_ROW_KEY_BYTES or
 * LIMIT_ROW_VALUE_BYTES.
 */
int records_put_row(struct records_write *write, unsigned table, struct bytes key,
    struct bytes value, enum record_effect *effect_out, struct err *err) BF_MUSTCHECK;
int records_delete_row(struct records_write *write, unsigned table, struct bytes key,
    bool *was_there_out, struct err *err) BF_MUSTCHECK;
/* All rows whose key starts with prefix (empty: all of the table). */
int records_clear_rows(struct records_write *write, unsigned table,
    struct bytes prefix, uint64_t *deleted_out, struct err *err) BF_MUSTCHECK;

/* What an operation has changed in the index. */
struct records_changes {
	uint64_t created, updated, deleted;
};

/* Add to an operation's numbers, in the transaction that makes the changes. */
int records_add_tally(struct records_write *write, struct str op_id,
    const struct records_changes *changes, struct err *err) BF_MUSTCHECK;
/* Forget the numbers of operations whose id is less. */
int records_prune_tallies(struct records_write *write, struct str below_id,
    struct err *err) BF_MUSTCHECK;

/* --- reading --- */

/* A snapshot; see ops.h. */
struct records_read;

int records_read_begin(struct records *records, struct records_read **read_out,
    struct err *err) BF_MUSTCHECK;
void records_read_end(struct records_read **read);

int records_get_repo(struct records_read *read, struct str did,
    struct repo_row *row_out, struct err *err) BF_MUSTCHECK;	/* ERR_NOT_FOUND */
int records_get_repo_by_id(struct records_read *read, uint64_t id,
    struct repo_row *row_out, struct err *err) BF_MUSTCHECK;	/* ERR_NOT_FOUND */

/* Repositories in the order of their ids, after the given one. */
typedef bool records_repo_cb(const struct repo_row *row, void *arg);
int records_each_repo(struct records_read *read, uint64_t after_id,
    records_repo_cb *each, void *arg, struct err *err) BF_MUSTCHECK;

/* Repositories in the order in which they were checked, those of one moment by
 * id, after the given one. */
int records_each_repo_checked(struct records_read *read, int64_t after_ms,
    uint64_t after_id, records_repo_cb *each, void *arg, struct err *err) BF_MUSTCHECK;

struct record_row {
	struct str path;	/* collection/rkey */
	struct bytes cid;	/* binary */
	struct bytes record;	/* DAG-CBOR */
};

int records_get(struct records_read *read, uint64_t repo_id, struct str path,
    struct record_row *row_out, struct err *err) BF_MUSTCHECK;	/* ERR_NOT_FOUND */

/*
 * Records of one repository in bytewise order of path, after the given path
 * (empty: from the start), whose path starts with prefix (empty: all).
 */
typedef bool records_record_cb(const struct record_row *row, void *arg);
int records_each(struct records_read *read, uint64_t repo_id, struct str after_path,
    struct str prefix, records_record_cb *each, void *arg, struct err *err)
    BF_MUSTCHECK;

/* How many records each collection has, in all or (repo_id != 0) in one
 * repository; in order of the collection's name. */
typedef bool records_collection_cb(struct str collection, uint64_t repo_id,
    uint64_t records, void *arg);
int records_each_collection(struct records_read *read, uint64_t repo_id,
    records_collection_cb *each, void *arg, struct err *err) BF_MUSTCHECK;

/* How many there are: records of one collection (empty: of all) in all
 * repositories, and repositories. */
struct records_count {
	uint64_t records, repos;
};
int records_get_count(struct records_read *read, struct str collection,
    struct records_count *count_out, struct err *err) BF_MUSTCHECK;

/* Borrowed until records_read_end(); ERR_NOT_FOUND. */
int records_get_row(struct records_read *read, unsigned table, struct bytes key,
    struct bytes *value_out, struct err *err) BF_MUSTCHECK;

/* Rows of a table in bytewise order of key, behind the given key (empty: from the
 * start), whose key starts with prefix (empty: all).  The key is good for the
 * call, the value until records_read_end(). */
typedef bool records_row_cb(struct bytes key, struct bytes value, void *arg);
int records_each_row(struct records_read *read, unsigned table, struct bytes prefix,
    struct bytes after, records_row_cb *each, void *arg, struct err *err) BF_MUSTCHECK;

/* All zero for an operation that has changed nothing. */
int records_get_tally(struct records_read *read, struct str op_id,
    struct records_changes *changes_out, struct err *err) BF_MUSTCHECK;

#endif
