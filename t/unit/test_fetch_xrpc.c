/*
 * test_fetch_xrpc.c - src/fetch: getRepo, getLatestCommit and what the errors of
 * XRPC servers mean.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fetch/get_repo.h"
#include "fetch/latest_commit.h"
#include "fetch/xrpc.h"
#include "t/unit/fetch_fixture.h"

#define PLC_DID		"did:plc:ewvi7nxzyoun6zhxrhs64oiz"
#define GET_REPO	"/xrpc/com.atproto.sync.getRepo"
#define LATEST		"/xrpc/com.atproto.sync.getLatestCommit"
#define CAR_TYPE	"application/vnd.ipld.car"

/* The start of every CAR with one root. */
static const char car[] = "\x3a\xa2\x65roots\x81\xd8\x2a\x58\x25 and so on";

struct answer {
	struct fetch_fixture *f;
	unsigned count;
	struct fetch_error error;
	int64_t retry_after_ms;
	char text[256];		/* of the commit */
	struct buf body;
	struct get_repo *get;
	bool cancel_in_body;
	uint64_t body_bytes;
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

/* --- getLatestCommit --- */

static void
on_latest(const struct latest_commit_result *result, void *arg)
{
	struct answer *answer = arg;

	if (result->error.class == FETCH_OK)
		(void)snprintf(answer->text, sizeof(answer->text), "%s %.*s", result->rev,
		    STR_FMT(result->cid));
	ended(answer, &result->error, result->retry_after_ms);
}

static struct answer
latest(struct fetch_fixture *f)
{
	struct answer answer = { .f = f };

	assert_non_null(latest_commit_get(f->http, fetch_server_origin(f->server),
	    STR(PLC_DID), on_latest, &answer));
	ev_run(f->loop, 0);
	return answer;
}

static void
serve_json(struct fetch_fixture *f, const char *path, const char *status,
    const char *json)
{
	fetch_server_serve(f->server, path, status, "application/json", json,
	    strlen(json));
}

#define COMMIT "bafyreibvjvcv745gig4mvqs4hctx4zfkono4rjejm2ta6gtyzkqxfjeily"

static void
the_latest_commit_is_read(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer;

	serve_json(f, LATEST, "200 OK",
	    "{\"rev\":\"3migo7fijwi2k\",\"cid\":\"" COMMIT "\"}");
	answer = latest(f);
	expect(&answer, FETCH_OK);
	assert_string_equal(answer.text, "3migo7fijwi2k " COMMIT);
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "GET " LATEST "?did=did%3Aplc%3Aewvi7nxzyoun6zhxrhs64oiz HTTP/1.1\r\n"));
}

static void
a_latest_commit_that_is_none_is_invalid(void **state)
{
	static const char *const bodies[] = { "", "null", "[]", "<html>", "{}",
	    "{\"rev\":1,\"cid\":\"" COMMIT "\"}",
	    "{\"rev\":\"3migo7fijwi2K\",\"cid\":\"" COMMIT "\"}",
	    "{\"rev\":\"3migo7fijwi2k\",\"cid\":\"Qm\"}",
	    "{\"rev\":\"3migo7fijwi2k\",\"rev\":\"3migo7fijwi2k\",\"cid\":\"" COMMIT "\"}",
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(bodies); i++) {
		struct fetch_server *server = f->server;
		struct answer answer;

		f->server = fetch_server_new(f->loop);
		serve_json(f, LATEST, "200 OK", bodies[i]);
		answer = latest(f);
		expect(&answer, FETCH_INVALID);
		assert_non_null(strstr(answer.error.text, "getLatestCommit: "));
		fetch_server_free(&f->server);
		f->server = server;
	}
}

static void
an_answer_over_the_json_limit_is_too_large(void **state)
{
	struct fetch_fixture *f = *state;
	size_t len = LIMIT_FETCH_JSON_BYTES + 1;
	char *body = xmalloc(len);
	struct answer answer;

	memset(body, ' ', len);
	fetch_server_serve(f->server, LATEST, "200 OK", "application/json", body, len);
	free(body);
	answer = latest(f);
	expect(&answer, FETCH_TOO_LARGE);
}

/* --- errors of XRPC servers --- */

