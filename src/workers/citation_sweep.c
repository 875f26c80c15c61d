#include "workers/citation_table.h"

#include <stdlib.h>
#include <string.h>

#include "atproto/aturi.h"
#include "citation/match.h"
#include "common/buf.h"
#include "common/mem.h"
#include "rows/citation_row.h"
#include "rows/row_table.h"
#include "workers/citation_env.h"
#include "workers/record_read.h"
#include "workers/room.h"
#include "workers/rows_link.h"

#define PAGE		1000	/* rows in one answer */
#define TEXT_SIZE	256

struct citation_sweep {
	struct citation_env *env;	/* borrowed, outlives us */
	citation_sweep_cb *cb;
	void *arg;

	/* What is under way; NULL: not that. */
	struct link_question *question;
	struct record_read *read;
	struct rows_batch *batch;
	struct ev_timer again;		/* the suspect's rows, when there may be room */

	struct buf last;		/* the key that came last */
	uint64_t in_page, swept;
	struct buf suspects;		/* of a page: URIs, each with a NUL behind it */
};

static void ask_page(struct citation_sweep *sweep);
static void next_suspect(struct citation_sweep *sweep);

static void
sweep_free(struct citation_sweep *sweep)
{
	ev_timer_stop(sweep->env->net.loop, &sweep->again);
	buf_clear(&sweep->last);
	buf_clear(&sweep->suspects);
	free(sweep);
}

static void
end(struct citation_sweep *sweep, struct str class, struct str text)
{
	char word[TEXT_SIZE], why[TEXT_SIZE];

	(void)str_copy(word, sizeof(word), class);
	(void)str_copy(why, sizeof(why), text);
	sweep->cb(sweep->swept, class.len > 0 ? word : NULL, why, sweep->arg);
	sweep_free(sweep);
}

/* --- a suspect: its record is looked for, and its rows go if there is none --- */

static struct str
suspect(const struct citation_sweep *sweep)
{
	return str_from((const char *)buf_data(&sweep->suspects));
}

static void
drop_suspect(struct citation_sweep *sweep)
{
	buf_consume(&sweep->suspects, suspect(sweep).len + 1);
	next_suspect(sweep);
}

static void
on_ack(const struct msg_ack *ack BF_UNUSED, void *arg)
{
	struct citation_sweep *sweep = arg;

	sweep->batch = NULL;
	citation_env_has_room(sweep->env);
	sweep->swept++;
	drop_suspect(sweep);
}

static void
on_refuse(struct str class, struct str text, void *arg)
{
	struct citation_sweep *sweep = arg;

	sweep->batch = NULL;
	if (!room_is_refusal(class)) {
		end(sweep, class, text);
		return;
	}
	ev_timer_set(&sweep->again,
	    (double)citation_env_lacks_room(sweep->env, text) / 1000., 0.);
	ev_timer_start(sweep->env->net.loop, &sweep->again);
}

/* Three small changes: they are queued, whatever the room. */
static void
on_room(void *arg BF_UNUSED)
{
}

static void
clear_rows(struct citation_sweep *sweep)
{
	static const struct rows_batch_events events = { on_ack, on_refuse, on_room };
	struct str uri = suspect(sweep);
	struct buf prefix = BUF_INIT;

	citation_row_prefix(&prefix, uri);
	sweep->batch = rows_batch_new(sweep->env->net.records, &events, sweep);
	rows_clear(sweep->batch, ROW_CITATION, buf_bytes(&prefix));
	rows_delete(sweep->batch, ROW_EXTRACTION,
	    (struct bytes){ (const uint8_t *)uri.ptr, uri.len });
	rows_commit_counted(sweep->batch);
	buf_clear(&prefix);
}

static void
on_again(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	clear_rows(timer->data);
}

static void
on_record(struct bytes record, const struct msg_refuse *why, void *arg)
{
	struct citation_sweep *sweep = arg;

	sweep->read = NULL;
	if (why != NULL)
		end(sweep, why->class, why->text);
	else if (record.len == 0)
		clear_rows(sweep);
	else
		drop_suspect(sweep);
}

static void
next_suspect(struct citation_sweep *sweep)
{
	struct aturi uri;
	struct str path;

	if (buf_len(&sweep->suspects) == 0) {
		if (sweep->in_page < PAGE)
			end(sweep, STR_NONE, STR_NONE);
		else
			ask_page(sweep);
		return;
	}
	if (aturi_parse(suspect(sweep), &uri) == -1 || uri.rkey.len == 0) {
		clear_rows(sweep);
		return;
	}
	path = (struct str){ uri.collection.ptr, uri.collection.len + 1 + uri.rkey.len };
	sweep->read = record_read_start(sweep->env->net.records, uri.authority, path,
	    on_record, sweep);
}

/* --- the walk --- */

static void
on_row(struct bytes key, struct bytes value BF_UNUSED, void *arg)
{
	struct citation_sweep *sweep = arg;
	struct str text = { (const char *)key.ptr, key.len };
	struct aturi uri;

	sweep->in_page++;
	buf_reset(&sweep->last);
	buf_add(&sweep->last, key.ptr, key.len);
	if (aturi_parse(text, &uri) == 0 &&
	    str_eq(uri.collection, sweep->env->collection) &&
	    match_has(sweep->env->table, uri.authority, uri.rkey))
		return;
	/* Such a key cannot be cleared by its prefix alone; nobody writes one. */
	if (memchr(key.ptr, '\0', key.len) != NULL)
		return;
	buf_add_str(&sweep->suspects, text);
	buf_add_byte(&sweep->suspects, '\0');
}

static void
on_end(const struct msg_refuse *why, void *arg)
{
	struct citation_sweep *sweep = arg;

	sweep->question = NULL;
	if (why != NULL)
		end(sweep, why->class, why->text);
	else
		next_suspect(sweep);
}

static void
ask_page(struct citation_sweep *sweep)
{
	sweep->in_page = 0;
	sweep->question = rows_read(sweep->env->net.records, ROW_EXTRACTION, BYTES_NONE,
	    buf_bytes(&sweep->last), PAGE, on_row, on_end, sweep);
}

struct citation_sweep *
citation_sweep_start(struct citation_env *env, citation_sweep_cb *cb, void *arg)
{
	struct citation_sweep *sweep = xcalloc(1, sizeof(*sweep));

	sweep->env = env;
	sweep->cb = cb;
	sweep->arg = arg;
	ev_timer_init(&sweep->again, on_again, 0., 0.);
	sweep->again.data = sweep;
	ask_page(sweep);
	return sweep;
}

void
citation_sweep_cancel(struct citation_sweep **sweep)
{
	if (*sweep == NULL)
		return;
	if ((*sweep)->question != NULL)
		link_question_cancel(&(*sweep)->question);
	record_read_cancel(&(*sweep)->read);
	rows_abort(&(*sweep)->batch);
	sweep_free(*sweep);
	*sweep = NULL;
}
