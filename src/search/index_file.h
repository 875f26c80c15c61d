/*
 * index_file.h - making a new search index beside the one that is searched.
 *
 * Process: the full-reindex worker.  The index is one SQLite file with an FTS5
 * table.  A new one grows in `building-<operation>.db` and takes the place of
 * `live.db` by one rename, so that whoever searches sees the old index or the new
 * one, whole.
 *
 * How far the file has come is written in it, in the transaction of the documents
 * themselves: an attempt that is killed goes on exactly where the last commit
 * was, and its counts are right.
 *
 * Errors everywhere: ERR_DISK_FULL, ERR_CORRUPT (the file is damaged), ERR_SYSTEM.
 */
#ifndef BF_SEARCH_INDEX_FILE_H
#define BF_SEARCH_INDEX_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"
#include "search/document.h"

#define SEARCH_LIVE_NAME	"live.db"
#define SEARCH_SCHEMA		1	/* PRAGMA user_version */

struct index_file;

/* Where a walk over the records has come; kept in the file. */
struct index_position {
	struct str did, path;		/* the last record that was looked at; or empty */
	uint64_t documents;		/* in the file */
	uint64_t failed;		/* records that could not be made a document */
};

/*
 * Open the file that this operation is building, or begin it.  dir exists.  A file
 * of an earlier attempt whose mapping (a text) was another one, or which is
 * damaged, is begun anew.  Files that other operations have left are removed, and so
 * is this one if it fails.
 */
int index_file_open(const char *dir, struct str op_id, struct str mapping,
    struct index_file **file_out, struct err *err) BF_MUSTCHECK;

/* Closed without a commit: what was added since the last one is not there. */
void index_file_close(struct index_file **file);

/* Borrowed until the next index_file_commit(). */
struct index_position index_file_position(const struct index_file *file);

/* Begins a transaction if none is open.  A URI that is there is replaced. */
int index_file_add(struct index_file *file, const struct search_document *document,
    struct err *err) BF_MUSTCHECK;

/* On disk when it returns. */
int index_file_commit(struct index_file *file, const struct index_position *position,
    struct err *err) BF_MUSTCHECK;

/*
 * One step of making the file small and quick to search, a few milliseconds long;
 * before the switch, until *is_done_out.  Begun again after a kill, it goes on.
 */
int index_file_merge(struct index_file *file, bool *is_done_out, struct err *err)
    BF_MUSTCHECK;

/* The switch: the file is closed, synced and becomes live.db, or is removed if
 * that fails.  In either case *file is NULL afterwards. */
int index_file_publish(struct index_file **file, struct err *err) BF_MUSTCHECK;

/* Close the file and remove it. */
void index_file_discard(struct index_file **file);

#endif