static void
the_name_decides_first_and_the_status_second(void **state BF_UNUSED)
{
	static const struct {
		unsigned status;
		enum fetch_class by_status;
		const char *body;
		enum fetch_class class;
	} rows[] = {
		{ 400, FETCH_REFUSED, "{\"error\":\"RepoNotFound\",\"message\":\"m\"}",
		    FETCH_NOT_FOUND },
		{ 404, FETCH_NOT_FOUND, "{\"error\":\"RepoNotFound\"}", FETCH_NOT_FOUND },
		{ 400, FETCH_REFUSED, "{\"error\":\"RepoDeactivated\",\"message\":\"m\"}",
		    FETCH_DEACTIVATED },
		{ 403, FETCH_REFUSED, "{\"error\":\"RepoSuspended\"}", FETCH_SUSPENDED },
		{ 403, FETCH_REFUSED, "{\"error\":\"RepoTakendown\"}", FETCH_TAKENDOWN },
		{ 403, FETCH_REFUSED, "{\"error\":\"RepoDeleted\"}", FETCH_GONE },
		{ 400, FETCH_REFUSED, "{\"error\":\"InvalidRequest\",\"message\":"
		    "\"Could not find repo for DID: x\"}", FETCH_NOT_FOUND },
		{ 400, FETCH_REFUSED, "{\"error\":\"InvalidRequest\",\"message\":\"x\"}",
		    FETCH_REFUSED },
		{ 404, FETCH_NOT_FOUND, "{\"error\":\"RepoNotSynchronized\"}",
		    FETCH_SERVER_ERROR },
		/* What is not an answer about the account never looks like one. */
		{ 404, FETCH_NOT_FOUND, "<html><h1>404</h1>", FETCH_REFUSED },
		{ 404, FETCH_NOT_FOUND, "", FETCH_REFUSED },
		{ 404, FETCH_NOT_FOUND, "{\"error\":\"XRPCNotSupported\"}",
		    FETCH_REFUSED },
		{ 410, FETCH_GONE, "{\"error\":7}", FETCH_REFUSED },
		{ 404, FETCH_NOT_FOUND, "{\"error\":\"RepoNotFound\",", FETCH_REFUSED },
		{ 502, FETCH_SERVER_ERROR, "<html>", FETCH_SERVER_ERROR },
		{ 429, FETCH_RATE_LIMITED, "", FETCH_RATE_LIMITED },
		/* No status: what went wrong was not the server's word. */
		{ 200, FETCH_TRUNCATED, "", FETCH_TRUNCATED },
		{ 0, FETCH_UNREACHABLE, "", FETCH_UNREACHABLE },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct http_result result = {
			.status = rows[i].status,
			.error = { .class = rows[i].by_status, .text = "text" },
			.error_body = str_from(rows[i].body),
		};
		struct fetch_error error;

		xrpc_explain(&result, &error);
		if (error.class != rows[i].class)
			fail_msg("row %zu: %s", i, fetch_class_word(error.class));
	}
}

static void
an_error_says_what_the_server_said(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer;

	serve_json(f, LATEST, "400 Bad Request",
	    "{\"error\":\"RepoDeactivated\",\"message\":\"Repo has been deactivated: x\"}");
	answer = latest(f);
	expect(&answer, FETCH_DEACTIVATED);
	assert_non_null(strstr(answer.error.text,
	    "status 400: RepoDeactivated: Repo has been deactivated: x"));
}

/* --- getRepo --- */

static void
on_repo_body(struct get_repo *get BF_UNUSED, struct bytes chunk, void *arg)
{
	struct answer *answer = arg;

	buf_add(&answer->body, chunk.ptr, chunk.len);
	if (answer->cancel_in_body) {
		get_repo_cancel(&answer->get);
		ev_break(answer->f->loop, EVBREAK_ALL);
	}
}

static void
on_repo_done(struct get_repo *get BF_UNUSED, const struct get_repo_result *result,
    void *arg)
{
	struct answer *answer = arg;

	get_repo_cancel(&answer->get);	/* harmless: it is over */
	assert_null(answer->get);
	ended(answer, &result->error, result->retry_after_ms);
}

static void
get_repo(struct fetch_fixture *f, struct answer *answer, const char *since)
{
	struct get_repo_query query = {
		.pds = fetch_server_origin(f->server),
		.did = STR(PLC_DID),
		.since = str_from(since),
		.body_bytes = answer->body_bytes,
	};

	answer->f = f;
	buf_reset(&answer->body);
	answer->count = 0;
	answer->get = get_repo_start(f->http, &query, on_repo_body, on_repo_done, answer);
	ev_run(f->loop, 0);
}

static void
a_repository_is_streamed(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer = { 0 };

	fetch_server_serve(f->server, GET_REPO, "200 OK", "Application/vnd.ipld.car; x=1",
	    car,
	    sizeof(car));
	get_repo(f, &answer, NULL);
	expect(&answer, FETCH_OK);
	assert_int_equal(buf_len(&answer.body), sizeof(car));
	assert_memory_equal(buf_data(&answer.body), car, sizeof(car));
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "did=did%3Aplc%3Aewvi7nxzyoun6zhxrhs64oiz HTTP"));
	get_repo(f, &answer, "3migo7fijwi2k");
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "&since=3migo7fijwi2k HTTP"));
	buf_clear(&answer.body);
}

