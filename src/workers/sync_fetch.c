/*
 * The part of a sync that asks the network: the DID document, where the
 * repository stands, the repository.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "workers/sync_repo_impl.h"

#define CUT_WAIT_MS	1000		/* at most, before the first new attempt; growing */
#define CUT_WAIT_MAX_MS	(60 * 1000)
#define PAUSE_TOLD_MS	(2 * 1000)	/* a shorter one is not worth a line */

/* --- account states --- */

/*
 * The server says that the account is not there or not to be shown.  "Not found"
 * is believed of the server that the DID's own document names, and of no other.
 */
static const char *
status_of(enum fetch_class class)
{
	switch (class) {
	case FETCH_NOT_FOUND:
	case FETCH_GONE:
		return "deleted";
	case FETCH_DEACTIVATED:
		return "deactivated";
	case FETCH_SUSPENDED:
		return "suspended";
	case FETCH_TAKENDOWN:
		return "takendown";
	default:
		return NULL;
	}
}

static void
write_status(struct sync_repo *sync, const char *status)
{
	sync->status = status;
	if (sync->is_remembered) {
		sync_enter(sync, SYNC_CONFIRMING);
		return;
	}
	sync_fetch_clear(sync);
	if (strcmp(status, "deleted") == 0 && sync->known.records > 0)
		sync_enter(sync, SYNC_PURGING);
	else
		sync_enter(sync, SYNC_COMMITTING);
}

/* A request of this step did not bring what it was for. */
static void
take_error(struct sync_repo *sync, const struct fetch_error *error,
    int64_t retry_after_ms)
{
	int64_t wait_ms = retry_after_ms > 0 ? retry_after_ms :
	    sync->env->rate_limit_wait_ms;

	if (error->class == FETCH_RATE_LIMITED && !sync->env->defers) {
		sync_note(sync, "%s; waiting %" PRId64 " s", error->text, wait_ms / 1000);
		sync_enter_again(sync, wait_ms);
		return;
	}
	sync->outcome.retry_after_ms = retry_after_ms;
	sync_fail(sync, fetch_class_word(error->class), "%s", error->text);
}

/* --- the DID document --- */

/* False if the sync has ended for what the document lacks. */
static bool
take_document(struct sync_repo *sync, const struct identity_answer *doc)
{
	if (doc->pds == NULL) {
		sync_fail(sync, "no-server", "the DID document of %s names no PDS%s",
		    sync->did, sync->env->settings->allow_plain_http ? "" :
		    " with https");
		return false;
	}
	if (!doc->has_key) {
		sync_fail(sync, "no-key", "the DID document of %s has no key #atproto",
		    sync->did);
		return false;
	}
	if (doc->host_pause_ms > PAUSE_TOLD_MS)
		sync_note(sync, "%s wanted a pause, or failed, in an earlier operation; it is "
		    "not asked for another %" PRId64 " s", doc->pds,
		    doc->host_pause_ms / 1000);
	free(sync->pds);
	sync->pds = xstrdup(doc->pds);
	sync->key = doc->key;
	sync->has_key = true;
	sync->is_remembered = doc->is_remembered;
	return true;
}

static void
on_document(const struct identity_answer *result, void *arg)
{
	struct sync_repo *sync = arg;

	sync->identity = NULL;
	if (result->error.class == FETCH_OK) {
		if (take_document(sync, result))
			sync_enter(sync, SYNC_CLAIMING);
	} else if (result->error.class == FETCH_GONE) {
		/* A tombstone is the account's own word. */
		sync->status = "deleted";
		sync_enter(sync, SYNC_CLAIMING);
	} else {
		/* FETCH_NOT_FOUND as well: a directory that does not know a DID
		 * proves nothing about an account that we may have indexed. */
		take_error(sync, &result->error, result->retry_after_ms);
	}
}

/* A server said that the account is not there; does its document still name it? */
static void
on_document_to_confirm(const struct identity_answer *result, void *arg)
{
	struct sync_repo *sync = arg;
	const char *status = sync->status;
	char *old_pds = xstrdup(sync->pds);

	sync->identity = NULL;
	sync->is_remembered = false;
	if (result->error.class == FETCH_GONE) {
		write_status(sync, "deleted");
	} else if (result->error.class != FETCH_OK) {
		take_error(sync, &result->error, result->retry_after_ms);
	} else if (take_document(sync, result)) {
		sync->status = NULL;
		if (strcmp(old_pds, sync->pds) == 0)
			write_status(sync, status);
		else
			sync_enter(sync, SYNC_FETCHING);
	}
	free(old_pds);
}

/* The signature did not fit.  If the account has moved, the copy that we have is
 * the old server's; if it has a new key, the copy may fit that. */
static void
on_document_again(const struct identity_answer *result, void *arg)
{
	struct sync_repo *sync = arg;
	struct key old_key = sync->key;
	char *old_pds;

	sync->identity = NULL;
	if (result->error.class != FETCH_OK) {
		take_error(sync, &result->error, result->retry_after_ms);
		return;
	}
	old_pds = xstrdup(sync->pds);
	if (take_document(sync, result)) {
		if (strcmp(old_pds, sync->pds) != 0) {
			sync_note(sync, "the account has moved to %s", sync->pds);
			sync_enter(sync, SYNC_FETCHING);
		} else if (!key_eq(&old_key, &sync->key)) {
			sync_check_commit(sync);
		} else {
			sync_fail_fault(sync, &sync->fault);
		}
	}
	free(old_pds);
}

