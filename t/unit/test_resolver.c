/*
 * test_resolver.c - what backfill-resolver asks of directories, and what it
 * remembers.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "resolver/lookup.h"
#include "t/unit/fetch_server.h"

#define DID	"did:plc:ewvi7nxzyoun6zhxrhs64oiz"
#define KEY	"zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc"
#define OTHER	"zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo"

/* --- memory --- */

static struct answer
an_answer(enum answer_outcome outcome, const char *key)
{
	struct answer answer = answer_unavailable("");

	answer.outcome = outcome;
	free(answer.key);
	answer.key = xstrdup(key);
	return answer;
}

static void
put(struct memory *memory, const char *did, enum answer_outcome outcome,
    const char *key, int64_t now_ms)
{
	struct answer answer = an_answer(outcome, key);

	memory_put(memory, str_from(did), &answer, now_ms);
	assert_null(answer.key);
}

static void
memory__believes_an_answer_for_its_time(void **state BF_UNUSED)
{
	struct memory *memory = memory_new();
	static const enum answer_outcome outcomes[] = { ANSWER_OK, ANSWER_UNKNOWN,
	    ANSWER_GONE, ANSWER_INVALID, ANSWER_UNAVAILABLE };

	for (size_t i = 0; i < BF_ARRAY_LEN(outcomes); i++) {
		struct answer answer = an_answer(outcomes[i], "");
		int64_t ms = answer_lifetime_ms(&answer);

		answer_clear(&answer);
		assert_in_range(ms, 1000, 600000);
		put(memory, DID, outcomes[i], "k", 100);
		assert_non_null(memory_find(memory, STR(DID), 100 + ms - 1));
		assert_null(memory_find(memory, STR(DID), 100 + ms));
	}
	assert_null(memory_find(memory, STR("did:plc:other"), 0));
	memory_free(&memory);
}

static void
memory__replaces_an_answer(void **state BF_UNUSED)
{
	struct memory *memory = memory_new();

	put(memory, DID, ANSWER_OK, "one", 0);
	put(memory, DID, ANSWER_OK, "two", 0);
	assert_string_equal(memory_find(memory, STR(DID), 1)->key, "two");
	memory_free(&memory);
}

static void
memory__keeps_limit_identities_and_forgets_who_is_not_asked_for(void **state BF_UNUSED)
{
	struct memory *memory = memory_new();
	char did[32];

	for (int i = 0; i < LIMIT_IDENTITIES; i++) {
		(void)snprintf(did, sizeof(did), "did:plc:%d", i);
		put(memory, did, ANSWER_OK, "", 0);
	}
	assert_non_null(memory_find(memory, STR("did:plc:0"), 1));
	put(memory, DID, ANSWER_OK, "", 0);
	assert_non_null(memory_find(memory, STR("did:plc:0"), 1));
	assert_null(memory_find(memory, STR("did:plc:1"), 1));
	assert_non_null(memory_find(memory, STR("did:plc:2"), 1));
	assert_non_null(memory_find(memory, STR(DID), 1));
	memory_free(&memory);
}

static void
memory__lets_a_did_be_refreshed_once_a_minute(void **state BF_UNUSED)
{
	struct memory *memory = memory_new();

	put(memory, DID, ANSWER_OK, "", 0);
	assert_true(memory_may_refresh(memory, STR(DID), 10));
	put(memory, DID, ANSWER_OK, "", 11);
	assert_false(memory_may_refresh(memory, STR(DID), 12));
	assert_false(memory_may_refresh(memory, STR(DID), 10 + 59999));
	assert_true(memory_may_refresh(memory, STR(DID), 10 + 60000));
	assert_false(memory_may_refresh(memory, STR(DID), 10 + 60001));
	memory_free(&memory);
}

/* --- lookups --- */

struct fixture {
	struct ev_loop *loop;
	struct fetch_server *server;
	struct settings settings;
	struct lookups lookups;
	ev_timer deadline;
	unsigned waits;			/* asks without an answer */
};

struct asker {
	struct lookup_ask ask;
	struct fixture *f;
	enum answer_outcome outcome;
	char key[128];
	bool is_done;
};

