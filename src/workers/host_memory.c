#include "workers/host_memory.h"

#include <ev.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/mem.h"
#include "workers/row_writer.h"
#include "workers/rows_link.h"
#include "workers/sync_env.h"

#define SAVE_SECS	10.0
#define PAGE_ROWS	500
#define SAME_PAUSE_MS	1000
#define PARKED_FAILURES	5	/* as polite.c parks */

struct known_host {
	char *origin;			/* owned; the key of the tree */
	struct host_row row;		/* its texts are not kept */
	bool is_new;			/* or changed: to be written */
	bool was_told;			/* by the walk over what polite.h learned */
};

struct host_memory {
	/* borrowed */
	const struct sync_env *env;
	struct row_writer *writer;
	/* owned */
	bool is_of_met;			/* no row is read before its server is met */
	void *tree;			/* of struct known_host; tsearch(3) */
	size_t count;
	size_t documents;		/* of them from DID documents alone */
	char *last;			/* origin of the last row that was read */
	uint64_t page_rows;
	struct link_question *question;

	host_memory_cb *on_ready;
	void *arg;
	struct ev_timer save;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct known_host *)a)->origin,
	    ((const struct known_host *)b)->origin);
}

static struct known_host *
find(const struct host_memory *memory, char *origin)
{
	struct known_host wanted = { .origin = origin };
	struct known_host **found = tfind(&wanted, &memory->tree, compare);

	return found != NULL ? *found : NULL;
}

static struct known_host *
add(struct host_memory *memory, struct str origin)
{
	struct known_host *host = xcalloc(1, sizeof(*host));

	host->origin = xstrndup(origin.ptr, origin.len);
	if (tsearch(host, &memory->tree, compare) == NULL)
		abort();	/* out of memory is all that it can be */
	memory->count++;
	return host;
}

int
host_memory_origin(const struct sync_env *env, struct str url,
    char origin_out[URL_ORIGIN_SIZE])
{
	struct fetch_error error;

	return url_parse_origin(url, env->settings->allow_plain_http, origin_out, &error);
}

/* Anybody can write documents that name servers of a whole domain: they must not
 * keep out those of the operator, who has few, and of the relay. */
static bool
has_room(const struct host_memory *memory, enum host_source source)
{
	switch (source) {
	case HOST_FROM_CONFIG:
		return true;
	case HOST_FROM_RELAY:
		break;
	case HOST_FROM_DOCUMENT:
		if (memory->documents >= LIMIT_HOSTS_OF_DOCUMENTS)
			return false;
	}
	return memory->count < LIMIT_FETCH_HOSTS;
}

void
host_memory_see(struct host_memory *memory, struct str url, enum host_source source)
{
	char origin[URL_ORIGIN_SIZE];
	struct known_host *host;

	if (host_memory_origin(memory->env, url, origin) == -1 ||
	    find(memory, origin) != NULL || !has_room(memory, source))
		return;
	host = add(memory, str_from(origin));
	memory->documents += source == HOST_FROM_DOCUMENT;
	host->row.first_seen_ms = (uint64_t)clock_wall_ms();
	host->row.source = source;
	host->is_new = true;
}

void
host_memory_listed(struct host_memory *memory, const char *origin, uint64_t repos)
{
	char *key = xstrdup(origin);
	struct known_host *host = find(memory, key);

	free(key);
	if (host == NULL)
		return;
	host->row.listed_ms = (uint64_t)clock_wall_ms();
	host->row.repos = repos;
	host->is_new = true;
}

/* --- what polite.h learned --- */

/* Returns the pause that it is still in. */
static int64_t
recall(struct host_memory *memory, const struct known_host *host)
{
	const struct host_row *row = &host->row;
	int64_t now_ms = clock_wall_ms();
	uint64_t until_ms = row->parked_until_ms > row->penalty_until_ms ?
	    row->parked_until_ms : row->penalty_until_ms;
	struct polite_memory learned = {
		.requests_per_s = (double)row->rate_milli / 1000.,
		.failures = (unsigned)row->failures,
	};

	if (fetch_class_parse(row->last_error, &learned.failed_as) == -1)
		learned.failed_as = FETCH_OK;

	if ((int64_t)until_ms > now_ms)
		learned.pause_ms = (int64_t)until_ms - now_ms;
	if (row->rate_milli > 0 || row->failures > 0 || learned.pause_ms > 0)
		http_recall_host(memory->env->http, host->origin, &learned);
	return learned.pause_ms;
}

