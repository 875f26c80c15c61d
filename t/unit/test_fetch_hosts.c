/*
 * test_fetch_hosts.c - src/fetch/http: redirects, the guard, politeness.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "t/unit/fetch_fixture.h"

/* --- redirects --- */


static void
a_redirect_is_followed_and_its_body_ignored(void **state)
{
	struct fetch_fixture *f = *state;

	redirect(f, "/a", "/b?x=1");
	fetch_server_serve(f->server, "/b", "200 OK", "text/plain", "here", 4);
	fetch(f, "/a");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->heads, 1);
	assert_memory_equal(buf_data(&f->body), "here", 4);
	assert_int_equal(buf_len(&f->body), 4);
	assert_non_null(strstr(fetch_server_last_request(f->server), "GET /b?x=1 "));
}

/* Another server may be anybody. */
static void
authorization_stays_with_its_origin(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch_server *other = fetch_server_new(f->loop);
	char there[256];

	f->get.authorization = "Basic aaa";
	redirect(f, "/a", "/b");
	fetch_server_serve(f->server, "/b", "200 OK", "text/plain", "here", 4);
	fetch(f, "/a");
	expect_class(f, FETCH_OK);
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "\r\nAuthorization: Basic aaa\r\n"));

	(void)snprintf(there, sizeof(there), "%s/c", fetch_server_origin(other));
	redirect(f, "/x", there);
	fetch_server_serve(other, "/c", "200 OK", "text/plain", "here", 4);
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	assert_int_equal(fetch_server_requests(other), 1);
	assert_null(strstr(fetch_server_last_request(other), "uthorization"));
	fetch_server_free(&other);
}

static void
redirects_are_few(void **state)
{
	struct fetch_fixture *f = *state;

	redirect(f, "/loop", "/loop");
	fetch(f, "/loop");
	expect_class(f, FETCH_INVALID);
	assert_int_equal(fetch_server_requests(f->server), LIMIT_FETCH_REDIRECTS + 1);
	f->limits.redirects = 0;
	fetch(f, "/loop");
	expect_class(f, FETCH_INVALID);
	assert_int_equal(fetch_server_requests(f->server), LIMIT_FETCH_REDIRECTS + 2);
}

static void
redirects_share_one_deadline(void **state)
{
	struct fetch_fixture *f = *state;
	static const char slow[] = "HTTP/1.1 302 Found\r\nLocation: /slow\r\n"
	    "Content-Length: 0\r\n\r\n";

	f->limits.total_ms = 1500;	/* some ten of them on an idle machine */
	f->limits.redirects = 1000;
	fetch_server_add(f->server, "/slow", &(struct fetch_answer){
	    .bytes = slow, .len = sizeof(slow) - 1, .drip_ms = 1, .then = THEN_KEEP });
	fetch(f, "/slow");
	expect_class(f, FETCH_TIMEOUT);
	assert_true(fetch_server_requests(f->server) > 1);
	assert_int_equal(f->result.attempts, 1);
}

static void
a_redirect_to_another_scheme_or_to_nowhere_is_refused(void **state)
{
	static const char *const to[] = { "file:///etc/passwd", "gopher://127.0.0.1/",
	    "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/", "",
	    "javascript:alert(1)", "data:text/plain,x" };
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(to); i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "/%zu", i);
		redirect(f, path, to[i]);
		fetch(f, path);
		expect_class(f, FETCH_INVALID);
		assert_int_equal(f->heads, 0);
	}
}

static void
an_endless_body_of_a_redirect_is_not_waited_for(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_add(f->server, "/a", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 301 Moved\r\nLocation: /b\r\n\r\n", .len = 37,
	    .then = THEN_REPEAT, .filler = "moved " });
	fetch_server_serve(f->server, "/b", "200 OK", "text/plain", "here", 4);
	fetch(f, "/a");
	expect_class(f, FETCH_OK);
}

/* --- the guard --- */

static void
a_private_address_is_never_connected_to(void **state)
{
	struct fetch_fixture *f = *state;
	char url[64];

	fixture_renew(f, true);
	f->limits.attempts = 5;
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	fetch(f, "/x");
	expect_class(f, FETCH_BLOCKED);
	(void)snprintf(url, sizeof(url), "http://localhost:%u/x",
	    fetch_server_port(f->server));
	start_url(f, url);
	run(f);
	expect_class(f, FETCH_BLOCKED);
	assert_int_equal(fetch_server_connections(f->server), 0);
}

