/*
 * test_fetch_blob.c - src/fetch/get_blob.h, and the bodies that http_post() sends.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fetch/get_blob.h"
#include "t/unit/fetch_fixture.h"

#define BLOB_PATH	"/xrpc/com.atproto.sync.getBlob"

/* --- bodies --- */

static void
start_post(struct fetch_fixture *f, const char *path, int fd, uint64_t fd_bytes)
{
	struct http_upload upload = {
		.content_type = "text/x-test",
		.head = { (const uint8_t *)"head ", 5 },
		.fd = fd, .fd_bytes = fd_bytes,
		.tail = { (const uint8_t *)" tail", 5 },
	};
	char url[256];

	(void)snprintf(url, sizeof(url), "%s%s", fetch_server_origin(f->server), path);
	f->get.url = url;
	f->req = http_post(f->http, &f->get, &upload);
}

static int
file_of(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void
a_post_sends_head_file_and_tail_without_asking_first(void **state)
{
	struct fetch_fixture *f = *state;
	int fd = file_of("of the file, not all");
	const char *request;

	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "got it", 6);
	start_post(f, "/x", fd, 11);
	run(f);
	expect_class(f, FETCH_OK);
	request = fetch_server_last_request(f->server);
	assert_memory_equal(request, "POST /x ", 8);
	assert_non_null(strstr(request, "Content-Type: text/x-test\r\n"));
	assert_non_null(strstr(request, "Content-Length: 21\r\n"));
	assert_null(strstr(request, "Expect"));
	assert_string_equal(strstr(request, "\r\n\r\n") + 4, "head of the file tail");
	close(fd);
}

static void
a_post_that_is_tried_again_sends_all_of_it_again(void **state)
{
	struct fetch_fixture *f = *state;
	const char *request;

	f->limits.attempts = 3;
	fetch_server_say(f->server, "/x", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "ok", 2);
	start_post(f, "/x", -1, 0);
	run(f);
	expect_class(f, FETCH_OK);
	assert_int_equal(f->result.attempts, 2);
	request = fetch_server_last_request(f->server);
	assert_string_equal(strstr(request, "\r\n\r\n") + 4, "head  tail");
}

static void
a_post_follows_no_redirect(void **state)
{
	struct fetch_fixture *f = *state;

	redirect(f, "/x", "/y");
	fetch_server_serve(f->server, "/y", "200 OK", "text/plain", "ok", 2);
	start_post(f, "/x", -1, 0);
	run(f);
	expect_class(f, FETCH_INVALID);
	assert_int_equal(fetch_server_requests(f->server), 1);
}

static void
a_file_shorter_than_was_said_ends_the_post(void **state)
{
	struct fetch_fixture *f = *state;
	int fd = file_of("short");

	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "ok", 2);
	start_post(f, "/x", fd, 1000);
	run(f);
	assert_int_not_equal(f->result.error.class, FETCH_OK);
	assert_int_equal(fetch_server_requests(f->server), 0);
	close(fd);
}

/* --- blobs --- */

struct blob {
	struct fetch_fixture *f;
	struct buf body;
	struct get_blob_result result;
	unsigned restarts, dones;
};

static void
on_blob_body(struct get_blob *get BF_UNUSED, struct bytes chunk, void *arg)
{
	struct blob *blob = arg;

	buf_add(&blob->body, chunk.ptr, chunk.len);
}

static void
on_blob_restart(struct get_blob *get BF_UNUSED, void *arg)
{
	struct blob *blob = arg;

	blob->restarts++;
	buf_reset(&blob->body);
}

static void
on_blob_done(struct get_blob *get BF_UNUSED, const struct get_blob_result *result,
    void *arg)
{
	struct blob *blob = arg;

	blob->dones++;
	blob->result = *result;
	ev_break(blob->f->loop, EVBREAK_ALL);
}

static const struct get_blob_events blob_events = {
	on_blob_body, on_blob_restart, on_blob_done,
};

/* Ask for the blob whose bytes are `text`; returns how that ended. */
static enum fetch_class
get_text(struct fetch_fixture *f, const char *text, uint64_t body_bytes,
    struct blob *blob)
{
	struct get_blob_query query = {
		.pds = fetch_server_origin(f->server),
		.did = STR("did:plc:abc"),
		.body_bytes = body_bytes,
	};
	struct sha256 *sha = sha256_new();

