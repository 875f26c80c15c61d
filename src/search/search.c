#include "search/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "search/field.h"
#include "search/index_file.h"
#include "search/match.h"
#include "search/sqlite_err.h"

#define BUDGET_STEPS	1000	/* of SQLite's machine between two looks at the clock */

struct search {
	/* owned */
	char *path;
	sqlite3 *db;		/* NULL: not open */
	sqlite3_stmt *find;

	/* which file db is */
	dev_t dev;
	ino_t ino;
	int64_t deadline_ms;	/* of the request that is being answered; 0: none */
};

#define WEIGHT(NAME, name, weight)	", " #weight

/* snippet() takes the square of the words that fit, a minute where they fill a field,
 * and nothing stops it: of such a document we show how the abstract begins. */
static const char FIND[] =
    "SELECT document.uri, document.cid, document.collection, body.title,"
    " CASE WHEN has_many_words(body) THEN substr(body.abstract, 1, 160) || '…'"
    " ELSE snippet(body, -1, '', '', '…', 24) END,"
    " -bm25(body" SEARCH_FIELDS(WEIGHT) ") AS score"
    " FROM body JOIN document ON document.id = body.rowid"
    " WHERE body MATCH ?1 AND (?2 = '' OR document.collection = ?2)"
    " ORDER BY score DESC, document.id LIMIT ?3 OFFSET ?4";

struct search *
search_new(const char *dir)
{
	struct search *search = xcalloc(1, sizeof(*search));

	if (asprintf(&search->path, "%s/" SEARCH_LIVE_NAME, dir) == -1)
		abort();
	return search;
}

static void
close_db(struct search *search)
{
	(void)sqlite3_finalize(search->find);
	search->find = NULL;
	(void)sqlite3_close(search->db);
	search->db = NULL;
}

void
search_free(struct search **search)
{
	if (*search == NULL)
		return;
	close_db(*search);
	free((*search)->path);
	free(*search);
	*search = NULL;
}

/* SQLite's question whether to stop. */
static int
is_over(void *arg)
{
	const struct search *search = arg;

	return search->deadline_ms != 0 && clock_mono_ms() > search->deadline_ms;
}

static int
check_schema(struct search *search, struct err *err)
{
	sqlite3_stmt *stmt;
	int version = -1;

	if (sqlite3_prepare_v2(search->db, "PRAGMA user_version", -1, &stmt, NULL) !=
	    SQLITE_OK)
		return sqlite_err(err, search->db, search->path);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	if (version != SEARCH_SCHEMA)
		return err_set(err, ERR_VERSION, "%s: has format %d, not %d: run "
		    "full-reindex", search->path, version, SEARCH_SCHEMA);
	return 0;
}

static void
has_many_words(const Fts5ExtensionApi *api, Fts5Context *document, sqlite3_context *result,
    int args BF_UNUSED, sqlite3_value **values BF_UNUSED)
{
	int words = 0;
	int rc = api->xInstCount(document, &words);

	if (rc != SQLITE_OK)
		sqlite3_result_error_code(result, rc);
	else
		sqlite3_result_int(result, words > LIMIT_SEARCH_SNIPPET_WORDS);
}

/* As https://www.sqlite.org/fts5.html, section 8, wants it. */
static int
add_function(struct search *search, struct err *err)
{
	sqlite3_stmt *stmt;
	fts5_api *fts = NULL;

	if (sqlite3_prepare_v2(search->db, "SELECT fts5(?1)", -1, &stmt, NULL) != SQLITE_OK)
		return sqlite_err(err, search->db, search->path);
	(void)sqlite3_bind_pointer(stmt, 1, (void *)&fts, "fts5_api_ptr", NULL);
	(void)sqlite3_step(stmt);
	(void)sqlite3_finalize(stmt);
	if (fts == NULL || fts->xCreateFunction(fts, "has_many_words", NULL, has_many_words,
	    NULL) != SQLITE_OK)
		return err_set(err, ERR_SYSTEM, "this SQLite takes no functions for FTS5");
	return 0;
}