static void
a_trusted_url_may_be_private_but_not_what_it_redirects_to(void **state)
{
	static const char *const inside[] = { "http://169.254.169.254/latest/meta-data/",
	    "http://127.0.0.1/", "http://0x7f.1/", "http://2130706433/", "http://[::1]/",
	    "http://[::ffff:10.0.0.1]/", "http://[fc00::1]/", "http://10.1.2.3:8080/" };
	struct fetch_fixture *f = *state;
	struct fetch_server *other = fetch_server_new(f->loop);
	char url[64];

	fixture_renew(f, true);
	f->get.is_trusted = true;
	(void)snprintf(url, sizeof(url), "%s/x", fetch_server_origin(other));
	redirect(f, "/away", url);
	redirect(f, "/same", "/x");
	for (size_t i = 0; i < BF_ARRAY_LEN(inside); i++)
		redirect(f, "/inside", inside[i]);
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	fetch_server_serve(other, "/x", "200 OK", "text/plain", "x", 1);
	fetch(f, "/same");
	expect_class(f, FETCH_OK);
	fetch(f, "/away");
	expect_class(f, FETCH_BLOCKED);
	for (size_t i = 0; i < BF_ARRAY_LEN(inside); i++) {
		fetch(f, "/inside");
		expect_class(f, FETCH_BLOCKED);
	}
	assert_int_equal(fetch_server_connections(other), 0);
	fetch_server_free(&other);
}

static void
a_connection_made_for_a_trusted_request_serves_no_other(void **state)
{
	struct fetch_fixture *f = *state;

	fixture_renew(f, true);
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	f->get.is_trusted = true;
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	f->get.is_trusted = false;
	fetch(f, "/x");
	expect_class(f, FETCH_BLOCKED);
	assert_int_equal(fetch_server_requests(f->server), 1);
}

static void
plain_http_is_blocked_unless_it_is_allowed(void **state)
{
	struct fetch_fixture *f = *state;
	struct http_options options = { .user_agent = "x",
	    .allow_private_addresses = true };

	http_free(&f->http);
	f->http = http_new(f->loop, &options);
	fetch(f, "/x");
	expect_class(f, FETCH_BLOCKED);
	assert_int_equal(f->result.attempts, 0);
	assert_int_equal(fetch_server_connections(f->server), 0);
}

/* --- politeness --- */

static void
a_transient_failure_is_tried_again_and_then_given_up(void **state)
{
	struct fetch_fixture *f = *state;

	f->limits.attempts = 3;
	fetch_server_say(f->server, "/x",
	    "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n");
	fetch_server_add(f->server, "/x", &(struct fetch_answer){
	    .bytes = "", .then = THEN_CLOSE });
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->result.attempts, 3);

	fetch_server_say(f->server, "/y",
	    "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n");
	fetch(f, "/y");
	expect_class(f, FETCH_SERVER_ERROR);
	assert_int_equal(f->result.attempts, 3);
}

static void
a_cut_body_is_fetched_again_only_if_the_caller_can_start_over(void **state)
{
	static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
	struct fetch_fixture *f = *state;

	f->limits.attempts = 3;
	fetch_server_say(f->server, "/x", "%s", cut);
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "abcdefghi", 9);
	fetch(f, "/x");
	expect_class(f, FETCH_TRUNCATED);
	assert_int_equal(f->result.attempts, 1);

	f->get.on_restart = on_restart;
	fetch_server_say(f->server, "/y", "%s", cut);
	fetch_server_serve(f->server, "/y", "200 OK", "text/plain", "abcdefghi", 9);
	fetch(f, "/y");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->restarts, 1);
	assert_int_equal(f->result.body_bytes, 9);
	assert_int_equal(buf_len(&f->body), 9);
}

static void
a_429_is_waited_for_and_is_no_attempt(void **state)
{
	struct fetch_fixture *f = *state;
	int64_t began = clock_mono_ms();

	f->limits.attempts = 2;
	fetch_server_say(f->server, "/x", "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n"
	    "Content-Length: 0\r\n\r\n");
	fetch_server_say(f->server, "/x",
	    "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n");
	fetch_server_say(f->server, "/x",
	    "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n");
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->result.attempts, 4);
	assert_true(clock_mono_ms() - began >= 1000);
}

