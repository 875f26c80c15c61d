#include "search/index_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/building.h"
#include "common/fdutil.h"
#include "common/mem.h"
#include "search/sqlite_err.h"

#define MERGE_PAGES	"256"	/* 1 MB */

struct index_file {
	/* owned */
	sqlite3 *db;
	sqlite3_stmt *find, *remove, *remove_body, *add, *add_body, *save;
	char *dir, *path;
	char *did, *record_path;	/* of the position */

	uint64_t documents, failed;	/* likewise */
	bool is_writing;		/* a transaction is open */
	bool is_merging;		/* a merge was begun */
};

#define COLUMN(NAME, name, weight)	", " #name
#define COLUMNS	SEARCH_FIELDS(COLUMN)

static const char SCHEMA[] =
    "BEGIN;"
    "CREATE TABLE document(id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE,"
    " collection TEXT NOT NULL, cid TEXT NOT NULL);"
    "CREATE VIRTUAL TABLE body USING fts5("
    "tokenize='unicode61 remove_diacritics 2', prefix='3'" COLUMNS ");"
    "CREATE TABLE progress(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " mapping TEXT NOT NULL, did TEXT NOT NULL, path TEXT NOT NULL,"
    " documents INTEGER NOT NULL, failed INTEGER NOT NULL);"
    "COMMIT;";

/* --- statements --- */

static int
run(struct index_file *file, const char *sql, struct err *err)
{
	if (sqlite3_exec(file->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_err(err, file->db, file->path);
	return 0;
}

static int
prepare(struct index_file *file, const char *sql, sqlite3_stmt **out, struct err *err)
{
	if (sqlite3_prepare_v3(file->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out,
	    NULL) != SQLITE_OK)
		return sqlite_err(err, file->db, file->path);
	return 0;
}

/* Text that outlives the step; the empty text, not NULL, where there is none. */
static void
bind_text(sqlite3_stmt *stmt, int n, struct str text)
{
	(void)sqlite3_bind_text64(stmt, n, text.ptr != NULL ? text.ptr : "", text.len,
	    SQLITE_STATIC, SQLITE_UTF8);
}

/* Run a statement that gives no row, and let go of what was bound. */
static int
finish(struct index_file *file, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);
	int result = rc == SQLITE_DONE ? 0 : sqlite_err(err, file->db, file->path);

	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return result;
}

static int
prepare_all(struct index_file *file, struct err *err)
{
	return prepare(file, "SELECT id FROM document WHERE uri = ?1",
	    &file->find, err) == -1 ||
	    prepare(file, "DELETE FROM document WHERE id = ?1",
	    &file->remove, err) == -1 ||
	    prepare(file, "DELETE FROM body WHERE rowid = ?1",
	    &file->remove_body, err) == -1 ||
	    prepare(file, "INSERT INTO document(uri, collection, cid) VALUES(?1, ?2, ?3)",
	    &file->add, err) == -1 ||
	    prepare(file, "INSERT INTO body(rowid" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?)",
	    &file->add_body, err) == -1 ||
	    prepare(file, "UPDATE progress SET did = ?1, path = ?2, documents = ?3,"
	    " failed = ?4", &file->save, err) == -1 ? -1 : 0;
}

/* --- opening --- */

