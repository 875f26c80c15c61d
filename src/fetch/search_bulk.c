/*
 * The part of search_server.h that sends documents.
 *
 *	send -> every one is in, or refused                       the end
 *	     -> some have status 429: wait, send these again
 *	     -> the answer itself is a 429: wait, send all again
 *
 * 429 is "not now": the queue of the server is full, and it has not looked at what we
 * sent.  As long as each answer has taken at least one document that goes on; if none
 * does, it has an end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/polite.h"
#include "fetch/search_server_impl.h"

#define TOO_MANY_REQUESTS	429
#define LATER_MS		1000	/* at most, at first; growing */
#define LATER_MAX_MS		(60 * 1000)

static struct str
text_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return STR_NONE;
	return (struct str){ json_string_value(value), json_string_length(value) };
}

static long long
status_of(const json_t *item)
{
	return json_integer_value(json_object_get(json_object_get(item, "index"),
	    "status"));
}

/* Items stand in the order of what was sent: all of them, and no others. */
static bool
are_items_ours(const struct search_server *server, const json_t *items)
{
	const char *id = (const char *)server->bulk.ids.ptr;
	const char *end = id + server->bulk.ids.len;
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item) {
		const json_t *of = json_object_get(item, "index");

		if (id == end || !str_eq(text_member(of, "_id"), str_from(id)) ||
		    !json_is_integer(json_object_get(of, "status")))
			return false;
		id += strlen(id) + 1;
	}
	return id == end;
}

/* --- later --- */

static void send_bulk(struct search_server *server);

static void
on_later(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	send_bulk(timer->data);
}

/* Of a server that has taken nothing for so long. */
static bool
has_had_enough(const struct search_server *server)
{
	return server->busy_since_ms > 0 &&
	    clock_mono_ms() - server->busy_since_ms >= server->bulk.patience_ms;
}

static void
wait_and_send(struct search_server *server, size_t documents)
{
	int64_t wait_ms = server->retry_after_ms, left_ms;

	if (server->busy_since_ms == 0)
		server->busy_since_ms = clock_mono_ms();
	if (wait_ms <= 0)
		wait_ms = polite_backoff_ms(LATER_MS, server->busy_count, LATER_MAX_MS,
		    (double)arc4random() / 4294967296.);
	server->busy_count++;
	/* Not beyond the patience, which ends with one more try. */
	left_ms = server->busy_since_ms + server->bulk.patience_ms - clock_mono_ms();
	if (wait_ms > left_ms)
		wait_ms = left_ms > 0 ? left_ms : 0;
	server->bulk.on_later(documents, wait_ms, server->arg);
	ev_timer_set(&server->later, (double)wait_ms / 1000., 0.);
	ev_timer_start(server->loop, &server->later);
}

/* Two lines and an id of what was sent last. */
struct document {
	struct bytes lines, id;
};

/* The next of what is left of both. */
static struct document
next_document(struct bytes *lines, struct bytes *ids)
{
	struct document document = { .lines = { lines->ptr, 0 },
	    .id = { ids->ptr, strlen((const char *)ids->ptr) + 1 } };

	for (int i = 0; i < 2; i++) {
		const uint8_t *end = memchr(lines->ptr, '\n', lines->len);
		size_t len = end != NULL ? (size_t)(end - lines->ptr) + 1 : lines->len;

		document.lines.len += len;
		lines->ptr += len;
		lines->len -= len;
	}
	ids->ptr += document.id.len;
	ids->len -= document.id.len;
	return document;
}

/* --- an answer --- */

/* {"index": {"_id": ..., "status": 400, "error": {"type": ..., "reason": ...}}} */
static void
refuse(struct search_server *server, const json_t *item, const char *class)
{
	const json_t *of = json_object_get(item, "index");
	const json_t *error = json_object_get(of, "error");
	struct buf text = BUF_INIT;

	buf_printf(&text, "status %lld", status_of(item));
	if (text_member(error, "type").len > 0)
		buf_printf(&text, ": %.*s: %.*s", STR_FMT(text_member(error, "type")),
		    STR_FMT(text_member(error, "reason")));
	server->bulk.on_refused(text_member(of, "_id"), class, buf_str(&text), server->arg);
	buf_clear(&text);
}