static void
a_429_without_end_is_given_up(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_say(f->server, "/x",
	    "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n");
	fetch(f, "/x");
	expect_class(f, FETCH_RATE_LIMITED);
	assert_int_equal(f->result.attempts, LIMIT_FETCH_REFUSALS);
}

static void
a_wait_longer_than_the_caller_has_ends_the_request_at_once(void **state)
{
	struct fetch_fixture *f = *state;

	f->limits.wait_ms = 5000;
	fetch_server_say(f->server, "/x", "HTTP/1.1 429 Slow\r\nRetry-After: 600\r\n"
	    "Content-Length: 0\r\n\r\n");
	fetch(f, "/x");
	expect_class(f, FETCH_RATE_LIMITED);
	assert_in_range(f->result.retry_after_ms, 590000, 600000);
	fetch(f, "/another");
	expect_class(f, FETCH_RATE_LIMITED);
	assert_int_equal(f->result.attempts, 0);
	assert_int_equal(fetch_server_requests(f->server), 1);
}

struct remembered {
	unsigned hosts;
	struct polite_memory memory;
	char origin[64];
};

static void
on_host(const char *origin, const struct polite_memory *memory, void *arg)
{
	struct remembered *remembered = arg;

	remembered->hosts++;
	remembered->memory = *memory;
	(void)snprintf(remembered->origin, sizeof(remembered->origin), "%s", origin);
}

static void
what_a_host_asked_for_can_be_handed_to_the_next_process(void **state)
{
	struct fetch_fixture *f = *state;
	struct remembered remembered = { 0 };

	a_wait_longer_than_the_caller_has_ends_the_request_at_once(state);
	http_each_host(f->http, on_host, &remembered);
	assert_int_equal(remembered.hosts, 1);
	assert_string_equal(remembered.origin, fetch_server_origin(f->server));
	assert_in_range(remembered.memory.pause_ms, 590000, 600000);

	fixture_renew(f, false);
	http_recall_host(f->http, remembered.origin, &remembered.memory);
	fetch(f, "/another");
	expect_class(f, FETCH_RATE_LIMITED);
	assert_int_equal(fetch_server_requests(f->server), 1);
}

static unsigned all_done;

static void
on_one_of_many(struct http_request *req BF_UNUSED, const struct http_result *result,
    void *arg)
{
	struct fetch_fixture *f = arg;

	assert_int_equal(result->error.class, FETCH_OK);
	if (++all_done == 200)
		ev_break(f->loop, EVBREAK_ALL);
}

static void
many_requests_share_few_connections_and_descriptors(void **state)
{
	struct fetch_fixture *f = *state;
	struct rlimit old, few = { 64, 64 };

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	fixture_renew(f, false);
	all_done = 0;
	f->get.on_done = on_one_of_many;
	add_big(f, 5000);
	for (int i = 0; i < 200; i++)
		start(f, "/big");
	ev_run(f->loop, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(all_done, 200);
	assert_in_range(fetch_server_connections(f->server), 1, 4);
}

static const struct CMUnitTest tests[] = {
	T(a_redirect_is_followed_and_its_body_ignored),
	T(authorization_stays_with_its_origin),
	T(redirects_are_few),
	T(redirects_share_one_deadline),
	T(a_redirect_to_another_scheme_or_to_nowhere_is_refused),
	T(an_endless_body_of_a_redirect_is_not_waited_for),
	T(a_private_address_is_never_connected_to),
	T(a_trusted_url_may_be_private_but_not_what_it_redirects_to),
	T(a_connection_made_for_a_trusted_request_serves_no_other),
	T(plain_http_is_blocked_unless_it_is_allowed),
	T(a_transient_failure_is_tried_again_and_then_given_up),
	T(a_cut_body_is_fetched_again_only_if_the_caller_can_start_over),
	T(a_429_is_waited_for_and_is_no_attempt),
	T(a_429_without_end_is_given_up),
	T(a_wait_longer_than_the_caller_has_ends_the_request_at_once),
	T(what_a_host_asked_for_can_be_handed_to_the_next_process),
	T(many_requests_share_few_connections_and_descriptors),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