	*blob = (struct blob){ .f = f };
	cid_of(sha, CID_RAW, (struct bytes){ (const uint8_t *)text, strlen(text) },
	    &query.cid);
	sha256_free(&sha);
	(void)get_blob_start(f->http, &query, &blob_events, blob);
	ev_run(f->loop, 0);
	assert_int_equal(blob->dones, 1);
	buf_clear(&blob->body);
	return blob->result.error.class;
}

static void
a_blob_is_taken_for_what_its_cid_names(void **state)
{
	struct fetch_fixture *f = *state;
	struct blob blob;

	fetch_server_serve(f->server, BLOB_PATH, "200 OK", "text/html", "a blob", 6);
	assert_int_equal(get_text(f, "a blob", 6, &blob), FETCH_OK);
	assert_int_equal(blob.result.body_bytes, 6);
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "?did=did%3Aplc%3Aabc&cid=bafkrei"));
	assert_int_equal(get_text(f, "another", 0, &blob), FETCH_INVALID);
	assert_non_null(strstr(blob.result.error.text, "not what the CID names"));
}

static void
a_blob_larger_than_its_record_says_is_too_large(void **state)
{
	struct fetch_fixture *f = *state;
	struct blob blob;

	fetch_server_serve(f->server, BLOB_PATH, "200 OK", "text/html", "a blob", 6);
	assert_int_equal(get_text(f, "a blob", 5, &blob), FETCH_TOO_LARGE);
}

static void
no_blob_may_be_over_LIMIT_FETCH_BLOB_BYTES(void **state)
{
	struct fetch_fixture *f = *state;
	struct blob blob;

	fetch_server_say(f->server, BLOB_PATH,
	    "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", LIMIT_FETCH_BLOB_BYTES + 1);
	assert_int_equal(get_text(f, "x", UINT64_MAX, &blob), FETCH_TOO_LARGE);
}

static void
a_cut_blob_is_fetched_again_from_its_start(void **state)
{
	struct fetch_fixture *f = *state;
	struct blob blob;

	fetch_server_say(f->server, BLOB_PATH,
	    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\na bl");
	fetch_server_serve(f->server, BLOB_PATH, "200 OK", "text/html", "a blob", 6);
	assert_int_equal(get_text(f, "a blob", 6, &blob), FETCH_OK);
	assert_int_equal(blob.restarts, 1);
}

static void
a_blob_that_the_server_does_not_have_is_not_found(void **state)
{
	const char *body = "{\"error\":\"InvalidRequest\",\"message\":\"Blob not found\"}";
	struct fetch_fixture *f = *state;
	struct blob blob;

	fetch_server_serve(f->server, BLOB_PATH, "400 Bad Request", "application/json",
	    body, strlen(body));
	assert_int_equal(get_text(f, "x", 1, &blob), FETCH_NOT_FOUND);
}

static void
a_blob_may_be_kept_elsewhere(void **state)
{
	struct fetch_fixture *f = *state;
	struct blob blob;

	redirect(f, BLOB_PATH, "/bucket");
	fetch_server_serve(f->server, "/bucket", "200 OK", "text/html", "a blob", 6);
	assert_int_equal(get_text(f, "a blob", 6, &blob), FETCH_OK);
}

static void
a_cancelled_blob_calls_back_no_more(void **state)
{
	struct fetch_fixture *f = *state;
	struct get_blob_query query = { .pds = fetch_server_origin(f->server) };
	struct blob blob = { .f = f };
	struct get_blob *get = get_blob_start(f->http, &query, &blob_events, &blob);

	get_blob_cancel(&get);
	assert_null(get);
	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "ok", 2);
	fetch(f, "/x");
	assert_int_equal(blob.dones, 0);
}

static const struct CMUnitTest tests[] = {
	T(a_post_sends_head_file_and_tail_without_asking_first),
	T(a_post_that_is_tried_again_sends_all_of_it_again),
	T(a_post_follows_no_redirect),
	T(a_file_shorter_than_was_said_ends_the_post),
	T(a_blob_is_taken_for_what_its_cid_names),
	T(a_blob_larger_than_its_record_says_is_too_large),
	T(no_blob_may_be_over_LIMIT_FETCH_BLOB_BYTES),
	T(a_cut_blob_is_fetched_again_from_its_start),
	T(a_blob_that_the_server_does_not_have_is_not_found),
	T(a_blob_may_be_kept_elsewhere),
	T(a_cancelled_blob_calls_back_no_more),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
