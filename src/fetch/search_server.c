#include "fetch/search_server_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/basex.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

static const struct http_limits LIMITS = {
	.body_bytes = LIMIT_FETCH_JSON_BYTES,
	.connect_ms = 10000,
	.head_ms = 120000,
	.total_ms = 180000,
	.slow_ms = 60000,
	.slow_bytes = 1,
	.attempts = 5,
	.wait_ms = 600000,
};

/* --- the end of a request --- */

static void
end(struct search_server *server, const struct fetch_error *error)
{
	server->on_done(error, server->arg);
}

void
search_server_fail(struct search_server *server, const char *text)
{
	struct fetch_error error;

	fetch_error_set(&error, FETCH_INVALID, "%s: %s", server->url, text);
	end(server, &error);
}

void
search_server_succeed(struct search_server *server)
{
	end(server, &(struct fetch_error){ .class = FETCH_OK });
}

static void
read_answer(struct search_server *server)
{
	json_t *json = json_loadb((const char *)buf_data(&server->answer),
	    buf_len(&server->answer), JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(json))
		search_server_fail(server, "the answer is no JSON object");
	else
		server->on_answer(server, json);
	json_decref(json);
}

/* What the server says of a request that it did not like. */
static void
explain(const struct search_server *server, const struct http_result *result,
    struct fetch_error *error)
{
	int len = result->error_body.len < 160 ? (int)result->error_body.len : 160;

	*error = result->error;
	if (len > 0)
		fetch_error_set(error, result->error.class, "%s: status %u: %.*s",
		    server->url, result->status, len, result->error_body.ptr);
}

static void
on_body(struct http_request *request BF_UNUSED, struct bytes chunk, void *arg)
{
	struct search_server *server = arg;

	buf_add(&server->answer, chunk.ptr, chunk.len);
}

static void
on_restart(struct http_request *request BF_UNUSED, void *arg)
{
	struct search_server *server = arg;

	buf_reset(&server->answer);
}

static void
on_done(struct http_request *request BF_UNUSED, const struct http_result *result,
    void *arg)
{
	struct search_server *server = arg;
	struct fetch_error error;

	server->request = NULL;
	server->retry_after_ms = result->retry_after_ms;
	if (result->error.class == FETCH_OK) {
		read_answer(server);
	} else if (server->may_be_missing && result->status == 404) {
		buf_reset(&server->answer);
		buf_add_str(&server->answer, STR("{}"));
		read_answer(server);
	} else if (result->error.class != FETCH_RATE_LIMITED ||
	    !search_bulk_is_put_off(server)) {
		explain(server, result, &error);
		end(server, &error);
	}
}

void
search_server_ask(struct search_server *server, const char *path, const char *type,
    struct bytes body, search_server_answer_cb *on_answer)
{
	struct buf url = BUF_INIT;
	struct http_get get = {
		.accept = "application/json",
		.limits = &LIMITS,
		.is_trusted = true,
		.authorization = server->authorization,
		.on_body = on_body,
		.on_restart = on_restart,
		.on_done = on_done,
		.arg = server,
	};

	buf_printf(&url, "%s%s%c", server->url, path, '\0');
	get.url = (const char *)buf_data(&url);
	buf_reset(&server->answer);
	server->on_answer = on_answer;
	if (body.ptr == NULL)
		server->request = http_get(server->http, &get);
	else
		server->request = http_post(server->http, &get, &(struct http_upload){
		    .content_type = type, .head = body, .fd = -1 });
	buf_clear(&url);
}

/* --- publish --- */

static void
on_moved(struct search_server *server, const json_t *json)
{
	if (json_is_true(json_object_get(json, "acknowledged")))
		search_server_succeed(server);
	else
		search_server_fail(server, "the alias was not moved");
}

/* What names an index, and neither several nor something else: of each that it names
 * as having the alias the server is told to remove it. */
static bool
is_index_name(const char *name)
{
	return *name != '\0' && strchr("_-+", *name) == NULL &&
	    str_is_visible(str_from(name)) &&
	    strpbrk(name, "*?,:#/\\<>|\" %") == NULL;
}

/* {INDEX: {"aliases": {ALIAS: {...}}}, ...} */
static bool
are_of_alias(const struct search_server *server, const json_t *had)
{
	void *const start = json_object_iter((json_t *)(uintptr_t)had);

	for (void *at = start; at != NULL;
	    at = json_object_iter_next((json_t *)(uintptr_t)had, at)) {
		const json_t *aliases = json_object_get(json_object_iter_value(at),
		    "aliases");

		if (!is_index_name(json_object_iter_key(at)) ||
		    json_object_get(aliases, server->alias) == NULL)
			return false;
	}
	return true;
}

