/*
 * records_internal.h - what the files of records/ share; see records.h.
 *
 * records.c opens and reads, records_write.c changes, records_count.c keeps the
 * numbers of records, records_checked.c the order of checks, records_rows.c rows
 * and records_tally.c tallies.  The tables are described in docs/store.md.
 */
#ifndef BF_STORE_RECORDS_INTERNAL_H
#define BF_STORE_RECORDS_INTERNAL_H

#include "common/buf.h"
#include "common/limits.h"
#include "store/env.h"
#include "store/keyspace.h"
#include "store/records.h"

/* 2: by-checked, row, tally */
#define RECORDS_SCHEMA	2

/* T(NAME, name, version of its values) */
#define RECORDS_TABLES(T)			\
	T(REPO,		"repo",		1)	\
	T(REPO_ID,	"repo-id",	1)	\
	T(RECORD,	"record",	1)	\
	T(COLLECTION,	"collection",	1)	\
	T(BY_CHECKED,	"by-checked",	1)	\
	T(ROW,		"row",		1)	\
	T(TALLY,	"tally",	1)

enum records_table {
#define T(NAME, name, version) RECORDS_##NAME,
	RECORDS_TABLES(T)
#undef T
	RECORDS_TABLE_COUNT
};

/* The space of `repo` and of `row`; a repository's id is the space of its records. */
#define REPO_SPACE	0
#define ROW_SPACE	0

struct records {
	/* owned */
	struct env *env;
	struct table tables[RECORDS_TABLE_COUNT];
};

/* Changes of one collection of one repository that `collection` lacks yet. */
struct pending_count {
	uint64_t repo_id;		/* 0: none */
	char collection[LIMIT_COLLECTION_BYTES];
	size_t collection_len;
	int64_t change;
};

struct records_write {
	struct records *records;	/* borrowed */
	struct txn txn;
	struct pending_count pending;
	struct buf encoded;		/* owned; for the value being written */
};

struct records_read {
	struct records *records;	/* borrowed */
	struct txn txn;
};

/* --- records.c --- */

/* row_out->did.ptr is NULL if there is none; row_out->records is not filled in. */
int records_find_repo(struct records *records, struct txn *txn, struct str did,
    struct repo_row *row_out, struct err *err) BF_MUSTCHECK;
void records_encode_repo(struct buf *to, const struct repo_row *row);
int records_decode_repo(struct bytes body, struct repo_row *row_out) BF_MUSTCHECK;

/* The repository of an id; `did` is what `repo-id` says of it. */
int records_get_named(struct records_read *read, uint64_t id, struct bytes did,
    struct repo_row *row_out, struct err *err) BF_MUSTCHECK;

/* --- records_checked.c --- */

/* Move a repository in the order of checks, or (was_ms -1) put it there. */
int records_checked_move(struct records_write *write, uint64_t id, int64_t was_ms,
    int64_t now_ms, struct err *err) BF_MUSTCHECK;

/* For env_open(): schema 1 had no by-checked. */
int records_convert(struct txn *txn, uint64_t from_schema, const struct table *tables,
    struct err *err) BF_MUSTCHECK;

/* --- records_count.c --- */

/* Note that a collection of a repository has one more or one less. */
int records_count_add(struct records_write *write, uint64_t repo_id,
    struct str collection, int change, struct err *err) BF_MUSTCHECK;

/* Write what was noted; before anybody may read the counts. */
int records_count_flush(struct records_write *write, struct err *err) BF_MUSTCHECK;

/* All records of a repository. */
int records_count_find(struct records *records, struct txn *txn, uint64_t repo_id,
    uint64_t *count_out, struct err *err) BF_MUSTCHECK;

#endif