static int
open_db(struct search *search, struct err *err)
{
	int rc = sqlite3_open_v2(search->path, &search->db,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (search->db == NULL)
		return err_set(err, ERR_SYSTEM, "%s: no memory", search->path);
	(void)sqlite3_extended_result_codes(search->db, 1);
	if (rc != SQLITE_OK || sqlite3_exec(search->db, "PRAGMA query_only = 1;"
	    "PRAGMA mmap_size = 1073741824", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_err(err, search->db, search->path);
	if (check_schema(search, err) == -1 || add_function(search, err) == -1)
		return -1;
	sqlite3_progress_handler(search->db, BUDGET_STEPS, is_over, search);
	if (sqlite3_prepare_v3(search->db, FIND, -1, SQLITE_PREPARE_PERSISTENT,
	    &search->find, NULL) != SQLITE_OK)
		return sqlite_err(err, search->db, search->path);
	return 0;
}

/* The file that is live now. */
static int
be_open(struct search *search, struct err *err)
{
	struct stat st;

	if (stat(search->path, &st) == -1) {
		close_db(search);
		return err_set(err, ERR_NOT_FOUND, "nothing can be searched yet: run "
		    "full-reindex first");
	}
	if (search->find != NULL && st.st_dev == search->dev && st.st_ino == search->ino)
		return 0;
	close_db(search);
	if (open_db(search, err) == -1) {
		close_db(search);
		return -1;
	}
	search->dev = st.st_dev;
	search->ino = st.st_ino;
	return 0;
}

static struct str
column(sqlite3_stmt *stmt, int n)
{
	return (struct str){ (const char *)sqlite3_column_text(stmt, n),
	    (size_t)sqlite3_column_bytes(stmt, n) };
}

static struct str
first_line(struct str text)
{
	const char *end = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;

	return end != NULL ? (struct str){ text.ptr, (size_t)(end - text.ptr) } : text;
}

static void
give_hit(sqlite3_stmt *stmt, search_hit_cb *each, void *arg)
{
	each(&(struct search_hit){
		.uri = column(stmt, 0),
		.cid = column(stmt, 1),
		.collection = column(stmt, 2),
		.title = first_line(column(stmt, 3)),
		.snippet = column(stmt, 4),
		.score = sqlite3_column_double(stmt, 5),
	}, arg);
}

static int
step_all(struct search *search, uint64_t limit, search_hit_cb *each, void *arg,
    bool *has_more_out, struct err *err)
{
	uint64_t hits = 0;
	int rc;

	while ((rc = sqlite3_step(search->find)) == SQLITE_ROW && hits++ < limit)
		give_hit(search->find, each, arg);
	if (rc == SQLITE_INTERRUPT)
		return err_set(err, ERR_TIMEOUT, "the query finds too much: use rarer "
		    "words, or more of them");
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_err(err, search->db, search->path);
	*has_more_out = rc == SQLITE_ROW;
	return 0;
}

int
search_run(struct search *search, const struct search_request *request,
    search_hit_cb *each, void *arg, bool *has_more_out, struct err *err)
{
	struct buf match = BUF_INIT;
	int rc = -1;

	if (request->skip > LIMIT_SEARCH_SKIP)
		return err_set(err, ERR_LIMIT, "no more than the first %d hits can be "
		    "seen: use more words", LIMIT_SEARCH_SKIP);
	if (match_from_text(request->text, &match, err) == 0 &&
	    be_open(search, err) == 0) {
		search->deadline_ms = request->budget_ms > 0 ?
		    clock_mono_ms() + request->budget_ms : 0;
		(void)sqlite3_bind_text64(search->find, 1, (char *)buf_data(&match),
		    buf_len(&match), SQLITE_STATIC, SQLITE_UTF8);
		(void)sqlite3_bind_text64(search->find, 2, request->collection.len > 0 ?
		    request->collection.ptr : "", request->collection.len,
		    SQLITE_STATIC, SQLITE_UTF8);
		(void)sqlite3_bind_int64(search->find, 3, (int64_t)request->limit + 1);
		(void)sqlite3_bind_int64(search->find, 4, (int64_t)request->skip);
		rc = step_all(search, request->limit, each, arg, has_more_out, err);
		(void)sqlite3_reset(search->find);
		(void)sqlite3_clear_bindings(search->find);
	}
	buf_clear(&match);
	return rc;
}