/* Whether the document is in the index. */
static bool
is_in(const json_t *item)
{
	const json_t *error = json_object_get(json_object_get(item, "index"), "error");
	long long status = status_of(item);

	return (error == NULL || json_is_null(error)) && status >= 200 && status < 300;
}

static size_t
count_busy(const json_t *items)
{
	const json_t *item;
	size_t count = 0, i;

	json_array_foreach(items, i, item)
		count += status_of(item) == TOO_MANY_REQUESTS;
	return count;
}

/* Tell of each that is refused, and keep those that are to be sent again. */
static bool
read_items(struct search_server *server, const json_t *items, struct search_again *again)
{
	struct bytes lines = server->bulk.lines, ids = server->bulk.ids;
	bool has_had = has_had_enough(server), are_all_in = true;
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item) {
		struct document document = next_document(&lines, &ids);

		if (is_in(item))
			continue;
		are_all_in = false;
		if (status_of(item) != TOO_MANY_REQUESTS) {
			refuse(server, item, "refused");
		} else if (has_had) {
			refuse(server, item, "rate-limited");
		} else {
			buf_add(&again->lines, document.lines.ptr, document.lines.len);
			buf_add(&again->ids, document.id.ptr, document.id.len);
			again->count++;
		}
	}
	return are_all_in;
}

static void
forget_again(struct search_again *again)
{
	buf_clear(&again->lines);
	buf_clear(&again->ids);
	*again = (struct search_again){ .count = 0 };
}

static void
on_bulk(struct search_server *server, const json_t *json)
{
	const json_t *items = json_object_get(json, "items");
	struct search_again again = { .count = 0 };
	bool are_all_in;

	if (!are_items_ours(server, items)) {
		search_server_fail(server, "the answer does not tell of each document");
		return;
	}
	if (count_busy(items) < json_array_size(items)) {
		server->busy_since_ms = 0;
		server->busy_count = 0;
	}
	are_all_in = read_items(server, items, &again);
	if (again.count > 0) {
		forget_again(&server->again);
		server->again = again;
		server->bulk.lines = buf_bytes(&server->again.lines);
		server->bulk.ids = buf_bytes(&server->again.ids);
		wait_and_send(server, again.count);
	} else if (are_all_in && json_is_true(json_object_get(json, "errors"))) {
		search_server_fail(server, "the answer speaks of errors and has none");
	} else {
		search_server_succeed(server);
	}
}

bool
search_bulk_is_put_off(struct search_server *server)
{
	size_t documents = 0;

	if (server->on_answer != on_bulk || has_had_enough(server))
		return false;
	for (size_t i = 0; i < server->bulk.ids.len; i++)
		documents += server->bulk.ids.ptr[i] == '\0';
	wait_and_send(server, documents);
	return true;
}

/* --- sending --- */

static void
send_bulk(struct search_server *server)
{
	char path[LIMIT_SEARCH_NAME_BYTES + 64];

	(void)snprintf(path, sizeof(path), "/%s/_bulk", server->index);
	search_server_ask(server, path, "application/x-ndjson", server->bulk.lines, on_bulk);
}

void
search_server_bulk(struct search_server *server, const struct search_bulk *bulk)
{
	server->bulk = *bulk;
	server->may_be_missing = false;
	server->on_done = bulk->on_done;
	server->arg = bulk->arg;
	send_bulk(server);
}

void
search_bulk_init(struct search_server *server)
{
	ev_timer_init(&server->later, on_later, 0., 0.);
	server->later.data = server;
}

void
search_bulk_clear(struct search_server *server)
{
	ev_timer_stop(server->loop, &server->later);
	forget_again(&server->again);
}
