/*
 * fetch_fixture.h - one HTTP engine, one scripted server and one loop, and what the
 * callbacks of a request saw.
 */
#ifndef BF_T_FETCH_FIXTURE_H
#define BF_T_FETCH_FIXTURE_H

#include "common/buf.h"
#include "common/limits.h"
#include "fetch/http.h"
#include "t/unit/fetch_server.h"

struct fetch_fixture {
	struct ev_loop *loop;
	struct fetch_server *server;
	struct http *http;
	struct http_limits limits;
	struct http_get get;
	ev_timer deadline;

	/* What the callbacks saw of the last request. */
	struct http_request *req;
	unsigned heads, chunks, restarts, resumes, dones;
	struct http_head head;
	char content_type[64];
	struct buf body;
	struct http_result result;
	char error_body[LIMIT_FETCH_ERROR_BODY_BYTES + 1];

	/* What they do. */
	unsigned pause_after;		/* chunks; 0: never */
	ev_timer resume;
	bool cancel_in_body, fail_in_body, pause_in_head;
	struct http_request **cancel_other;
};

/* Of cmocka. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
int fixture_main(const struct CMUnitTest *tests, size_t count);

/* Begin anew, without what was learned of hosts. */
void fixture_renew(struct fetch_fixture *f, bool is_guarded);

/* Begin a request for a path of the server, or for any URL; run it to its end. */
void start(struct fetch_fixture *f, const char *path);
void start_url(struct fetch_fixture *f, const char *url);
void run(struct fetch_fixture *f);
void fetch(struct fetch_fixture *f, const char *path);

void expect_class(struct fetch_fixture *f, enum fetch_class class);

/* Serve so many bytes, none like its neighbours, at /big. */
void add_big(struct fetch_fixture *f, size_t len);
void redirect(struct fetch_fixture *f, const char *path, const char *to);
void on_restart(struct http_request *req, void *arg);

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

#endif
