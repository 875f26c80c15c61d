#include "workers/sync_env.h"

#include <stdio.h>
#include <stdlib.h>

#include "atproto/nsid.h"
#include "atproto/sha256.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "workers/host_memory.h"
#include "workers/room.h"
#include "workers/row_writer.h"

#define RATE_LIMIT_WAIT_MS	(60 * 1000)
#define DEFER_WAIT_MS		(3 * 1000)	/* a longer wait is spent elsewhere */

/* Servers log it; who is bothered by us should know whom to write to. */
static char *
make_user_agent(const char *contact)
{
	struct buf text = BUF_INIT;
	char *result;

	buf_printf(&text, "%s/%s", PACKAGE_NAME, PACKAGE_VERSION);
	if (*contact != '\0')
		buf_printf(&text, " (+%s)", contact);
	result = xstrndup((const char *)buf_data(&text), buf_len(&text));
	buf_clear(&text);
	return result;
}

/* A repository is kept with this, so that another list is noticed although the
 * repository has not changed.  A list in another order counts as another. */
static void
name_selection(const char *collections, char name_out[SYNC_SELECTION_SIZE])
{
	struct sha256 *sha = sha256_new();
	struct str rest = str_from(collections), item;
	uint8_t digest[SHA256_BYTES];
	struct buf list = BUF_INIT;

	while (!str_is_empty(item = settings_next_item(&rest))) {
		buf_add_str(&list, item);
		buf_add_byte(&list, ' ');
	}
	sha256_digest(sha, buf_bytes(&list), digest);
	for (int i = 0; i < SYNC_SELECTION_SIZE / 2; i++)
		(void)sprintf(name_out + 2 * i, "%02x", digest[i]);
	buf_clear(&list);
	sha256_free(&sha);
}

static int
make_filter(const char *collections, struct filter **filter_out, struct err *err)
{
	struct filter *filter = filter_new();
	struct str rest = str_from(collections), item;
	bool wants_all = false;

	while (!str_is_empty(item = settings_next_item(&rest))) {
		wants_all |= str_eq(item, STR("*"));
		if (filter_add(filter, item) == -1) {
			filter_free(&filter);
			return err_set(err, ERR_INVALID, "collections: \"%.*s\" is no "
			    "collection or pattern such as pub.chive.*", STR_FMT(item));
		}
	}
	/* No filter at all is faster than one that wants everything. */
	if (wants_all)
		filter_free(&filter);
	*filter_out = filter;
	return 0;
}

/* --- the governance account --- */

/* `collections` and the two of the graph; nothing to do if they have them. */
static int
make_governance(struct sync_env *env, struct err *err)
{
	const struct settings *settings = env->settings;
	struct str node = str_from(settings->governance_node_collection);
	struct str edge = str_from(settings->governance_edge_collection);
	struct buf list = BUF_INIT;
	int rc;

	if (settings->governance_did[0] == '\0')
		return 0;
	if (!nsid_is_valid(node) || !nsid_is_valid(edge) || str_eq(node, edge))
		return err_set(err, ERR_INVALID, "governance_node_collection and "
		    "governance_edge_collection have to be two NSIDs such as "
		    "pub.chive.graph.node");
	if (filter_wants(env->filter, node) && filter_wants(env->filter, edge))
		return 0;
	buf_printf(&list, "%s %.*s %.*s", settings->collections, STR_FMT(node),
	    STR_FMT(edge));
	buf_add_byte(&list, '\0');
	rc = make_filter((const char *)buf_data(&list), &env->governance_filter, err);
	name_selection((const char *)buf_data(&list), env->governance_selection);
	env->has_governance = true;
	buf_clear(&list);
	return rc;
}

static bool
is_governance(const struct sync_env *env, struct str did)
{
	return env->has_governance && str_eq(did, str_from(env->settings->governance_did));
}

const struct filter *
sync_env_filter(const struct sync_env *env, struct str did)
{
	return is_governance(env, did) ? env->governance_filter : env->filter;
}

