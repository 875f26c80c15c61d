/*
 * test_fetch_http.c - src/fetch/http: requests as they should go.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "t/unit/fetch_fixture.h"

/* --- what works --- */

static void
a_body_is_handed_over_and_the_connection_used_again(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_serve(f->server, "/x", "200 OK", "text/plain; charset=utf-8",
	    "hello", 5);
	for (int i = 0; i < 3; i++) {
		fetch(f, "/x");
		expect_class(f, FETCH_OK);
		assert_int_equal(f->heads, 1);
		assert_string_equal(f->content_type, "text/plain");
		assert_int_equal(f->head.content_length, 5);
		assert_int_equal(f->result.status, 200);
		assert_int_equal(f->result.body_bytes, 5);
		assert_int_equal(f->result.attempts, 1);
		assert_true(f->result.end_is_marked);
		assert_memory_equal(buf_data(&f->body), "hello", 5);
	}
	assert_int_equal(fetch_server_connections(f->server), 1);
	assert_int_equal(http_received_bytes(f->http), 15);
}

static void
the_request_names_us_and_asks_for_nothing_compressed(void **state)
{
	struct fetch_fixture *f = *state;
	const char *request;

	f->get.accept = "application/vnd.ipld.car";
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "", 0);
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	request = fetch_server_last_request(f->server);
	assert_non_null(strstr(request,
	    "User-Agent: backfilld/test (+mailto:admin@example.com)\r\n"));
	assert_non_null(strstr(request, "Accept: application/vnd.ipld.car\r\n"));
	assert_null(strstr(request, "Accept-Encoding"));
	assert_null(strstr(request, "Cookie"));
}

static void
a_chunked_body_has_a_marked_end_and_one_ended_by_closing_has_not(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_say(f->server, "/chunked", "HTTP/1.1 200 OK\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
	fetch_server_say(f->server, "/closed", "HTTP/1.1 200 OK\r\n\r\nhello");
	fetch(f, "/chunked");
	expect_class(f, FETCH_OK);
	assert_true(f->result.end_is_marked);
	fetch(f, "/closed");
	expect_class(f, FETCH_OK);
	assert_false(f->result.end_is_marked);
	assert_int_equal(f->result.body_bytes, 5);
}

static void
an_interim_answer_is_no_answer(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_say(f->server, "/x", "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->heads, 1);
	assert_int_equal(f->result.status, 200);
}

static void
proxy_variables_are_ignored(void **state)
{
	struct fetch_fixture *f = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	fetch(f, "/x");
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	expect_class(f, FETCH_OK);
}

static void
a_request_keeps_the_loop_going_and_nothing_else_does(void **state)
{
	struct fetch_fixture *f = *state;

	f->limits.attempts = 3;
	start_url(f, "http://127.0.0.1:1/");
	/* The fixture's own: the deadline and the server. */
	ev_unref(f->loop);
	ev_unref(f->loop);
	run(f);
	assert_int_equal(f->result.attempts, 3);
	assert_int_equal(ev_run(f->loop, 0), 0);
	ev_ref(f->loop);
	ev_ref(f->loop);
}

/* --- control --- */

static void
pausing_after_every_chunk_loses_nothing(void **state)
{
	struct fetch_fixture *f = *state;

	f->pause_after = 1;
	add_big(f, 300000);
	fetch(f, "/big");
	expect_class(f, FETCH_OK);
	assert_int_equal(buf_len(&f->body), 300000);
	for (size_t i = 0; i < 300000; i++)
		assert_int_equal(buf_data(&f->body)[i], (uint8_t)(i * 31 >> 3));
	assert_true(f->chunks > 10);
}

static void
pausing_in_the_head_holds_the_body_and_the_end_back(void **state)
{
	struct fetch_fixture *f = *state;

	f->pause_in_head = true;
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "hello", 5);
	fetch_server_serve(f->server, "/none", "200 OK", "text/plain", "", 0);
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->resumes, 1);
	assert_int_equal(buf_len(&f->body), 5);
	fetch(f, "/none");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->resumes, 1);
}

static void
time_spent_paused_is_not_held_against_the_server(void **state)
{
	struct fetch_fixture *f = *state;

	f->pause_after = 1;
	f->limits.total_ms = 150;
	f->limits.slow_ms = 100;
	f->limits.slow_bytes = 1;
	ev_timer_set(&f->resume, 0.4, 0);
	add_big(f, 20000);
	fetch(f, "/big");
	expect_class(f, FETCH_OK);
	assert_int_equal(buf_len(&f->body), 20000);
}

static void
failing_a_request_from_its_body_gives_the_callers_reason(void **state)
{
	struct fetch_fixture *f = *state;

	f->fail_in_body = true;
	f->limits.attempts = 5;
	add_big(f, 300000);
	fetch(f, "/big");
	expect_class(f, FETCH_INVALID);
	assert_string_equal(f->result.error.text, "block 7 is bad");
	assert_int_equal(f->chunks, 1);
}

static void
failing_a_paused_request_ends_it(void **state)
{
	struct fetch_fixture *f = *state;

	add_big(f, 300000);
	start(f, "/big");
	f->pause_after = 1;
	ev_timer_set(&f->resume, 100, 0);
	while (f->chunks == 0)
		ev_run(f->loop, EVRUN_ONCE);
	http_fail(f->req, FETCH_TOO_LARGE, "no room on the disk");
	run(f);
	expect_class(f, FETCH_TOO_LARGE);
}