static void
a_repository_that_comes_byte_by_byte_is_whole(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer = { 0 };
	struct buf bytes = BUF_INIT;

	buf_printf(&bytes, "HTTP/1.1 200 OK\r\nContent-Type: " CAR_TYPE
	    "\r\nContent-Length: %zu\r\n\r\n", sizeof(car));
	buf_add(&bytes, car, sizeof(car));
	fetch_server_add(f->server, GET_REPO, &(struct fetch_answer){
	    .bytes = buf_data(&bytes), .len = buf_len(&bytes), .drip_ms = 1,
	    .then = THEN_KEEP });
	get_repo(f, &answer, NULL);
	expect(&answer, FETCH_OK);
	assert_int_equal(buf_len(&answer.body), sizeof(car));
	assert_memory_equal(buf_data(&answer.body), car, sizeof(car));
	buf_clear(&answer.body);
	buf_clear(&bytes);
}

static void
what_is_not_a_car_is_invalid_and_none_of_it_handed_over(void **state)
{
	static const struct {
		const char *type, *body;
	} rows[] = {
		{ "text/html", "<html>Welcome</html>" },
		{ "application/json", "{\"error\":\"x\"}" },
		{ CAR_TYPE, "<html>Welcome</html>" },
		{ CAR_TYPE, "{\"error\":\"x\"}" },
		{ CAR_TYPE, "" },
		{ CAR_TYPE, "\x3a\xa2" },
		{ CAR_TYPE "x", "\x3a\xa2\x65roots" },
		{ "", "\x3a\xa2\x65roots" },
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct fetch_server *server = f->server;
		struct answer answer = { 0 };

		f->server = fetch_server_new(f->loop);
		fetch_server_serve(f->server, GET_REPO, "200 OK", rows[i].type,
		    rows[i].body, strlen(rows[i].body));
		get_repo(f, &answer, NULL);
		expect(&answer, FETCH_INVALID);
		assert_int_equal(buf_len(&answer.body), 0);
		fetch_server_free(&f->server);
		f->server = server;
		buf_clear(&answer.body);
	}
}

static void
a_cut_repository_is_truncated_and_one_over_the_cap_too_large(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer = { .body_bytes = 1000 };

	fetch_server_say(f->server, GET_REPO, "HTTP/1.1 200 OK\r\nContent-Type: " CAR_TYPE
	    "\r\nContent-Length: 999\r\n\r\n%s", car);
	get_repo(f, &answer, NULL);
	expect(&answer, FETCH_TRUNCATED);
	assert_int_equal(buf_len(&answer.body), strlen(car));
	buf_clear(&answer.body);

	fetch_server_free(&f->server);
	f->server = fetch_server_new(f->loop);
	fetch_server_say(f->server, GET_REPO, "HTTP/1.1 200 OK\r\nContent-Type: " CAR_TYPE
	    "\r\nContent-Length: 1001\r\n\r\n%s", car);
	get_repo(f, &answer, NULL);
	expect(&answer, FETCH_TOO_LARGE);
	buf_clear(&answer.body);
}

static void
a_repository_over_the_limit_is_not_downloaded(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer = { 0 };

	fetch_server_say(f->server, GET_REPO, "HTTP/1.1 200 OK\r\nContent-Type: " CAR_TYPE
	    "\r\nContent-Length: %llu\r\n\r\n%s", LIMIT_FETCH_REPO_BYTES + 1, car);
	answer.body_bytes = 0;		/* the default */
	get_repo(f, &answer, NULL);
	expect(&answer, FETCH_TOO_LARGE);
	assert_int_equal(buf_len(&answer.body), 0);
}

static void
an_account_state_is_an_outcome(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer = { 0 };

	serve_json(f, GET_REPO, "400 Bad Request", "{\"error\":\"RepoTakendown\"}");
	get_repo(f, &answer, NULL);
	expect(&answer, FETCH_TAKENDOWN);
	assert_true(fetch_class_is_outcome(answer.error.class));
	buf_clear(&answer.body);
}

static void
a_download_can_be_cancelled_from_its_own_callback(void **state)
{
	struct fetch_fixture *f = *state;
	struct answer answer = { .cancel_in_body = true };

	fetch_server_serve(f->server, GET_REPO, "200 OK", CAR_TYPE, car, sizeof(car));
	get_repo(f, &answer, NULL);
	ev_run(f->loop, EVRUN_NOWAIT);
	assert_null(answer.get);
	assert_int_equal(answer.count, 0);
	buf_clear(&answer.body);
}

static const struct CMUnitTest tests[] = {
	T(the_latest_commit_is_read),
	T(a_latest_commit_that_is_none_is_invalid),
	T(an_answer_over_the_json_limit_is_too_large),
	T(the_name_decides_first_and_the_status_second),
	T(an_error_says_what_the_server_said),
	T(a_repository_is_streamed),
	T(a_repository_that_comes_byte_by_byte_is_whole),
	T(what_is_not_a_car_is_invalid_and_none_of_it_handed_over),
	T(a_cut_repository_is_truncated_and_one_over_the_cap_too_large),
	T(a_repository_over_the_limit_is_not_downloaded),
	T(an_account_state_is_an_outcome),
	T(a_download_can_be_cancelled_from_its_own_callback),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