static uint64_t
rate_milli(const struct polite_memory *learned)
{
	return (uint64_t)(learned->requests_per_s * 1000. + .5);
}

/* A pause that is over is none, and the two clocks drift. */
static bool
is_same_pause(uint64_t row_until_ms, uint64_t until_ms)
{
	uint64_t now_ms = (uint64_t)clock_wall_ms();
	uint64_t apart_ms = row_until_ms > until_ms ? row_until_ms - until_ms :
	    until_ms - row_until_ms;

	return (row_until_ms <= now_ms && until_ms <= now_ms) || apart_ms < SAME_PAUSE_MS;
}

/* The word of a class, or nothing. */
static struct str
error_of(const struct polite_memory *learned)
{
	return learned->failed_as == FETCH_OK ? STR_NONE :
	    str_from(fetch_class_word(learned->failed_as));
}

static void
on_learned(const char *origin, const struct polite_memory *learned, void *arg)
{
	struct host_memory *memory = arg;
	char *key = xstrdup(origin);
	struct known_host *host = find(memory, key);
	uint64_t until_ms = learned->pause_ms == 0 ? 0 :
	    (uint64_t)(clock_wall_ms() + learned->pause_ms);
	bool is_parked = learned->failures >= PARKED_FAILURES;
	struct host_row *row;

	free(key);
	/* Directories and relays behave too, but they are no hosts. */
	if (host == NULL)
		return;
	host->was_told = true;
	row = &host->row;
	/* What is as it was recalled is not written: another operation may know better
	 * by now. */
	if (row->rate_milli == rate_milli(learned) && row->failures == learned->failures &&
	    str_eq(row->last_error, error_of(learned)) && is_same_pause(is_parked ? row->parked_until_ms : row->penalty_until_ms,
	    until_ms))
		return;
	row->rate_milli = rate_milli(learned);
	row->failures = learned->failures;
	row->last_error = error_of(learned);
	row->penalty_until_ms = is_parked ? 0 : until_ms;
	row->parked_until_ms = is_parked ? until_ms : 0;
	host->is_new = true;
}

static void
write_host(struct host_memory *memory, struct known_host *host)
{
	struct str origin = str_from(host->origin);
	struct buf value = BUF_INIT;

	/* What is not told of any more is forgotten: all went well since. */
	if (!host->was_told && (host->row.rate_milli | host->row.failures) > 0) {
		host->row.rate_milli = host->row.failures = 0;
		host->row.last_error = STR_NONE;
		host->row.penalty_until_ms = host->row.parked_until_ms = 0;
		host->is_new = true;
	}
	host->was_told = false;
	if (!host->is_new)
		return;
	host->is_new = false;
	host_row_encode(&value, &host->row);
	row_writer_put(memory->writer, ROW_HOST,
	    (struct bytes){ (const uint8_t *)origin.ptr, origin.len }, buf_bytes(&value));
	buf_clear(&value);
}

static void
on_each(const void *node, VISIT visit, void *arg)
{
	if (visit == postorder || visit == leaf)
		write_host(arg, *(struct known_host *const *)node);
}

void
host_memory_save(struct host_memory *memory)
{
	http_each_host(memory->env->http, on_learned, memory);
	twalk_r(memory->tree, on_each, memory);
}

static void
on_save(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	host_memory_save(timer->data);
}

/* --- in order --- */

struct next {
	const char *after;
	const char *found;
};

static void
on_candidate(const void *node, VISIT visit, void *arg)
{
	const struct known_host *host = *(struct known_host *const *)node;
	struct next *next = arg;

	if ((visit == postorder || visit == leaf) && next->found == NULL &&
	    strcmp(host->origin, next->after) > 0)
		next->found = host->origin;
}

const char *
host_memory_next(const struct host_memory *memory, const char *after)
{
	struct next next = { .after = after };

	twalk_r(memory->tree, on_candidate, &next);
	return next.found;
}

