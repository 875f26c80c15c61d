#include "t/unit/unit.h"

#include "t/unit/fetch_fixture.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define DEADLINE_S	20.0	/* for any one request; most take milliseconds */

static void
on_head(struct http_request *req, const struct http_head *head, void *arg)
{
	struct fetch_fixture *f = arg;

	f->heads++;
	f->head = *head;
	str_copy(f->content_type, sizeof(f->content_type), head->content_type);
	if (f->pause_in_head) {
		http_pause(req);
		ev_timer_start(f->loop, &f->resume);
	}
}

static void
on_body(struct http_request *req, struct bytes chunk, void *arg)
{
	struct fetch_fixture *f = arg;

	assert_true(chunk.len > 0);
	f->chunks++;
	buf_add(&f->body, chunk.ptr, chunk.len);
	if (f->cancel_in_body) {
		http_cancel(&f->req);
		ev_break(f->loop, EVBREAK_ALL);
	}
	if (f->cancel_other != NULL)
		http_cancel(f->cancel_other);
	if (f->fail_in_body)
		http_fail(req, FETCH_INVALID, "block %d is bad", 7);
	if (f->pause_after > 0 && f->chunks % f->pause_after == 0) {
		http_pause(req);
		ev_timer_start(f->loop, &f->resume);
	}
}

void
on_restart(struct http_request *req BF_UNUSED, void *arg)
{
	struct fetch_fixture *f = arg;

	f->restarts++;
	buf_reset(&f->body);
}

static void
on_done(struct http_request *req BF_UNUSED, const struct http_result *result, void *arg)
{
	struct fetch_fixture *f = arg;

	f->dones++;
	f->result = *result;
	str_copy(f->error_body, sizeof(f->error_body), result->error_body);
	ev_break(f->loop, EVBREAK_ALL);
}

static void
on_resume(struct ev_loop *loop BF_UNUSED, ev_timer *watcher, int events BF_UNUSED)
{
	struct fetch_fixture *f = watcher->data;

	assert_int_equal(f->dones, 0);
	f->resumes++;
	http_resume(f->req);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, ev_timer *watcher BF_UNUSED,
    int events BF_UNUSED)
{
	fail_msg("nothing happened for %.0f s", DEADLINE_S);
}

static struct http *
new_http(struct fetch_fixture *f, bool is_guarded)
{
	struct http_options options = {
		.user_agent = "backfilld/test (+mailto:admin@example.com)",
		.allow_private_addresses = !is_guarded,
		.allow_plain_http = true,
		.polite = { .requests_per_s = 1000, .burst = 1000, .backoff_ms = 10,
		    .bulk_per_host_max = 2 },
	};

	return http_new(f->loop, &options);
}

int
fixture_set_up(void **state)
{
	struct fetch_fixture *f = xcalloc(1, sizeof(*f));

	f->loop = ev_loop_new(EVFLAG_AUTO);
	f->server = fetch_server_new(f->loop);
	f->http = new_http(f, false);
	f->limits = HTTP_LIMITS_REPO;
	f->limits.attempts = 1;
	f->get = (struct http_get){
		.limits = &f->limits,
		.on_head = on_head,
		.on_body = on_body,
		.on_done = on_done,
		.arg = f,
	};
	ev_timer_init(&f->deadline, on_deadline, DEADLINE_S, 0);
	ev_timer_init(&f->resume, on_resume, 0.01, 0);
	f->resume.data = f;
	ev_timer_start(f->loop, &f->deadline);
	*state = f;
	return 0;
}

int
fixture_tear_down(void **state)
{
	struct fetch_fixture *f = *state;

	http_free(&f->http);
	assert_null(f->http);
	fetch_server_free(&f->server);
	buf_clear(&f->body);
	ev_loop_destroy(f->loop);
	free(f);
	return 0;
}

void
start_url(struct fetch_fixture *f, const char *url)
{
	f->heads = f->chunks = f->restarts = f->resumes = f->dones = 0;
	buf_reset(&f->body);
	f->get.url = url;
	f->req = http_get(f->http, &f->get);
}

void
start(struct fetch_fixture *f, const char *path)
{
	char url[256];

	(void)snprintf(url, sizeof(url), "%s%s", fetch_server_origin(f->server), path);
	start_url(f, url);
}

void
run(struct fetch_fixture *f)
{
	ev_timer_stop(f->loop, &f->deadline);
	ev_timer_set(&f->deadline, DEADLINE_S, 0);
	ev_timer_start(f->loop, &f->deadline);
	ev_run(f->loop, 0);
	assert_int_equal(f->dones, 1);
	assert_int_equal(http_request_count(f->http), 0);
}

void
fetch(struct fetch_fixture *f, const char *path)
{
	start(f, path);
	run(f);
}

void
expect_class(struct fetch_fixture *f, enum fetch_class class)
{
	if (f->result.error.class != class)
		fail_msg("%s instead of %s: %s", fetch_class_word(f->result.error.class),
		    fetch_class_word(class), f->result.error.text);
	assert_int_equal(f->result.error.text[0] == '\0', class == FETCH_OK);
}

void
add_big(struct fetch_fixture *f, size_t len)
{
	char *body = xmalloc(len);

	for (size_t i = 0; i < len; i++)
		body[i] = (char)(i * 31 >> 3);
	fetch_server_serve(f->server, "/big", "200 OK", "text/plain", body, len);
	free(body);
}

void
redirect(struct fetch_fixture *f, const char *path, const char *to)
{
	fetch_server_say(f->server, path, "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
	    "Content-Length: 4\r\n\r\nGone", to);
}

void
fixture_renew(struct fetch_fixture *f, bool is_guarded)
{
	http_free(&f->http);
	f->http = new_http(f, is_guarded);
}

int
fixture_main(const struct CMUnitTest *tests, size_t count)
{
	int failed;

	http_init();
	unit_use_tap();
	failed = _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
	http_exit();
	return failed;
}
