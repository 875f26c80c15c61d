/*
 * test_fetch_identity.c - src/fetch/identity: from a DID to its document.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "atproto/diddoc.h"
#include "common/mem.h"
#include "fetch/identity.h"
#include "t/unit/fetch_fixture.h"

#define PLC_DID		"did:plc:ewvi7nxzyoun6zhxrhs64oiz"

struct answer {
	struct fetch_fixture *f;
	unsigned count;
	struct fetch_error error;
	int64_t retry_after_ms;
	char text[256];		/* the account's server */
};

static void
ended(struct answer *answer, const struct fetch_error *error, int64_t retry_after_ms)
{
	answer->count++;
	answer->error = *error;
	answer->retry_after_ms = retry_after_ms;
	ev_break(answer->f->loop, EVBREAK_ALL);
}

static void
expect(const struct answer *answer, enum fetch_class class)
{
	assert_int_equal(answer->count, 1);
	if (answer->error.class != class)
		fail_msg("%s instead of %s: %s", fetch_class_word(answer->error.class),
		    fetch_class_word(class), answer->error.text);
	assert_int_equal(answer->error.text[0] == '\0', class == FETCH_OK);
}

static void
on_identity(const struct identity_result *result, void *arg)
{
	struct answer *answer = arg;

	assert_int_equal(result->doc != NULL, result->error.class == FETCH_OK);
	if (result->doc != NULL && result->doc->pds != NULL)
		str_copy(answer->text, sizeof(answer->text), str_from(result->doc->pds));
	ended(answer, &result->error, result->retry_after_ms);
}

static struct answer
resolve(struct fetch_fixture *f, const char *did)
{
	struct identity_options options = {
		.plc_url = fetch_server_origin(f->server),
		.allow_plain_http = true,
	};
	struct answer answer = { .f = f };

	assert_non_null(identity_resolve(f->http, &options, str_from(did), on_identity,
	    &answer));
	assert_int_equal(answer.count, 0);
	ev_run(f->loop, 0);
	return answer;
}

static void
serve_document(struct fetch_fixture *f, const char *path, const char *did)
{
	char json[512];
	int len = snprintf(json, sizeof(json), "{\"id\":\"%s\",\"service\":[{"
	    "\"id\":\"#atproto_pds\",\"type\":\"AtprotoPersonalDataServer\","
	    "\"serviceEndpoint\":\"https://pds.example.com\"}]}", did);

	fetch_server_serve(f->server, path, "200 OK", "application/did+ld+json", json,
	    (size_t)len);
}

static void
a_did_plc_is_asked_of_the_directory(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer;

	fixture_renew(f, true);		/* a configured directory may be private */
	serve_document(f, "/" PLC_DID, PLC_DID);
	answer = resolve(f, PLC_DID);
	expect(&answer, FETCH_OK);
	assert_string_equal(answer.text, "https://pds.example.com");
	assert_non_null(strstr(fetch_server_last_request(f->server), "\r\nAccept: "
	    "application/did+ld+json, application/json\r\n"));
}

static void
a_did_web_is_asked_of_its_host(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer;
	char did[64];

	(void)snprintf(did, sizeof(did), "did:web:localhost%%3A%u",
	    fetch_server_port(f->server));
	serve_document(f, "/.well-known/did.json", did);
	answer = resolve(f, did);
	expect(&answer, FETCH_OK);
	assert_string_equal(answer.text, "https://pds.example.com");

	fixture_renew(f, true);
	answer = resolve(f, did);
	expect(&answer, FETCH_BLOCKED);
}

static void
a_did_that_cannot_be_resolved_is_invalid_and_asked_of_nobody(void **state)
{
	static const char *const dids[] = { "", "did:plc:short", "did:key:zQ3sh",
	    "did:web:example.com:path", "did:web:127.0.0.1%2Fx", "at://x",
	    "did:plc:../../../../etc/passwd0" };
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(dids); i++) {
		struct answer answer = resolve(f, dids[i]);

		expect(&answer, FETCH_INVALID);
	}
	assert_int_equal(fetch_server_requests(f->server), 0);
}