/* {"add": {"index": ..., "alias": ...}} for ours, {"remove_index": ...} for each
 * other one that has the alias: `had` has a member for each. */
static json_t *
make_actions(const struct search_server *server, const json_t *had)
{
	json_t *actions = json_array();
	void *at;

	json_array_append_new(actions, json_pack("{s{ssss}}", "add", "index",
	    server->index, "alias", server->alias));
	for (at = json_object_iter((json_t *)(uintptr_t)had); at != NULL;
	    at = json_object_iter_next((json_t *)(uintptr_t)had, at))
		if (strcmp(json_object_iter_key(at), server->index) != 0)
			json_array_append_new(actions, json_pack("{s{ss}}",
			    "remove_index", "index", json_object_iter_key(at)));
	return actions;
}

static void
on_aliases(struct search_server *server, const json_t *had)
{
	json_t *body;
	char *text;

	server->may_be_missing = false;
	if (!are_of_alias(server, had)) {
		search_server_fail(server, "the answer does not tell what has the alias");
		return;
	}
	if (json_object_size(had) == 1 && json_object_get(had, server->index) != NULL) {
		search_server_succeed(server);
		return;
	}
	body = json_pack("{so}", "actions", make_actions(server, had));
	text = json_dumps(body, JSON_COMPACT);
	search_server_ask(server, "/_aliases", "application/json",
	    (struct bytes){ (const uint8_t *)text, strlen(text) }, on_moved);
	free(text);
	json_decref(body);
}

static void
on_refreshed(struct search_server *server, const json_t *json BF_UNUSED)
{
	char path[LIMIT_SEARCH_NAME_BYTES + 64];

	server->may_be_missing = true;
	(void)snprintf(path, sizeof(path), "/_alias/%s", server->alias);
	search_server_ask(server, path, NULL, BYTES_NONE, on_aliases);
}

void
search_server_publish(struct search_server *server,
    search_server_done_cb *on_published, void *arg)
{
	char path[LIMIT_SEARCH_NAME_BYTES + 64];

	server->may_be_missing = false;
	server->on_done = on_published;
	server->arg = arg;
	(void)snprintf(path, sizeof(path), "/%s/_refresh", server->index);
	search_server_ask(server, path, "application/json", (struct bytes){ (const uint8_t *)"", 0 },
	    on_refreshed);
}

/* --- life --- */

bool
search_server_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= LIMIT_SEARCH_NAME_BYTES &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == len &&
	    strchr("_-.", name[0]) == NULL;
}

/* The header's value: as it stands, or as HTTP Basic has it. */
static char *
make_authorization(const char *credentials)
{
	struct str given = str_from(credentials);
	struct buf text = BUF_INIT;
	char *value;

	if (given.len == 0)
		return NULL;
	if (str_starts_with(given, STR("ApiKey ")))
		return xstrdup(credentials);
	buf_add_str(&text, STR("Basic "));
	base64_encode((struct bytes){ (const uint8_t *)given.ptr, given.len }, &text);
	for (size_t i = given.len; i % 3 != 0; i++)
		buf_add_byte(&text, '=');
	value = xstrndup((const char *)buf_data(&text), buf_len(&text));
	buf_clear(&text);
	return value;
}

struct search_server *
search_server_new(struct ev_loop *loop, struct http *http, const char *url,
    const char *credentials, const char *alias, const char *index)
{
	struct search_server *server = xcalloc(1, sizeof(*server));
	size_t len = strlen(url);

	server->loop = loop;
	server->http = http;
	search_bulk_init(server);
	server->url = xstrndup(url, len > 0 && url[len - 1] == '/' ? len - 1 : len);
	server->authorization = make_authorization(credentials);
	server->alias = xstrdup(alias);
	server->index = xstrdup(index);
	return server;
}

void
search_server_free(struct search_server **server)
{
	if (*server == NULL)
		return;
	search_bulk_clear(*server);
	http_cancel(&(*server)->request);
	buf_clear(&(*server)->answer);
	free((*server)->url);
	free((*server)->authorization);
	free((*server)->alias);
	free((*server)->index);
	free(*server);
	*server = NULL;
}