static void
on_late(struct ev_loop *loop BF_UNUSED, ev_timer *timer BF_UNUSED, int revents BF_UNUSED)
{
	fail_msg("no answer in time");
}

static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err;

	f->loop = ev_loop_new(EVFLAG_AUTO);
	f->server = fetch_server_new(f->loop);
	settings_init(&f->settings);
	assert_int_equal(settings_set(&f->settings, STR("plc_directory"),
	    str_from(fetch_server_origin(f->server)), &err), 0);
	http_init();
	lookups_init(&f->lookups, f->loop, &f->settings);
	ev_timer_init(&f->deadline, on_late, 60., 0.);
	ev_timer_start(f->loop, &f->deadline);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	ev_timer_stop(f->loop, &f->deadline);
	lookups_clear(&f->lookups);
	http_exit();
	settings_clear(&f->settings);
	fetch_server_free(&f->server);
	ev_loop_destroy(f->loop);
	free(f);
	return 0;
}

static void
serve(struct fixture *f, const char *key)
{
	char json[512];
	int len = snprintf(json, sizeof(json), "{\"id\":\"" DID "\","
	    "\"verificationMethod\":[{\"id\":\"#atproto\",\"type\":\"Multikey\","
	    "\"controller\":\"" DID "\",\"publicKeyMultibase\":\"%s\"}]}", key);

	fetch_server_serve(f->server, "/" DID, "200 OK", "application/json", json,
	    (size_t)len);
}

static void
on_answer(struct lookup_ask *ask, const struct answer *answer)
{
	struct asker *asker = (struct asker *)ask;

	assert_false(asker->is_done);
	asker->is_done = true;
	asker->outcome = answer->outcome;
	assert_true(str_copy(asker->key, sizeof(asker->key), str_from(answer->key)));
	assert_int_equal(answer->text[0] == '\0', answer->outcome == ANSWER_OK);
	if (--asker->f->waits == 0)
		ev_break(asker->f->loop, EVBREAK_ALL);
}

static void
ask(struct fixture *f, struct asker *asker, const char *did, bool is_fresh)
{
	*asker = (struct asker){ .f = f };
	f->waits++;
	lookup_ask(&f->lookups, str_from(did), is_fresh, on_answer, &asker->ask);
}

static void
run(struct fixture *f)
{
	if (f->waits > 0)
		ev_run(f->loop, 0);
}

static struct asker
resolve(struct fixture *f, const char *did, bool is_fresh)
{
	struct asker asker;

	ask(f, &asker, did, is_fresh);
	run(f);
	return asker;
}

static void
lookup__tells_the_key(void **state)
{
	struct asker asker;

	serve(*state, KEY);
	asker = resolve(*state, DID, false);
	assert_int_equal(asker.outcome, ANSWER_OK);
	assert_string_equal(asker.key, "did:key:" KEY);
}

static void
lookup__asks_once_for_many(void **state)
{
	struct fixture *f = *state;
	struct asker askers[50];

	serve(f, KEY);
	for (size_t i = 0; i < BF_ARRAY_LEN(askers); i++)
		ask(f, &askers[i], DID, i % 2 == 0);
	run(f);
	for (size_t i = 0; i < BF_ARRAY_LEN(askers); i++)
		assert_string_equal(askers[i].key, "did:key:" KEY);
	assert_int_equal(fetch_server_requests(f->server), 1);
	(void)resolve(f, DID, false);
	assert_int_equal(fetch_server_requests(f->server), 1);
}

static void
lookup__of_a_fresh_answer_finds_a_new_key_once_a_minute(void **state)
{
	struct fixture *f = *state;

	serve(f, KEY);
	serve(f, OTHER);
	assert_string_equal(resolve(f, DID, false).key, "did:key:" KEY);
	assert_string_equal(resolve(f, DID, false).key, "did:key:" KEY);
	assert_string_equal(resolve(f, DID, true).key, "did:key:" OTHER);
	assert_int_equal(fetch_server_requests(f->server), 2);
	for (int i = 0; i < 20; i++)
		assert_string_equal(resolve(f, DID, true).key, "did:key:" OTHER);
	assert_int_equal(fetch_server_requests(f->server), 2);
}

