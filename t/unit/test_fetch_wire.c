/*
 * test_fetch_wire.c - src/fetch/http against servers that break off, lie or flood.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "common/mem.h"
#include "t/unit/fetch_fixture.h"

/* --- faults on the wire --- */

static void
a_body_cut_at_each_sixteenth_is_truncated(void **state)
{
	static const char whole[] = "HTTP/1.1 200 OK\r\nContent-Length: 160\r\n\r\n";
	struct fetch_fixture *f = *state;
	char bytes[sizeof(whole) - 1 + 160];
	size_t head = sizeof(whole) - 1;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, whole, head);
	for (int reset = 0; reset <= 1; reset++) {
		for (size_t i = 0; i < 16; i++) {
			char path[16];

			(void)snprintf(path, sizeof(path), "/%d/%zu", reset, i);
			fetch_server_add(f->server, path, &(struct fetch_answer){
			    .bytes = bytes, .len = head + i * 10,
			    .then = reset ? THEN_RESET : THEN_CLOSE });
			fixture_renew(f, false);	/* it would be parked */
			fetch(f, path);
			/* A reset may overtake what was sent before it. */
			if (reset && f->result.error.class == FETCH_UNREACHABLE)
				continue;
			expect_class(f, FETCH_TRUNCATED);
			assert_true(f->result.body_bytes <= i * 10);
		}
	}
}

static void
a_chunked_body_without_its_last_chunk_is_truncated(void **state)
{
	static const char *const cut[] = { "", "5", "5\r\n", "5\r\nhel", "5\r\nhello",
	    "5\r\nhello\r\n", "5\r\nhello\r\n0", "5\r\nhello\r\n0\r\n" };
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(cut); i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "/%zu", i);
		fetch_server_say(f->server, path, "HTTP/1.1 200 OK\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n%s", cut[i]);
		fixture_renew(f, false);
		fetch(f, path);
		expect_class(f, FETCH_TRUNCATED);
	}
}

static void
a_server_that_closes_or_is_not_there_is_unreachable(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_add(f->server, "/close", &(struct fetch_answer){
	    .bytes = "", .then = THEN_CLOSE });
	fetch_server_add(f->server, "/half", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Le", .len = 27, .then = THEN_CLOSE });
	fetch(f, "/close");
	expect_class(f, FETCH_UNREACHABLE);
	fetch(f, "/half");
	expect_class(f, FETCH_UNREACHABLE);
	start_url(f, "http://127.0.0.1:1/");
	run(f);
	expect_class(f, FETCH_UNREACHABLE);
	start_url(f, "http://does-not-exist.invalid/");
	run(f);
	expect_class(f, FETCH_UNREACHABLE);
}

static void
what_is_not_http_is_invalid(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_say(f->server, "/x", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
	fetch(f, "/x");
	expect_class(f, FETCH_INVALID);
}

static void
no_answer_in_time_is_a_timeout(void **state)
{
	struct fetch_fixture *f = *state;

	f->limits.head_ms = 100;
	fetch_server_add(f->server, "/hang", &(struct fetch_answer){
	    .bytes = "", .then = THEN_HANG });
	fetch_server_add(f->server, "/drip", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .len = 38,
	    .drip_ms = 20 });
	fetch(f, "/hang");
	expect_class(f, FETCH_TIMEOUT);
	fetch(f, "/drip");
	expect_class(f, FETCH_TIMEOUT);
	assert_int_equal(f->heads, 0);
}

static void
a_dripping_body_is_a_timeout(void **state)
{
	struct fetch_fixture *f = *state;
	struct fetch_answer drip = {
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n012345678901234567890"
		"12345678901234567890123456789012345678901234567890", .len = 112,
	    .then = THEN_HANG, .drip_ms = 5 };

	fetch_server_add(f->server, "/x", &drip);
	f->limits.slow_ms = 100;
	f->limits.slow_bytes = 1000;
	fetch(f, "/x");
	expect_class(f, FETCH_TIMEOUT);
	assert_int_equal(f->heads, 1);
	assert_non_null(strstr(f->result.error.text, "in the last 100 ms"));
}

static void
the_total_deadline_ends_what_is_neither_slow_nor_finished(void **state)
{
	struct fetch_fixture *f = *state;

	f->limits.total_ms = 100;
	fetch_server_add(f->server, "/x", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 200 OK\r\n\r\n", .len = 19,
	    .then = THEN_REPEAT, .filler = "more and more " });
	fetch(f, "/x");
	expect_class(f, FETCH_TIMEOUT);
	assert_true(f->chunks > 0);
}

