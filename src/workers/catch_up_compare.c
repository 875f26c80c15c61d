/*
 * The part of catch-up for what no event tells any more: the relay's own list of
 * repositories with their revisions, compared with the index.  There is no way to
 * ask a relay what changed.
 *
 * What the list has and the index has not is marked only if all collections are
 * wanted: a list does not tell who has records of a collection.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/tid.h"
#include "fetch/list_page.h"
#include "workers/catch_up_impl.h"

#define PAGE_REPOS	1000		/* the lexicon's maximum */

struct listed {
	struct catch_up_compare *compare;	/* borrowed */
	struct link_question *look;
	char *did;
	char rev[TID_SIZE];
	bool is_active;
};

struct catch_up_compare {
	struct catch_up *job;		/* borrowed */
	/* owned */
	struct list_page *request;
	struct link_question *count;	/* of repositories in the index */
	struct listed *listed;
	size_t n, open;
	char next[CATCH_UP_CURSOR_SIZE];	/* where the next page begins; "" after
					 * the last */
	uint64_t unknown;		/* on the list, not in the index */
	uint64_t known;			/* of this page, in the index */
};

static void
forget_page(struct catch_up_compare *compare)
{
	for (size_t i = 0; i < compare->n; i++) {
		link_question_cancel(&compare->listed[i].look);
		free(compare->listed[i].did);
	}
	free(compare->listed);
	compare->listed = NULL;
	compare->n = compare->open = 0;
}

/* The page's marks are to be on disk before the cursor behind it is. */
static void
page_is_over(struct catch_up_compare *compare)
{
	struct catch_up *job = compare->job;

	/* With its cursor: an attempt that goes on reads no page twice. */
	job->listed += compare->n;
	job->listed_known += compare->known;
	compare->known = 0;
	forget_page(compare);
	catch_up_tell_progress(job);
	(void)str_copy(job->cursor, sizeof(job->cursor), str_from(compare->next));
	catch_up_save_now(job);
}

static void
judge(struct listed *listed, const struct msg_state *state)
{
	struct catch_up_compare *compare = listed->compare;
	struct catch_up *job = compare->job;
	bool is_active = str_eq(state->status, STR("active"));

	if (!state->is_known) {
		compare->unknown++;
		if (sync_env_filter(&job->env, str_from(listed->did)) == NULL &&
		    listed->is_active)
			catch_up_mark(job, str_from(listed->did), "it is not indexed yet");
		return;
	}
	compare->known++;
	if (listed->is_active != is_active || (listed->is_active &&
	    !str_eq(state->rev, str_from(listed->rev))))
		catch_up_mark(job, str_from(listed->did),
		    "the relay lists another revision or status");
}

static void
on_look(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct listed *listed = arg;
	struct catch_up_compare *compare = listed->compare;
	char word[64], text[ERR_TEXT_SIZE];

	listed->look = NULL;
	if (why != NULL) {
		(void)str_copy(word, sizeof(word), why->class);
		(void)str_copy(text, sizeof(text), why->text);
		catch_up_fail(compare->job, word, text);
		return;
	}
	judge(listed, state);
	if (--compare->open == 0)
		page_is_over(compare);
}

static void
on_entry(const struct list_entry *entry, void *arg)
{
	struct catch_up_compare *compare = arg;
	struct listed *listed;

	compare->listed = xrealloc(compare->listed,
	    (compare->n + 1) * sizeof(*compare->listed));
	listed = &compare->listed[compare->n++];
	*listed = (struct listed){ .compare = compare, .is_active = !entry->is_inactive,
	    .did = xstrndup(entry->did.ptr, entry->did.len) };
	(void)str_copy(listed->rev, sizeof(listed->rev), entry->rev);
}

static void
take_page(struct catch_up_compare *compare, const struct list_result *page)
{
	/* A list that stands still is at its end. */
	if (page->entries + page->bad_entries == 0 ||
	    str_eq(page->cursor, str_from(compare->job->cursor)))
		compare->next[0] = '\0';
	compare->open = compare->n;
	if (compare->n == 0)
		page_is_over(compare);
	for (size_t i = 0; i < compare->n; i++)
		compare->listed[i].look = records_look(
		    worker_records(compare->job->worker),
		    str_from(compare->listed[i].did), on_look, &compare->listed[i]);
}

static void
on_page(const struct list_result *page, void *arg)
{
	struct catch_up_compare *compare = arg;

	compare->request = NULL;
	if (page->error.class != FETCH_OK)
		catch_up_fail(compare->job, fetch_class_word(page->error.class),
		    page->error.text);
	else if (!str_copy(compare->next, sizeof(compare->next), page->cursor))
		catch_up_fail(compare->job, "too-large", "a cursor of the relay's list");
	else
		take_page(compare, page);
}

static void
ask(struct catch_up_compare *compare)
{
	struct catch_up *job = compare->job;

	forget_page(compare);
	compare->request = list_page_get(job->env.http, &(struct list_query){
		.origin = job->origin, .nsid = "com.atproto.sync.listRepos",
		.cursor = str_from(job->cursor), .limit = PAGE_REPOS,
		.is_trusted = true }, on_entry, on_page, compare);
}

/* It is only for the total: that it cannot be had ends nothing. */
static void
on_count(const struct msg_counted *count, const struct msg_refuse *why BF_UNUSED, void *arg)
{
	struct catch_up_compare *compare = arg;

	compare->count = NULL;
	if (count == NULL)
		return;
	compare->job->indexed = count->repos;
	catch_up_tell_progress(compare->job);
}

void
catch_up_compare_start(struct catch_up *job)
{
	job->compare = xcalloc(1, sizeof(*job->compare));
	job->compare->job = job;
	job->compare->count = records_count(worker_records(job->worker), STR_NONE, on_count,
	    job->compare);
	ask(job->compare);
}

/* Nothing is under way but the save that has just ended. */
void
catch_up_compare_saved(struct catch_up *job)
{
	struct catch_up_compare *compare = job->compare;

	if (compare->request != NULL || compare->n > 0)
		return;
	if (compare->next[0] != '\0') {
		ask(compare);
		return;
	}
	if (compare->unknown > 0)
		worker_log(job->worker, LOG_LEVEL_INFO, "the relay lists %" PRIu64
		    " repositories that are not indexed", compare->unknown);
	job->has_loss = false;
	job->cursor[0] = '\0';
	catch_up_enter(job, CATCH_UP_RESYNCING);
}

void
catch_up_compare_free(struct catch_up_compare **compare)
{
	if (*compare == NULL)
		return;
	list_page_cancel(&(*compare)->request);
	link_question_cancel(&(*compare)->count);
	forget_page(*compare);
	free(*compare);
	*compare = NULL;
}