static void
cancelling_from_inside_the_body_calls_back_no_more(void **state)
{
	struct fetch_fixture *f = *state;

	f->cancel_in_body = true;
	add_big(f, 300000);
	start(f, "/big");
	ev_run(f->loop, 0);
	ev_run(f->loop, EVRUN_NOWAIT);
	assert_null(f->req);
	assert_int_equal(f->chunks, 1);
	assert_int_equal(f->dones, 0);
	assert_int_equal(http_request_count(f->http), 0);
}

static void
cancelling_another_request_from_inside_the_body_works(void **state)
{
	struct fetch_fixture *f = *state;
	struct http_request *other;

	fetch_server_add(f->server, "/hang", &(struct fetch_answer){
	    .bytes = "", .then = THEN_HANG });
	add_big(f, 100000);
	start(f, "/hang");
	other = f->req;
	for (int i = 0; i < 20; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
	start(f, "/big");
	f->cancel_other = &other;
	run(f);
	assert_null(other);
	expect_class(f, FETCH_OK);
}

static void
cancelling_works_in_every_state(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_add(f->server, "/drip", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n0123456789", .len = 49,
	    .then = THEN_HANG });
	for (int turns = 0; turns < 40; turns++) {
		start(f, "/drip");
		for (int i = 0; i < turns; i++)
			ev_run(f->loop, EVRUN_NOWAIT);
		http_cancel(&f->req);
		assert_null(f->req);
		assert_int_equal(http_request_count(f->http), 0);
	}
	http_cancel(&f->req);
	for (int i = 0; i < 10; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
	assert_int_equal(f->dones, 0);
}

static void
freeing_the_engine_cancels_what_is_under_way(void **state)
{
	struct fetch_fixture *f = *state;

	add_big(f, 300000);
	for (int i = 0; i < 10; i++)
		start(f, "/big");
	for (int i = 0; i < 5; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
	http_free(&f->http);
	for (int i = 0; i < 5; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
	assert_int_equal(f->dones, 0);
}

/* --- statuses --- */

static void
a_status_other_than_2xx_is_its_class_with_the_body_kept_apart(void **state)
{
	static const struct {
		const char *status;
		enum fetch_class class;
	} rows[] = {
		{ "400 Bad Request", FETCH_REFUSED },
		{ "401 Unauthorized", FETCH_REFUSED },
		{ "404 Not Found", FETCH_NOT_FOUND },
		{ "410 Gone", FETCH_GONE },
		{ "408 Request Timeout", FETCH_TIMEOUT },
		{ "500 Internal Server Error", FETCH_SERVER_ERROR },
		{ "501 Not Implemented", FETCH_REFUSED },
		{ "503 Service Unavailable", FETCH_SERVER_ERROR },
		{ "304 Not Modified", FETCH_INVALID },
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "/%zu", i);
		fetch_server_serve(f->server, path, rows[i].status, "text/html", "<p>",
		    3);
		fetch(f, path);
		expect_class(f, rows[i].class);
		assert_int_equal(f->heads + f->chunks, 0);
		if (i + 1 < BF_ARRAY_LEN(rows))		/* a 304 has no body */
			assert_string_equal(f->error_body, "<p>");
	}
}

static void
an_endless_error_body_is_kept_in_part_and_not_waited_for(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_add(f->server, "/x", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 400 Bad\r\n\r\n", .len = 20,
	    .then = THEN_REPEAT, .filler = "no no no " });
	fetch(f, "/x");
	expect_class(f, FETCH_REFUSED);
	assert_int_equal(strlen(f->error_body), LIMIT_FETCH_ERROR_BODY_BYTES);
}

static void
retry_after_is_told_in_every_form(void **state)
{
	struct fetch_fixture *f = *state;
	int64_t in_30_s = clock_wall_ms() / 1000 + 30;

	f->limits.wait_ms = 0;		/* report it rather than wait */
	f->get.is_trusted = true;
	f->limits.attempts = 1;
	fetch_server_say(f->server, "/delta", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n"
	    "Content-Length: 0\r\n\r\n");
	fetch(f, "/delta");
	assert_int_equal(f->result.retry_after_ms, 7000);
	expect_class(f, FETCH_SERVER_ERROR);

	fixture_renew(f, false);	/* and with it what the host asked for */
	fetch_server_say(f->server, "/reset",
	    "HTTP/1.1 429 Slow\r\nRateLimit-Limit: 3000\r\n"
	    "RateLimit-Remaining: 0\r\nRateLimit-Reset: %lld\r\nContent-Length: 0\r\n\r\n",
	    (long long)in_30_s);
	fetch(f, "/reset");
	expect_class(f, FETCH_RATE_LIMITED);
	assert_in_range(f->result.retry_after_ms, 20000, 31000);
}

static const struct CMUnitTest tests[] = {
	T(a_body_is_handed_over_and_the_connection_used_again),
	T(the_request_names_us_and_asks_for_nothing_compressed),
	T(a_chunked_body_has_a_marked_end_and_one_ended_by_closing_has_not),
	T(an_interim_answer_is_no_answer),
	T(a_request_keeps_the_loop_going_and_nothing_else_does),
	T(proxy_variables_are_ignored),
	T(pausing_after_every_chunk_loses_nothing),
	T(pausing_in_the_head_holds_the_body_and_the_end_back),
	T(time_spent_paused_is_not_held_against_the_server),
	T(failing_a_request_from_its_body_gives_the_callers_reason),
	T(failing_a_paused_request_ends_it),
	T(cancelling_from_inside_the_body_calls_back_no_more),
	T(cancelling_another_request_from_inside_the_body_works),
	T(cancelling_works_in_every_state),
	T(freeing_the_engine_cancels_what_is_under_way),
	T(a_status_other_than_2xx_is_its_class_with_the_body_kept_apart),
	T(an_endless_error_body_is_kept_in_part_and_not_waited_for),
	T(retry_after_is_told_in_every_form),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