size_t
host_memory_count(const struct host_memory *memory)
{
	return memory->count;
}

/* --- reading --- */

static void read_page(struct host_memory *memory);

bool
host_memory_lacks(const struct host_memory *memory, struct str url,
    char origin_out[URL_ORIGIN_SIZE])
{
	return memory->is_of_met && host_memory_origin(memory->env, url, origin_out) == 0 &&
	    find(memory, origin_out) == NULL;
}

int64_t
host_memory_take(struct host_memory *memory, struct bytes key, struct bytes value)
{
	enum fetch_class failed_as;
	struct known_host *host;
	struct host_row row;
	char *origin;

	if (host_row_decode(key, value, &row) == -1 || memory->count >= LIMIT_FETCH_HOSTS)
		return 0;
	origin = xstrndup(row.origin.ptr, row.origin.len);
	host = find(memory, origin);
	free(origin);
	if (host != NULL)
		return 0;
	host = add(memory, row.origin);
	memory->documents += row.source == HOST_FROM_DOCUMENT;
	host->row = row;
	host->row.origin = STR_NONE;
	/* Once it is written anew it comes to its end for all. */
	host->is_new = host_row_cut_pauses(&host->row, clock_wall_ms());
	if (fetch_class_parse(row.last_error, &failed_as) == 0)
		host->row.last_error = str_from(fetch_class_word(failed_as));
	else
		host->row.last_error = STR_NONE;
	return recall(memory, host);
}

static void
on_row(struct bytes key, struct bytes value, void *arg)
{
	struct host_memory *memory = arg;

	memory->page_rows++;
	free(memory->last);
	memory->last = xstrndup((const char *)key.ptr, key.len);
	(void)host_memory_take(memory, key, value);
}

static void
on_end(const struct msg_refuse *why, void *arg)
{
	struct host_memory *memory = arg;
	char text[ERR_TEXT_SIZE];

	memory->question = NULL;
	if (why == NULL && memory->page_rows == PAGE_ROWS) {
		read_page(memory);
		return;
	}
	ev_timer_start(memory->env->loop, &memory->save);
	if (why != NULL)
		(void)snprintf(text, sizeof(text), "the hosts: %.*s", STR_FMT(why->text));
	memory->on_ready(why != NULL ? text : NULL, memory->arg);
}

static void
read_page(struct host_memory *memory)
{
	struct str last = str_from(memory->last);

	memory->page_rows = 0;
	memory->question = rows_read(memory->env->records, ROW_HOST, BYTES_NONE,
	    (struct bytes){ (const uint8_t *)last.ptr, last.len }, PAGE_ROWS, on_row,
	    on_end, memory);
}

/* --- life --- */

static struct host_memory *
make(const struct sync_env *env, struct row_writer *writer)
{
	struct host_memory *memory = xcalloc(1, sizeof(*memory));

	memory->env = env;
	memory->writer = writer;
	ev_timer_init(&memory->save, on_save, SAVE_SECS, SAVE_SECS);
	memory->save.data = memory;
	return memory;
}

struct host_memory *
host_memory_new(const struct sync_env *env, struct row_writer *writer,
    host_memory_cb *on_ready, void *arg)
{
	struct host_memory *memory = make(env, writer);

	memory->on_ready = on_ready;
	memory->arg = arg;
	read_page(memory);
	return memory;
}

struct host_memory *
host_memory_new_of_met(const struct sync_env *env, struct row_writer *writer)
{
	struct host_memory *memory = make(env, writer);

	memory->is_of_met = true;
	ev_timer_start(env->loop, &memory->save);
	return memory;
}

static void
free_host(void *node)
{
	struct known_host *host = node;

	free(host->origin);
	free(host);
}

void
host_memory_free(struct host_memory **memory_at)
{
	struct host_memory *memory = *memory_at;

	if (memory == NULL)
		return;
	*memory_at = NULL;
	if (memory->question != NULL)
		link_question_cancel(&memory->question);
	ev_timer_stop(memory->env->loop, &memory->save);
	tdestroy(memory->tree, free_host);
	free(memory->last);
	free(memory);
}