static void
an_endless_body_is_too_large(void **state)
{
	struct fetch_fixture *f = *state;

	f->limits.body_bytes = 100000;
	fetch_server_add(f->server, "/x", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 200 OK\r\n\r\n", .len = 19,
	    .then = THEN_REPEAT, .filler = "more and more " });
	fetch(f, "/x");
	expect_class(f, FETCH_TOO_LARGE);
	assert_true(f->result.body_bytes <= 100000);
	assert_int_equal(f->result.body_bytes, buf_len(&f->body));
}

static void
an_announced_length_over_the_cap_is_not_downloaded(void **state)
{
	struct fetch_fixture *f = *state;

	f->limits.body_bytes = 999;
	add_big(f, 1000);
	fetch(f, "/big");
	expect_class(f, FETCH_TOO_LARGE);
	assert_int_equal(f->chunks, 0);
	f->limits.body_bytes = 1000;
	fetch(f, "/big");
	expect_class(f, FETCH_OK);
}

static void
more_bytes_than_announced_are_not_taken(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_say(f->server, "/x",
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef");
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	assert_int_equal(buf_len(&f->body), 3);
}

static void
a_flood_of_headers_is_too_large(void **state)
{
	static const char *const fillers[] = {
		"X-Short: 1\r\n",
		"X-Long: 0123456789012345678901234567890123456789012345678901234567890123"
		"456789012345678901234567890123456789012345678901234567890123456789012345"
		"678901234567890123456789012345678901234567890123456789012345678901234567"
		"890123456789012345678901234567890123456789012345678901234567890123456789"
		"012345678901234567890123456789012345678901234567890123456789012345678901"
		"234567890123456789012345678901234567890123456789012345678901234567890\r\n",
		"no end of line, ever",
		"HTTP/1.1 103 Early Hints\r\n\r\n",
	};
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(fillers); i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "/%zu", i);
		fetch_server_add(f->server, path, &(struct fetch_answer){
		    .bytes = "HTTP/1.1 200 OK\r\nX: ", .len = i < 3 ? 20 : 0,
		    .then = THEN_REPEAT, .filler = fillers[i] });
		fetch(f, path);
		expect_class(f, FETCH_TOO_LARGE);
		assert_int_equal(f->heads, 0);
	}
}