static int
open_db(struct index_file *file, struct err *err)
{
	int rc = sqlite3_open_v2(file->path, &file->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (file->db == NULL)
		return err_set(err, ERR_SYSTEM, "%s: no memory", file->path);
	(void)sqlite3_extended_result_codes(file->db, 1);
	if (rc != SQLITE_OK)
		return sqlite_err(err, file->db, file->path);
	return run(file, "PRAGMA locking_mode = EXCLUSIVE;"
	    "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL;"
	    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000", err);
}

static void
close_db(struct index_file *file)
{
	sqlite3_stmt **all[] = { &file->find, &file->remove, &file->remove_body,
	    &file->add, &file->add_body, &file->save };

	for (size_t i = 0; i < BF_ARRAY_LEN(all); i++) {
		(void)sqlite3_finalize(*all[i]);
		*all[i] = NULL;
	}
	(void)sqlite3_close(file->db);
	file->db = NULL;
	file->is_writing = false;
}

static void
set_position(struct index_file *file, const struct index_position *position)
{
	char *did = xstrndup(position->did.len > 0 ? position->did.ptr : "",
	    position->did.len);
	char *path = xstrndup(position->path.len > 0 ? position->path.ptr : "",
	    position->path.len);

	free(file->did);
	free(file->record_path);
	file->did = did;
	file->record_path = path;
	file->documents = position->documents;
	file->failed = position->failed;
}

static struct str
column_text(sqlite3_stmt *stmt, int n)
{
	return (struct str){ (const char *)sqlite3_column_text(stmt, n),
	    (size_t)sqlite3_column_bytes(stmt, n) };
}

/* ERR_NOT_FOUND: there is nothing in the file that could be gone on with. */
static int
read_position(struct index_file *file, struct str mapping, struct err *err)
{
	sqlite3_stmt *stmt;
	bool is_ours;
	int rc;

	if (sqlite3_prepare_v2(file->db, "SELECT mapping, did, path, documents, failed"
	    " FROM progress", -1, &stmt, NULL) != SQLITE_OK)
		return err_set(err, ERR_NOT_FOUND, "%s: empty", file->path);
	rc = sqlite3_step(stmt);
	is_ours = rc == SQLITE_ROW && str_eq(column_text(stmt, 0), mapping);
	if (is_ours)
		set_position(file, &(struct index_position){
			.did = column_text(stmt, 1),
			.path = column_text(stmt, 2),
			.documents = (uint64_t)sqlite3_column_int64(stmt, 3),
			.failed = (uint64_t)sqlite3_column_int64(stmt, 4),
		});
	(void)sqlite3_finalize(stmt);
	return is_ours ? 0 : err_set(err, ERR_NOT_FOUND, "%s: made otherwise",
	    file->path);
}

/* With its journal, which would be played back into the next file of that name. */
static void
remove_file(const char *path)
{
	char *journal;

	if (asprintf(&journal, "%s" BUILDING_JOURNAL, path) == -1)
		abort();
	(void)unlink(path);
	(void)unlink(journal);
	free(journal);
}

static int
begin_anew(struct index_file *file, struct str mapping, struct err *err)
{
	sqlite3_stmt *stmt;
	char version[64];
	int rc;

	close_db(file);
	remove_file(file->path);
	set_position(file, &(struct index_position){ .documents = 0 });
	(void)snprintf(version, sizeof(version), "PRAGMA user_version = %d",
	    SEARCH_SCHEMA);
	if (open_db(file, err) == -1 || run(file, SCHEMA, err) == -1 ||
	    run(file, version, err) == -1 ||
	    prepare(file, "INSERT INTO progress VALUES(1, ?1, '', '', 0, 0)", &stmt,
	    err) == -1)
		return -1;
	bind_text(stmt, 1, mapping);
	rc = finish(file, stmt, err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

/* Files of operations that have ended, if the supervisor could not remove them. */
static void
remove_others(const struct index_file *file)
{
	const char *own = strrchr(file->path, '/') + 1;
	DIR *dir = opendir(file->dir);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, BUILDING_PREFIX, strlen(BUILDING_PREFIX)) == 0 &&
		    strncmp(entry->d_name, own, strlen(own)) != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
}

static int
open_or_begin(struct index_file *file, struct str mapping, struct err *err)
{
	/* Whatever is wrong with an old file, a new one has not. */
	if (open_db(file, err) == -1 || read_position(file, mapping, err) == -1)
		if (begin_anew(file, mapping, err) == -1)
			return -1;
	return prepare_all(file, err);
}

int
index_file_open(const char *dir, struct str op_id, struct str mapping,
    struct index_file **file_out, struct err *err)
{
	struct index_file *file = xcalloc(1, sizeof(*file));

	file->dir = xstrdup(dir);
	if (asprintf(&file->path, "%s/" BUILDING_PREFIX "%.*s" BUILDING_SUFFIX, dir,
	    STR_FMT(op_id)) == -1)
		abort();
	remove_others(file);
	if (open_or_begin(file, mapping, err) == -1) {
		index_file_discard(&file);
		return -1;
	}
	*file_out = file;
	return 0;
}

void
index_file_close(struct index_file **file)
{
	if (*file == NULL)
		return;
	close_db(*file);
	free((*file)->did);
	free((*file)->record_path);
	free((*file)->path);
	free((*file)->dir);
	free(*file);
	*file = NULL;
}

struct index_position
index_file_position(const struct index_file *file)
{
	return (struct index_position){
		.did = str_from(file->did), .path = str_from(file->record_path),
		.documents = file->documents, .failed = file->failed,
	};
}

/* --- filling --- */

/* A repository that was deleted and came back is walked twice. */
static int
remove_old(struct index_file *file, struct str uri, struct err *err)
{
	sqlite3_int64 id;
	int rc;

	bind_text(file->find, 1, uri);
	rc = sqlite3_step(file->find);
	id = rc == SQLITE_ROW ? sqlite3_column_int64(file->find, 0) : 0;
	(void)sqlite3_reset(file->find);
	(void)sqlite3_clear_bindings(file->find);
	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return sqlite_err(err, file->db, file->path);
	(void)sqlite3_bind_int64(file->remove_body, 1, id);
	(void)sqlite3_bind_int64(file->remove, 1, id);
	return finish(file, file->remove_body, err) == -1 ||
	    finish(file, file->remove, err) == -1 ? -1 : 0;
}

static int
begin(struct index_file *file, struct err *err)
{
	if (file->is_writing)
		return 0;
	if (run(file, "BEGIN", err) == -1)
		return -1;
	file->is_writing = true;
	return 0;
}

int
index_file_add(struct index_file *file, const struct search_document *document,
    struct err *err)
{
	struct str uri = buf_str(&document->uri);

	if (begin(file, err) == -1 || remove_old(file, uri, err) == -1)
		return -1;
	bind_text(file->add, 1, uri);
	bind_text(file->add, 2, document->collection);
	bind_text(file->add, 3, buf_str(&document->cid));
	if (finish(file, file->add, err) == -1)
		return -1;
	(void)sqlite3_bind_int64(file->add_body, 1, sqlite3_last_insert_rowid(file->db));
	for (int i = 0; i < SEARCH_FIELDS_COUNT; i++)
		bind_text(file->add_body, i + 2, buf_str(&document->text[i]));
	return finish(file, file->add_body, err);
}

int
index_file_commit(struct index_file *file, const struct index_position *position,
    struct err *err)
{
	if (begin(file, err) == -1)
		return -1;
	bind_text(file->save, 1, position->did);
	bind_text(file->save, 2, position->path);
	(void)sqlite3_bind_int64(file->save, 3, (sqlite3_int64)position->documents);
	(void)sqlite3_bind_int64(file->save, 4, (sqlite3_int64)position->failed);
	if (finish(file, file->save, err) == -1 || run(file, "COMMIT", err) == -1)
		return -1;
	file->is_writing = false;
	set_position(file, position);
	return 0;
}

/* --- the end --- */

int
index_file_merge(struct index_file *file, bool *is_done_out, struct err *err)
{
	int before = sqlite3_total_changes(file->db);

	/* FTS5: a negative number of pages begins a merge of everything into one,
	 * a positive one goes on with it; less than two changes: there is no more. */
	if (run(file, file->is_merging ?
	    "INSERT INTO body(body, rank) VALUES('merge', " MERGE_PAGES ")" :
	    "INSERT INTO body(body, rank) VALUES('merge', -" MERGE_PAGES ")", err) == -1)
		return -1;
	*is_done_out = file->is_merging && sqlite3_total_changes(file->db) - before < 2;
	file->is_merging = true;
	return 0;
}

static int
sync_path(const char *path, int flags, struct err *err)
{
	int fd = open(path, flags | O_CLOEXEC);
	int rc = fd == -1 || fsync(fd) == -1 ? err_errno(err, "%s", path) : 0;

	fd_close(&fd);
	return rc;
}

static int
publish(struct index_file *file, struct err *err)
{
	char *live;
	int rc;

	/* What is searched is never written, and needs no journal beside it. */
	if (run(file, "PRAGMA journal_mode = DELETE", err) == -1)
		return -1;
	close_db(file);
	if (asprintf(&live, "%s/" SEARCH_LIVE_NAME, file->dir) == -1)
		abort();
	rc = sync_path(file->path, O_RDONLY, err);
	if (rc == 0 && rename(file->path, live) == -1)
		rc = err_errno(err, "rename(%s)", live);
	if (rc == 0)
		rc = sync_path(file->dir, O_RDONLY | O_DIRECTORY, err);
	free(live);
	return rc;
}

int
index_file_publish(struct index_file **file, struct err *err)
{
	int rc = publish(*file, err);

	if (rc == -1)
		index_file_discard(file);
	else
		index_file_close(file);
	return rc;
}

void
index_file_discard(struct index_file **file)
{
	if (*file == NULL)
		return;
	close_db(*file);
	remove_file((*file)->path);
	index_file_close(file);
}
