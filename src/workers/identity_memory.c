#include "workers/identity_memory.h"

#include <stdlib.h>

#include "atproto/diddoc.h"
#include "atproto/sha256.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "fetch/identity.h"
#include "rows/identity_row.h"
#include "workers/host_memory.h"
#include "workers/row_writer.h"
#include "workers/rows_link.h"
#include "workers/sync_env.h"

#define DID_KEY_PREFIX	(sizeof("did:key:") - 1)

struct identity_ask {
	const struct sync_env *env;	/* borrowed */
	identity_answer_cb *cb;
	void *arg;
	/* owned; of the two at most one is under way */
	struct str did;
	struct link_question *question;
	struct identity *identity;
	char *pds;
	struct identity_answer answer;
};

static void
ask_free(struct identity_ask *ask)
{
	free((void *)(uintptr_t)ask->did.ptr);
	free(ask->pds);
	free(ask);
}

static struct bytes
as_bytes(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

/* --- the answer --- */

static void
tell(struct identity_ask *ask)
{
	struct host_memory *hosts = ask->env->hosts;

	if (hosts != NULL && ask->pds != NULL)
		host_memory_see(hosts, str_from(ask->pds), HOST_FROM_DOCUMENT);
	ask->answer.pds = ask->pds;
	ask->cb(&ask->answer, ask->arg);
	ask_free(ask);
}

static void
on_host(struct bytes key, struct bytes value, void *arg)
{
	struct identity_ask *ask = arg;

	ask->answer.host_pause_ms = host_memory_take(ask->env->hosts, key, value);
}

static void
on_host_end(const struct msg_refuse *why BF_UNUSED, void *arg)
{
	struct identity_ask *ask = arg;

	ask->question = NULL;
	tell(ask);
}

/* Whoever gets the answer will ask its server: first what is known of that. */
static void
meet(struct identity_ask *ask)
{
	char origin[URL_ORIGIN_SIZE];

	if (ask->env->hosts != NULL && ask->pds != NULL &&
	    host_memory_lacks(ask->env->hosts, str_from(ask->pds), origin))
		ask->question = rows_get(ask->env->records, ROW_HOST,
		    as_bytes(str_from(origin)), on_host, on_host_end, ask);
	else
		tell(ask);
}

/* --- from the network --- */

static void
remember(const struct identity_ask *ask, const struct identity_result *result)
{
	const struct diddoc *doc = result->doc;
	struct buf value = BUF_INIT, key = BUF_INIT;
	struct identity_row row = { .fetched_ms = (uint64_t)clock_wall_ms(),
		.status = IDENTITY_TOMBSTONED };
	uint8_t digest[SHA256_BYTES];
	struct sha256 *sha;

	if (doc != NULL) {
		row.status = IDENTITY_OK;
		row.pds_url = str_from(doc->pds);
		row.handle = str_from(doc->handle);
		if (doc->has_key)
			key_format_did_key(&doc->key, &key);
		if (doc->has_key)
			buf_consume(&key, DID_KEY_PREFIX);
		row.signing_key = buf_str(&key);
		sha = sha256_new();
		sha256_digest(sha, result->json, digest);
		sha256_free(&sha);
		row.doc_hash = (struct bytes){ digest, sizeof(digest) };
	}
	identity_row_encode(&value, &row);
	row_writer_put(ask->env->notes, ROW_IDENTITY, as_bytes(ask->did),
	    buf_bytes(&value));
	buf_clear(&value);
	buf_clear(&key);
}

static void
on_identity(const struct identity_result *result, void *arg)
{
	struct identity_ask *ask = arg;

	ask->identity = NULL;
	if (ask->env->notes != NULL && (result->doc != NULL ||
	    result->error.class == FETCH_GONE))
		remember(ask, result);
	ask->answer.error = result->error;
	ask->answer.retry_after_ms = result->retry_after_ms;
	if (result->doc != NULL) {
		if (result->doc->pds != NULL)
			ask->pds = xstrdup(result->doc->pds);
		ask->answer.has_key = result->doc->has_key;
		ask->answer.key = result->doc->key;
	}
	meet(ask);
}

static void
fetch(struct identity_ask *ask)
{
	ask->identity = identity_resolve(ask->env->http, &ask->env->identity, ask->did,
	    on_identity, ask);
}

/* --- from the index --- */

static void
on_row(struct bytes key, struct bytes value, void *arg)
{
	struct identity_ask *ask = arg;
	struct identity_row row;
	int64_t age_ms;

	if (identity_row_decode(key, value, &row) == -1 || row.status != IDENTITY_OK ||
	    row.pds_url.len == 0 ||
	    key_parse_multikey(row.signing_key, &ask->answer.key) == -1)
		return;
	age_ms = clock_wall_ms() - (int64_t)row.fetched_ms;
	if (age_ms < 0 || age_ms > ask->env->document_max_age_ms)
		return;
	ask->pds = xstrndup(row.pds_url.ptr, row.pds_url.len);
}

static void
on_end(const struct msg_refuse *why BF_UNUSED, void *arg)
{
	struct identity_ask *ask = arg;

	ask->question = NULL;
	if (ask->pds == NULL) {
		fetch(ask);
		return;
	}
	ask->answer.error.class = FETCH_OK;
	ask->answer.retry_after_ms = -1;
	ask->answer.is_remembered = ask->answer.has_key = true;
	meet(ask);
}

/* --- life --- */

struct identity_ask *
identity_ask_start(const struct sync_env *env, struct str did, bool is_fresh,
    identity_answer_cb *cb, void *arg)
{
	struct identity_ask *ask = xcalloc(1, sizeof(*ask));

	ask->env = env;
	ask->cb = cb;
	ask->arg = arg;
	ask->did = (struct str){ xmemdup(did.ptr, did.len), did.len };
	if (is_fresh || env->notes == NULL)
		fetch(ask);
	else
		ask->question = rows_get(env->records, ROW_IDENTITY, as_bytes(ask->did),
		    on_row, on_end, ask);
	return ask;
}

void
identity_ask_cancel(struct identity_ask **ask)
{
	/* Inside its own callback there is nothing left to cancel. */
	if (*ask != NULL && ((*ask)->identity != NULL || (*ask)->question != NULL)) {
		identity_cancel(&(*ask)->identity);
		if ((*ask)->question != NULL)
			link_question_cancel(&(*ask)->question);
		ask_free(*ask);
	}
	*ask = NULL;
}