static void
lookup__of_an_unknown_did_is_remembered_too(void **state)
{
	struct fixture *f = *state;

	fetch_server_serve(f->server, "/" DID, "404 Not Found", "application/json",
	    "{\"message\":\"DID not registered\"}", 32);
	assert_int_equal(resolve(f, DID, false).outcome, ANSWER_UNKNOWN);
	assert_int_equal(resolve(f, DID, false).outcome, ANSWER_UNKNOWN);
	assert_int_equal(fetch_server_requests(f->server), 1);
}

static void
lookup__of_what_is_no_account_asks_nobody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(resolve(f, "did:key:" KEY, false).outcome, ANSWER_INVALID);
	assert_int_equal(resolve(f, "", true).outcome, ANSWER_INVALID);
	assert_int_equal(fetch_server_requests(f->server), 0);
}

static void
lookup__that_fails_is_unavailable_and_forgets_no_key(void **state)
{
	struct fixture *f = *state;

	serve(f, KEY);
	fetch_server_serve(f->server, "/" DID, "500 Oops", "text/plain", "x", 1);
	assert_int_equal(resolve(f, DID, false).outcome, ANSWER_OK);
	assert_int_equal(resolve(f, DID, true).outcome, ANSWER_UNAVAILABLE);
	assert_string_equal(resolve(f, DID, false).key, "did:key:" KEY);
}

static void
lookup__ends_by_itself_when_a_directory_hangs(void **state)
{
	struct fixture *f = *state;
	struct fetch_answer hang = { .bytes = "", .then = THEN_HANG };

	fetch_server_add(f->server, "/" DID, &hang);
	assert_int_equal(resolve(f, DID, false).outcome, ANSWER_UNAVAILABLE);
}

static void
lookup__is_refused_over_limit_identity_asks(void **state)
{
	struct fixture *f = *state;
	struct asker *askers = xcalloc(LIMIT_IDENTITY_ASKS, sizeof(*askers));
	struct asker one_more;

	serve(f, KEY);
	for (size_t i = 0; i < LIMIT_IDENTITY_ASKS; i++)
		ask(f, &askers[i], DID, false);
	ask(f, &one_more, DID, false);
	assert_true(one_more.is_done);
	assert_int_equal(one_more.outcome, ANSWER_UNAVAILABLE);
	run(f);
	assert_int_equal(askers[LIMIT_IDENTITY_ASKS - 1].outcome, ANSWER_OK);
	free(askers);
}

static void
lookup__that_is_stopped_is_not_answered(void **state)
{
	struct fixture *f = *state;
	struct asker stopped, waits;

	serve(f, KEY);
	ask(f, &stopped, DID, false);
	ask(f, &waits, DID, false);
	lookup_ask_stop(&stopped.ask);
	f->waits--;
	run(f);
	assert_false(stopped.is_done);
	assert_true(waits.is_done);
}

static void
lookups__that_end_answer_those_who_wait(void **state)
{
	struct fixture *f = *state;
	struct asker waits;

	serve(f, KEY);
	ask(f, &waits, DID, false);
	lookups_clear(&f->lookups);
	assert_true(waits.is_done);
	assert_int_equal(waits.outcome, ANSWER_UNAVAILABLE);
	lookups_init(&f->lookups, f->loop, &f->settings);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest resolver_tests[] = {
	cmocka_unit_test(memory__believes_an_answer_for_its_time),
	cmocka_unit_test(memory__replaces_an_answer),
	cmocka_unit_test(memory__keeps_limit_identities_and_forgets_who_is_not_asked_for),
	cmocka_unit_test(memory__lets_a_did_be_refreshed_once_a_minute),
	T(lookup__tells_the_key),
	T(lookup__asks_once_for_many),
	T(lookup__of_a_fresh_answer_finds_a_new_key_once_a_minute),
	T(lookup__of_an_unknown_did_is_remembered_too),
	T(lookup__of_what_is_no_account_asks_nobody),
	T(lookup__that_fails_is_unavailable_and_forgets_no_key),
	T(lookup__ends_by_itself_when_a_directory_hangs),
	T(lookup__is_refused_over_limit_identity_asks),
	T(lookup__that_is_stopped_is_not_answered),
	T(lookups__that_end_answer_those_who_wait),
};

UNIT_MAIN(resolver_tests)