void
sync_fetch_document(struct sync_repo *sync)
{
	identity_answer_cb *cb = on_document;

	if (sync->step == SYNC_REFRESHING) {
		cb = on_document_again;
		sync->was_refreshed = true;
	} else if (sync->step == SYNC_CONFIRMING) {
		cb = on_document_to_confirm;
	}
	sync->identity = identity_ask_start(sync->env, str_from(sync->did),
	    sync->wants_fresh_document || sync->step != SYNC_RESOLVING, cb, sync);
}

/* --- where the repository stands --- */

/* At this commit, and of the collections that are wanted now. */
static bool
is_indexed(const struct sync_repo *sync, const struct latest_commit_result *latest)
{
	const struct sync_known *known = &sync->known;
	struct cid cid;

	return strcmp(known->rev, latest->rev) == 0 && known->has_cids &&
	    cid_parse(latest->cid, &cid) == 0 && cid_eq(&cid, &known->commit) &&
	    strcmp(known->selection, sync_env_selection(sync->env,
	    str_from(sync->did))) == 0;
}

static void
on_latest(const struct latest_commit_result *result, void *arg)
{
	struct sync_repo *sync = arg;

	sync->latest = NULL;
	if (result->error.class == FETCH_OK && is_indexed(sync, result)) {
		(void)str_copy(sync->outcome.rev, sizeof(sync->outcome.rev),
		    str_from(result->rev));
		if (strcmp(sync->known.status, "active") == 0) {
			sync_finish(sync, SYNC_UNCHANGED);
		} else {
			/* It came back as it was. */
			sync->status = "active";
			sync_enter(sync, SYNC_COMMITTING);
		}
	} else if (result->error.class == FETCH_OK) {
		sync_enter(sync, SYNC_FETCHING);
	} else if (status_of(result->error.class) != NULL) {
		write_status(sync, status_of(result->error.class));
	} else {
		take_error(sync, &result->error, result->retry_after_ms);
	}
}

void
sync_fetch_latest(struct sync_repo *sync)
{
	sync->latest = latest_commit_get(sync->env->http, sync->pds,
	    str_from(sync->did), on_latest, sync);
}

/* --- the repository --- */

void
sync_fetch_clear(struct sync_repo *sync)
{
	diff_free(&sync->diff);
	repo_walk_free(&sync->walk);
	repo_free(&sync->repo);
	sync->fault = FAULT_INIT;
}

static void
open_repo(struct sync_repo *sync)
{
	const struct settings *settings = sync->env->settings;
	struct repo_options options = REPO_OPTIONS_DEFAULT;

	sync_fetch_clear(sync);
	/* What cannot be emptied is not used. */
	if (sync->spill_fd >= 0 && ftruncate(sync->spill_fd, 0) == 0 &&
	    lseek(sync->spill_fd, 0, SEEK_SET) == 0)
		options.spill_fd = sync->spill_fd;
	options.memory_bytes = sync->env->memory_bytes;
	options.max_blocks = sync->env->max_blocks;
	if (settings->repo_max_bytes < options.max_bytes)
		options.max_bytes = settings->repo_max_bytes;
	sync->repo = repo_new(&options);
}

static void
on_body(struct get_repo *get, struct bytes chunk, void *arg)
{
	struct sync_repo *sync = arg;

	if (sync->fault.code != FAULT_NONE)
		return;
	sync->progress.bytes += chunk.len;
	if (repo_feed(sync->repo, chunk, &sync->fault) == -1)
		get_repo_fail(get, FETCH_INVALID, "the repository is not sound");
	sync_tell_progress(sync);
}

/* A transfer that was cut is not begun again by http.h, which does not know that
 * what it has handed over can be thrown away. */
static bool
may_fetch_again(const struct sync_repo *sync, const struct get_repo_result *result)
{
	return fetch_class_is_transient(result->error.class) &&
	    result->error.class != FETCH_RATE_LIMITED && result->body_bytes > 0 &&
	    sync->cuts < sync->env->settings->fetch_retries;
}

static void
fetch_again(struct sync_repo *sync, const struct fetch_error *error)
{
	int64_t wait_ms = sync_backoff_ms(CUT_WAIT_MS, sync->cuts, CUT_WAIT_MAX_MS);

	sync->cuts++;
	sync_note(sync, "%s; fetching it again", error->text);
	sync_enter_again(sync, wait_ms);
}

static void
on_repo(struct get_repo *get BF_UNUSED, const struct get_repo_result *result, void *arg)
{
	struct sync_repo *sync = arg;

	sync->get = NULL;
	sync->end_is_marked = result->end_is_marked;
	if (sync->fault.code != FAULT_NONE) {
		sync_fail_fault(sync, &sync->fault);
	} else if (result->error.class == FETCH_OK) {
		sync_check_commit(sync);
	} else if (status_of(result->error.class) != NULL) {
		write_status(sync, status_of(result->error.class));
	} else if (may_fetch_again(sync, result)) {
		fetch_again(sync, &result->error);
	} else {
		take_error(sync, &result->error, result->retry_after_ms);
	}
}

void
sync_fetch_repo(struct sync_repo *sync)
{
	struct get_repo_query query = {
		.pds = sync->pds,
		.did = str_from(sync->did),
		.body_bytes = sync->env->settings->repo_max_bytes,
	};

	open_repo(sync);
	sync->get = get_repo_start(sync->env->http, &query, on_body, on_repo, sync);
}