static void
serve_headers(struct fetch_fixture *f, const char *path, int count)
{
	struct buf bytes = BUF_INIT;

	buf_printf(&bytes, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
	for (int i = 0; i < count; i++)
		buf_printf(&bytes, "X-%d: 1\r\n", i);
	buf_printf(&bytes, "\r\n");
	fetch_server_add(f->server, path, &(struct fetch_answer){
	    .bytes = buf_data(&bytes), .len = buf_len(&bytes), .then = THEN_CLOSE });
	buf_clear(&bytes);
}

static void
one_long_header_is_too_large(void **state)
{
	struct fetch_fixture *f = *state;
	size_t len = LIMIT_FETCH_HEADER_BYTES;
	char *value = xcalloc(1, len + 1);

	memset(value, 'x', len);
	fetch_server_say(f->server, "/x",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %s\r\n\r\n", value);
	fetch(f, "/x");
	expect_class(f, FETCH_TOO_LARGE);
	value[len - 1000] = '\0';
	fetch_server_say(f->server, "/y",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %s\r\n\r\n", value);
	fetch(f, "/y");
	expect_class(f, FETCH_OK);
	free(value);
}

static void
headers_are_counted_as_well_as_weighed(void **state)
{
	struct fetch_fixture *f = *state;

	/* The status line, the length and the empty line count too. */
	serve_headers(f, "/enough", LIMIT_FETCH_HEADERS - 3);
	fetch(f, "/enough");
	expect_class(f, FETCH_OK);
	serve_headers(f, "/more", LIMIT_FETCH_HEADERS - 2);
	fetch(f, "/more");
	expect_class(f, FETCH_TOO_LARGE);
}

static void
a_flood_of_trailers_is_too_large(void **state)
{
	struct fetch_fixture *f = *state;

	fetch_server_add(f->server, "/x", &(struct fetch_answer){
	    .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	    .len = 50,
	    .then = THEN_REPEAT, .filler = "X-Trailer: 1\r\n" });
	fetch(f, "/x");
	expect_class(f, FETCH_TOO_LARGE);
}

/* --- compression --- */

static void
serve_gzip(struct fetch_fixture *f, const char *path, size_t len)
{
	struct buf bytes = BUF_INIT;
	char *plain = xcalloc(1, len);
	z_stream z = { .next_in = (Bytef *)plain, .avail_in = (uInt)len };
	size_t size;

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
	    Z_OK);
	size = deflateBound(&z, len);
	z.next_out = buf_reserve(&bytes, size);
	z.avail_out = (uInt)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	fetch_server_serve(f->server, path, "200 OK",
	    "text/plain\r\nContent-Encoding: gzip", buf_data(&bytes), z.total_out);
	deflateEnd(&z);
	buf_clear(&bytes);
	free(plain);
}

static void
gzip_is_decoded_where_it_was_asked_for(void **state)
{
	struct fetch_fixture *f = *state;

	f->get.accept_gzip = true;
	serve_gzip(f, "/x", 100000);
	fetch(f, "/x");
	expect_class(f, FETCH_OK);
	assert_int_equal(f->result.body_bytes, 100000);
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "Accept-Encoding: gzip\r\n"));
}

static void
gzip_that_was_not_asked_for_is_invalid(void **state)
{
	struct fetch_fixture *f = *state;

	serve_gzip(f, "/x", 1000);
	fetch(f, "/x");
	expect_class(f, FETCH_INVALID);
	assert_int_equal(f->chunks, 0);
}

static void
a_gzip_bomb_is_too_large(void **state)
{
	struct fetch_fixture *f = *state;

	f->get.accept_gzip = true;
	serve_gzip(f, "/x", 20 * 1024 * 1024);
	fetch(f, "/x");
	expect_class(f, FETCH_TOO_LARGE);
	/* 20 MiB of zeros are 20 KB: LIMIT_FETCH_INFLATE_RATIO ends it early, and what
	 * is under LIMIT_FETCH_INFLATE_FREE_BYTES may be as dense as it likes. */
	assert_non_null(strstr(f->result.error.text, "compressed more than"));
	assert_true(f->result.body_bytes > LIMIT_FETCH_INFLATE_FREE_BYTES);
	assert_true(f->result.body_bytes < 8 * 1024 * 1024);

	f->limits.body_bytes = 100000;
	fetch(f, "/x");
	expect_class(f, FETCH_TOO_LARGE);
	assert_true(f->result.body_bytes <= 100000);
}

static const struct CMUnitTest tests[] = {
	T(a_body_cut_at_each_sixteenth_is_truncated),
	T(a_chunked_body_without_its_last_chunk_is_truncated),
	T(a_server_that_closes_or_is_not_there_is_unreachable),
	T(what_is_not_http_is_invalid),
	T(no_answer_in_time_is_a_timeout),
	T(a_dripping_body_is_a_timeout),
	T(the_total_deadline_ends_what_is_neither_slow_nor_finished),
	T(an_endless_body_is_too_large),
	T(an_announced_length_over_the_cap_is_not_downloaded),
	T(more_bytes_than_announced_are_not_taken),
	T(a_flood_of_headers_is_too_large),
	T(one_long_header_is_too_large),
	T(headers_are_counted_as_well_as_weighed),
	T(a_flood_of_trailers_is_too_large),
	T(gzip_is_decoded_where_it_was_asked_for),
	T(gzip_that_was_not_asked_for_is_invalid),
	T(a_gzip_bomb_is_too_large),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