static void
not_registered_tombstoned_and_not_known_are_told_apart(void **state)
{
	static const struct {
		const char *status, *body;
		enum fetch_class class;
	} rows[] = {
		{ "404 Not Found", "{\"message\":\"DID not registered: x\"}",
		    FETCH_NOT_FOUND },
		{ "404 Not Found", "{\"message\":\"DID not available: x\"}", FETCH_GONE },
		{ "410 Gone", "{\"message\":\"DID not available: x\"}", FETCH_GONE },
		{ "404 Not Found", "<html>no such route", FETCH_SERVER_ERROR },
		{ "410 Gone", "", FETCH_SERVER_ERROR },
		{ "500 Oops", "{\"message\":\"DID not available: x\"}",
		    FETCH_SERVER_ERROR },
		{ "400 Bad Request", "{\"message\":\"Invalid DID\"}", FETCH_REFUSED },
		{ "302 Found\r\nLocation: /", "", FETCH_INVALID },
		{ "200 OK", "<html>", FETCH_INVALID },
		{ "200 OK", "{\"id\":\"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa\"}",
		    FETCH_INVALID },
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct fetch_server *server = f->server;
		struct answer answer;

		f->server = fetch_server_new(f->loop);
		fetch_server_serve(f->server, "/" PLC_DID, rows[i].status,
		    "application/json", rows[i].body, strlen(rows[i].body));
		answer = resolve(f, PLC_DID);
		expect(&answer, rows[i].class);
		fetch_server_free(&f->server);
		f->server = server;
	}
}

static void
a_document_over_the_limit_is_too_large(void **state)
{
	struct fetch_fixture *f = *state;
	size_t len = LIMIT_DIDDOC_BYTES + 1;
	char *body = xmalloc(len);
	struct answer answer;

	memset(body, ' ', len);
	fetch_server_serve(f->server, "/" PLC_DID, "200 OK", "application/json", body,
	    len);
	free(body);
	answer = resolve(f, PLC_DID);
	expect(&answer, FETCH_TOO_LARGE);
}

static void
a_cut_document_is_fetched_again(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer;

	fetch_server_say(f->server, "/" PLC_DID,
	    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":");
	serve_document(f, "/" PLC_DID, PLC_DID);
	answer = resolve(f, PLC_DID);
	expect(&answer, FETCH_OK);
	assert_int_equal(fetch_server_requests(f->server), 2);
}

static void
a_resolution_can_be_cancelled_at_any_time(void **state)
{
	struct fetch_fixture *f = *state;
	struct identity_options options = {
		.plc_url = fetch_server_origin(f->server),
	};
	struct answer answer = { .f = f };

	serve_document(f, "/" PLC_DID, PLC_DID);
	for (int turns = 0; turns < 20; turns++) {
		struct identity *identity = identity_resolve(f->http, &options,
		    STR(PLC_DID), on_identity, &answer);

		for (int i = 0; i < turns && answer.count == 0; i++)
			ev_run(f->loop, EVRUN_NOWAIT);
		if (answer.count > 0)
			break;
		identity_cancel(&identity);
		assert_null(identity);
	}
	assert_true(http_request_count(f->http) == 0);
}

static const struct CMUnitTest tests[] = {
	T(a_did_plc_is_asked_of_the_directory),
	T(a_did_web_is_asked_of_its_host),
	T(a_did_that_cannot_be_resolved_is_invalid_and_asked_of_nobody),
	T(not_registered_tombstoned_and_not_known_are_told_apart),
	T(a_document_over_the_limit_is_too_large),
	T(a_cut_document_is_fetched_again),
	T(a_resolution_can_be_cancelled_at_any_time),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