const char *
sync_env_selection(const struct sync_env *env, struct str did)
{
	return is_governance(env, did) ? env->governance_selection : env->selection;
}

/* --- life --- */

struct http_options
sync_env_http_options(const struct sync_env *env)
{
	const struct settings *settings = env->settings;

	return (struct http_options){
		.user_agent = env->user_agent,
		.allow_private_addresses = settings->allow_private_addresses,
		.allow_plain_http = settings->allow_plain_http,
		.attempts = (unsigned)settings->fetch_retries + 1,
		.connect_ms = (int64_t)settings->connect_timeout_ms,
		.bulk_total_ms = (int64_t)settings->fetch_timeout_ms,
		.wait_ms = env->defers ? DEFER_WAIT_MS : 0,
		.answers_429 = env->answers_429,
		.polite = {
			.requests_per_s = (double)settings->host_requests_per_s,
			.burst = (double)settings->host_requests_per_s * 2,
			.per_host_max = (unsigned)settings->host_connections,
			.bulk_per_host_max = (unsigned)settings->host_downloads,
		},
	};
}

int
sync_env_init(struct sync_env *env, struct ev_loop *loop, struct records_link *records,
    const struct settings *settings, uint64_t *answers_429, struct err *err)
{
	struct http_options options;

	*env = (struct sync_env){
		.loop = loop, .records = records, .settings = settings,
		.answers_429 = answers_429,
		.identity = {
			.plc_url = settings->plc_directory,
			.allow_plain_http = settings->allow_plain_http,
		},
		.rate_limit_wait_ms = RATE_LIMIT_WAIT_MS,
		.memory_bytes = settings->repo_memory_bytes,
		.max_blocks = LIMIT_CAR_BLOCKS,
		.document_max_age_ms = (int64_t)settings->identity_cache_ms,
	};
	if (make_filter(settings->collections, &env->filter, err) == -1)
		return -1;
	name_selection(settings->collections, env->selection);
	if (make_governance(env, err) == -1) {
		filter_free(&env->filter);
		return -1;
	}
	env->user_agent = make_user_agent(settings->contact);
	env->room = xcalloc(1, sizeof(*env->room));
	options = sync_env_http_options(env);
	env->http = http_new(loop, &options);
	return 0;
}

void
sync_env_share(struct sync_env *env, unsigned repos)
{
	struct http_options options;

	env->memory_bytes = env->settings->repo_memory_bytes / repos;
	/* Several at the limit, of one hostile server, would be too much for the worker. */
	env->max_blocks = LIMIT_CAR_BLOCKS / repos;
	env->defers = true;
	http_free(&env->http);
	options = sync_env_http_options(env);
	env->http = http_new(env->loop, &options);
}

void
sync_env_remember(struct sync_env *env, sync_env_cb *on_ready, void *arg)
{
	env->notes = row_writer_new(env->loop, env->records);
	env->hosts = host_memory_new(env, env->notes, on_ready, arg);
}

void
sync_env_remember_met(struct sync_env *env)
{
	env->notes = row_writer_new(env->loop, env->records);
	env->hosts = host_memory_new_of_met(env, env->notes);
}

static void
on_flushed(void *arg)
{
	struct sync_env *env = arg;
	const char *why = row_writer_error(env->notes);

	env->on_written(*why != '\0' ? why : NULL, env->arg);
}

void
sync_env_write(struct sync_env *env, sync_env_cb *on_written, void *arg)
{
	env->on_written = on_written;
	env->arg = arg;
	host_memory_save(env->hosts);
	row_writer_flush(env->notes, on_flushed, env);
}

void
sync_env_clear(struct sync_env *env)
{
	host_memory_free(&env->hosts);
	row_writer_free(&env->notes);
	http_free(&env->http);
	filter_free(&env->filter);
	filter_free(&env->governance_filter);
	free(env->user_agent);
	env->user_agent = NULL;
	free(env->room);
	env->room = NULL;
}
