#include "workers/citation_match.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "citation/title.h"
#include "common/buf.h"
#include "common/mem.h"
#include "workers/citation_env.h"
#include "workers/record_read.h"

#define TEXT_SIZE	256

struct citation_match {
	const struct citation_env *env;		/* borrowed, outlives us */
	struct citation_match_query query;
	citation_match_cb *cb;
	void *arg;

	struct citation_found *found;		/* owned */
	size_t at;				/* the work that is looked up */
	struct match_search search;		/* of its candidates */
	struct match_candidate candidate;	/* being read */
	struct buf key;				/* its DOI, or title in normal form */
	struct record_read *read;		/* NULL: none is open */
	struct ev_timer soon;			/* the first step, not from inside a call */
	char *did, *rkey, *doi;			/* owned: of the query */
};

static void step(struct citation_match *match);

void
citation_found_free(struct citation_found **found, size_t count)
{
	if (*found == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		free((*found)[i].uri);
	free(*found);
	*found = NULL;
}

static void
match_free(struct citation_match *match)
{
	ev_timer_stop(match->env->net.loop, &match->soon);
	citation_found_free(&match->found, match->query.works->count);
	buf_clear(&match->key);
	free(match->did);
	free(match->rkey);
	free(match->doi);
	free(match);
}

static void
end(struct citation_match *match, const char *class, const char *text)
{
	struct citation_found *found = match->found;

	match->found = NULL;
	match->cb(found, class, text, match->arg);
	match_free(match);
}

/* --- one work --- */

static void
begin_search(struct citation_match *match, enum citation_method method)
{
	const struct work *work = &match->query.works->list[match->at];

	buf_reset(&match->key);
	if (method == CITATION_BY_TITLE)
		title_normal(work_text(work, WORK_TITLE), &match->key);
	else if (!str_eq(work_text(work, WORK_DOI), str_from(match->doi)))
		buf_add_str(&match->key, work_text(work, WORK_DOI));
	match->search = match_begin(match->env->table, method, buf_str(&match->key));
}

/* Is the candidate's record what the hash promised? */
static bool
is_it(struct citation_match *match, struct bytes record)
{
	struct buf normal = BUF_INIT;
	struct eprint eprint;
	bool is;

	if (record.len == 0)
		return false;
	eprint_read(record, &match->env->map, &eprint);
	if (*match->doi != '\0' && strcmp(eprint.doi, match->doi) == 0)
		return false;
	if (match->search.method == CITATION_BY_DOI)
		return str_eq(str_from(eprint.doi), buf_str(&match->key));
	title_normal(eprint.title, &normal);
	is = str_eq(buf_str(&normal), buf_str(&match->key));
	buf_clear(&normal);
	return is;
}

static void
take_candidate(struct citation_match *match)
{
	struct citation_found *found = &match->found[match->at];

	found->method = match->search.method;
	if (asprintf(&found->uri, "at://%.*s/%.*s/%.*s", STR_FMT(match->candidate.did),
	    STR_FMT(match->env->collection), STR_FMT(match->candidate.rkey)) == -1)
		abort();
	match->at++;
	if (match->at < match->query.works->count)
		begin_search(match, CITATION_BY_DOI);
}

static void
on_record(struct bytes record, const struct msg_refuse *why, void *arg)
{
	struct citation_match *match = arg;
	char class[TEXT_SIZE], text[TEXT_SIZE];

	match->read = NULL;
	if (why != NULL) {
		(void)str_copy(class, sizeof(class), why->class);
		(void)str_copy(text, sizeof(text), why->text);
		end(match, class, text);
		return;
	}
	if (is_it(match, record))
		take_candidate(match);
	step(match);
}

static bool
is_self(const struct citation_match *match)
{
	return str_eq(match->candidate.did, str_from(match->did)) &&
	    str_eq(match->candidate.rkey, str_from(match->rkey));
}

/* Go on to the next candidate that is to be read, or to the end. */
static void
step(struct citation_match *match)
{
	while (match->at < match->query.works->count) {
		if (match_next(&match->search, &match->candidate)) {
			struct buf path = BUF_INIT;

			if (is_self(match))
				continue;
			buf_printf(&path, "%.*s/%.*s", STR_FMT(match->env->collection),
			    STR_FMT(match->candidate.rkey));
			match->read = record_read_start(match->env->net.records,
			    match->candidate.did, buf_str(&path), on_record, match);
			buf_clear(&path);
			return;
		}
		if (match->search.method == CITATION_BY_DOI) {
			begin_search(match, CITATION_BY_TITLE);
		} else if (++match->at < match->query.works->count) {
			begin_search(match, CITATION_BY_DOI);
		}
	}
	end(match, NULL, NULL);
}

static void
on_soon(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	step(timer->data);
}

struct citation_match *
citation_match_start(const struct citation_env *env,
    const struct citation_match_query *query, citation_match_cb *cb, void *arg)
{
	struct citation_match *match = xcalloc(1, sizeof(*match));

	match->env = env;
	match->query = *query;
	match->cb = cb;
	match->arg = arg;
	match->found = xcalloc(query->works->count + 1, sizeof(*match->found));
	match->did = xstrndup(query->did.ptr, query->did.len);
	match->rkey = xstrndup(query->rkey.ptr, query->rkey.len);
	match->doi = xstrdup(query->doi);
	if (query->works->count > 0)
		begin_search(match, CITATION_BY_DOI);
	ev_timer_init(&match->soon, on_soon, 0., 0.);
	match->soon.data = match;
	ev_timer_start(env->net.loop, &match->soon);
	return match;
}

void
citation_match_cancel(struct citation_match **match)
{
	if (*match == NULL)
		return;
	record_read_cancel(&(*match)->read);
	match_free(*match);
	*match = NULL;
}
