#include "resolver/lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "atproto/did.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"

#define FETCHES_MOST	16	/* at the same time */
#define ATTEMPTS	2

struct lookup {
	struct lookups *lookups;	/* borrowed, outlives us */
	struct str did;			/* owned */
	struct identity *identity;	/* owned; NULL once it is done */
	LIST_HEAD(, lookup_ask) asks;	/* borrowed */
	LIST_ENTRY(lookup) entry;
	struct ev_timer deadline;
};

static void
finish_ask(struct lookup_ask *ask, const struct answer *answer)
{
	lookup_ask_stop(ask);
	ask->on_answer(ask, answer);
}

void
lookup_ask_stop(struct lookup_ask *ask)
{
	if (ask->lookups == NULL)
		return;
	LIST_REMOVE(ask, entry);
	ask->lookups->asks--;
	ask->lookups = NULL;
}

static void
lookup_free(struct lookup *lookup)
{
	identity_cancel(&lookup->identity);
	ev_timer_stop(lookup->lookups->loop, &lookup->deadline);
	LIST_REMOVE(lookup, entry);
	free((void *)(uintptr_t)lookup->did.ptr);
	free(lookup);
}

/* Takes over what answer points to. */
static void
finish(struct lookup *lookup, struct answer *answer)
{
	struct lookups *lookups = lookup->lookups;
	int64_t now_ms = clock_mono_ms();
	struct lookup_ask *ask;

	if (answer->outcome != ANSWER_OK)
		log_info("%.*s: %s", STR_FMT(lookup->did), answer->text);
	while ((ask = LIST_FIRST(&lookup->asks)) != NULL)
		finish_ask(ask, answer);
	/* A refresh that failed does not make us forget what is known. */
	if (answer->outcome == ANSWER_UNAVAILABLE &&
	    memory_find(lookups->memory, lookup->did, now_ms) != NULL)
		answer_clear(answer);
	else
		memory_put(lookups->memory, lookup->did, answer, now_ms);
	lookup_free(lookup);
}

static void
on_identity(const struct identity_result *result, void *arg)
{
	struct lookup *lookup = arg;
	struct answer answer = answer_from_result(result);

	lookup->identity = NULL;
	finish(lookup, &answer);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct answer answer = answer_unavailable("no answer in time");

	finish(watcher->data, &answer);
}

static struct lookup *
lookup_new(struct lookups *lookups, struct str did)
{
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	struct http_limits limits = HTTP_LIMITS_SMALL;
	struct identity_options options = {
		.plc_url = lookups->settings->plc_directory,
		.allow_plain_http = lookups->settings->allow_plain_http,
		.limits = &limits,
	};

	limits.total_ms = limits.wait_ms = limits.head_ms = LOOKUP_TOTAL_MS;
	limits.connect_ms = LOOKUP_TOTAL_MS / ATTEMPTS;
	lookup->lookups = lookups;
	lookup->did = (struct str){ xstrndup(did.ptr, did.len), did.len };
	LIST_INIT(&lookup->asks);
	LIST_INSERT_HEAD(&lookups->under_way, lookup, entry);
	ev_timer_init(&lookup->deadline, on_deadline, LOOKUP_TOTAL_MS / 1000., 0.);
	lookup->deadline.data = lookup;
	ev_timer_start(lookups->loop, &lookup->deadline);
	lookup->identity = identity_resolve(lookups->http, &options, did, on_identity,
	    lookup);
	return lookup;
}

/* --- asking --- */

static struct lookup *
find_under_way(const struct lookups *lookups, struct str did)
{
	struct lookup *lookup;

	LIST_FOREACH(lookup, &lookups->under_way, entry)
		if (str_eq(lookup->did, did))
			return lookup;
	return NULL;
}

static void
refuse(struct lookup_ask *ask, enum answer_outcome outcome, const char *why)
{
	struct answer answer = answer_unavailable(why);

	answer.outcome = outcome;
	ask->on_answer(ask, &answer);
	answer_clear(&answer);
}

void
lookup_ask(struct lookups *lookups, struct str did, bool is_fresh,
    lookup_answer_cb *on_answer, struct lookup_ask *ask)
{
	struct lookup *lookup = find_under_way(lookups, did);
	int64_t now_ms = clock_mono_ms();
	const struct answer *known;

	*ask = (struct lookup_ask){ .on_answer = on_answer };
	if (!did_is_atproto(did)) {
		refuse(ask, ANSWER_INVALID, "neither did:plc nor did:web");
		return;
	}
	known = memory_find(lookups->memory, did, now_ms);
	if (lookup == NULL && known != NULL &&
	    (!is_fresh || !memory_may_refresh(lookups->memory, did, now_ms))) {
		on_answer(ask, known);
		return;
	}
	if (lookups->asks == LIMIT_IDENTITY_ASKS) {
		refuse(ask, ANSWER_UNAVAILABLE, "too many identities are asked for");
		return;
	}
	if (lookup == NULL)
		lookup = lookup_new(lookups, did);
	ask->lookups = lookups;
	lookups->asks++;
	LIST_INSERT_HEAD(&lookup->asks, ask, entry);
}

/* --- life --- */

/* Directories log it; who is bothered by us should know whom to write to. */
static char *
make_user_agent(const char *contact)
{
	char *text;

	if ((*contact != '\0' ? asprintf(&text, "%s/%s (+%s)", PACKAGE_NAME,
	    PACKAGE_VERSION, contact) : asprintf(&text, "%s/%s", PACKAGE_NAME,
	    PACKAGE_VERSION)) == -1)
		abort();
	return text;
}

void
lookups_init(struct lookups *lookups, struct ev_loop *loop,
    const struct settings *settings)
{
	struct http_options options = {
		.allow_private_addresses = settings->allow_private_addresses,
		.allow_plain_http = settings->allow_plain_http,
		.total_max = FETCHES_MOST,
		.attempts = ATTEMPTS,
	};

	*lookups = (struct lookups){ .loop = loop, .settings = settings };
	LIST_INIT(&lookups->under_way);
	lookups->memory = memory_new();
	lookups->user_agent = make_user_agent(settings->contact);
	options.user_agent = lookups->user_agent;
	lookups->http = http_new(loop, &options);
}

void
lookups_clear(struct lookups *lookups)
{
	struct lookup *lookup;

	while ((lookup = LIST_FIRST(&lookups->under_way)) != NULL) {
		struct answer answer = answer_unavailable("the resolver is stopping");

		finish(lookup, &answer);
	}
	http_free(&lookups->http);
	memory_free(&lookups->memory);
	free(lookups->user_agent);
	lookups->user_agent = NULL;
}
