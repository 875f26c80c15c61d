/*
 * test_subscribe.c - event streams over WebSocket: what is handed over, what is
 * refused, when a stream is given up; and name look-ups.
 */
#include "t/unit/unit.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fetch/resolve.h"
#include "fetch/subscribe.h"
#include "t/unit/subscribe_rig.h"

static void
messages_come_whole_in_order_however_they_are_cut(void **state)
{
	struct rig *rig = *state;
	uint8_t *big = xcalloc(1, MESSAGE_BYTES);

	ws_server_frame(&rig->server, 0x82, "first", 5);
	ws_server_frame(&rig->server, 0x02, "in ", 3);
	ws_server_frame(&rig->server, 0x89, "ping", 4);
	ws_server_frame(&rig->server, 0x80, "pieces", 6);
	ws_server_frame(&rig->server, 0x82, big, MESSAGE_BYTES);
	ws_server_frame(&rig->server, 0x82, "last", 4);
	ws_server_frame(&rig->server, 0x88, "\x03\xe8", 2);
	run(rig);
	assert_int_equal(rig->opens, 1);
	assert_int_equal(rig->messages, 4);
	assert_int_equal(rig->bytes, 5 + 9 + MESSAGE_BYTES + 4);
	assert_memory_equal(buf_data(&rig->last), "last", 4);
	assert_int_equal(rig->ends, 1);
	assert_int_equal(rig->class, FETCH_OK);
	assert_int_equal(subscribe_received_bytes(rig->sub), rig->bytes);
	free(big);
}

static void
the_request_is_made_under_the_name_of_the_server(void **state)
{
	struct rig *rig = *state;
	char host[64];

	ws_server_frame(&rig->server, 0x88, "\x03\xe8", 2);
	run_at(rig, "http", "localhost");
	(void)snprintf(host, sizeof(host), "Host: localhost:%u\r\n", rig->server.port);
	assert_non_null(strstr((char *)buf_data(&rig->server.request), host));
	assert_non_null(strstr((char *)buf_data(&rig->server.request),
	    "GET /xrpc/a.b.c?cursor=7 HTTP/1.1\r\n"));
	assert_non_null(strstr((char *)buf_data(&rig->server.request), "test/1"));
}

static void
a_message_over_the_limit_ends_the_stream(void **state)
{
	struct rig *rig = *state;
	uint8_t *big = xcalloc(1, MESSAGE_BYTES + 1);

	ws_server_frame(&rig->server, 0x82, big, MESSAGE_BYTES + 1);
	run(rig);
	assert_int_equal(rig->messages, 0);
	assert_int_equal(rig->class, FETCH_TOO_LARGE);
	free(big);
}

static void
pieces_without_end_are_over_the_limit_too(void **state)
{
	struct rig *rig = *state;
	uint8_t piece[20000] = { 0 };

	ws_server_frame(&rig->server, 0x02, piece, sizeof(piece));
	for (int i = 0; i < 20; i++)
		ws_server_frame(&rig->server, 0x00, piece, sizeof(piece));
	run(rig);
	assert_int_equal(rig->class, FETCH_TOO_LARGE);
}

static void
a_text_message_ends_the_stream(void **state)
{
	struct rig *rig = *state;

	ws_server_frame(&rig->server, 0x81, "{}", 2);
	run(rig);
	assert_int_equal(rig->messages, 0);
	assert_int_equal(rig->class, FETCH_INVALID);
}

static void
a_cut_is_told_from_a_close(void **state)
{
	struct rig *rig = *state;

	ws_server_frame(&rig->server, 0x82, "first", 5);
	ws_server_frame(&rig->server, 0x82, "cut", 3);
	rig->server.script.end--;
	rig->server.closes = true;
	run(rig);
	assert_int_equal(rig->messages, 1);
	assert_int_equal(rig->ends, 1);
	assert_int_equal(rig->class, FETCH_UNREACHABLE);
}

static void
a_server_that_refuses_is_told_by_its_status(void **state)
{
	static const struct {
		const char *answer;
		enum fetch_class class;
	} cases[] = {
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", FETCH_REFUSED },
		{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
		  "Content-Length: 0\r\n\r\n", FETCH_REFUSED },
		{ "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", FETCH_RATE_LIMITED },
		{ "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", FETCH_SERVER_ERROR },
		{ "SSH-2.0-x\r\n\r\n", FETCH_UNREACHABLE },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		rig->server.refusal = cases[i].answer;
		rig->class = FETCH_OK;
		run(rig);
		if (rig->class != cases[i].class)
			fail_msg("%s: %s: %s", cases[i].answer,
			    fetch_class_word(rig->class), rig->text);
	}
	assert_int_equal(rig->opens, 0);
	assert_int_equal(rig->ends, BF_ARRAY_LEN(cases));
	assert_int_equal(rig->server.connections, BF_ARRAY_LEN(cases));
}

static void
a_private_address_is_not_connected_to_unless_it_is_trusted(void **state)
{
	struct rig *rig = *state;

	rig->options.is_trusted = false;
	rig->options.allow_plain_http = true;
	run(rig);
	assert_int_equal(rig->class, FETCH_BLOCKED);
	run_at(rig, "http", "localhost");
	assert_int_equal(rig->class, FETCH_BLOCKED);
	assert_int_equal(rig->server.connections, 0);
}

static void
plain_http_has_to_be_allowed(void **state)
{
	struct rig *rig = *state;

	rig->options.is_trusted = false;
	rig->options.allow_private_addresses = true;
	run(rig);
	assert_int_equal(rig->class, FETCH_BLOCKED);
	assert_int_equal(rig->server.connections, 0);
}

static void
a_server_that_does_not_answer_is_given_up(void **state)
{
	struct rig *rig = *state;

	rig->server.is_mute = true;
	rig->options.connect_ms = 100;
	run(rig);
	assert_int_equal(rig->class, FETCH_TIMEOUT);
}

static void
a_silent_stream_is_pinged_and_then_given_up(void **state)
{
	struct rig *rig = *state;

	rig->options.silence_ms = 100;
	run(rig);
	assert_int_equal(rig->class, FETCH_TIMEOUT);
	assert_true(buf_len(&rig->server.received) >= 6);
	assert_int_equal(buf_data(&rig->server.received)[0], 0x89);
}

static void
a_paused_stream_hands_nothing_over_and_slows_its_server(void **state)
{
	struct rig *rig = *state;
	uint8_t *big = xcalloc(1, MESSAGE_BYTES);

	ws_server_frame(&rig->server, 0x82, "first", 5);
	for (int i = 0; i < 100; i++)
		ws_server_frame(&rig->server, 0x82, big, MESSAGE_BYTES);
	ws_server_frame(&rig->server, 0x88, "\x03\xe8", 2);
	rig->pause_after = 1;
	run(rig);
	assert_int_equal(rig->messages, 101);
	assert_int_equal(rig->class, FETCH_OK);
	/* The rest waited for the window, not in our memory. */
	assert_true(rig->sent_when_paused < buf_len(&rig->server.script));
	free(big);
}

static void
an_end_in_a_pause_comes_behind_what_came_before_it(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 3; i++)
		ws_server_frame(&rig->server, 0x82, "binary", 6);
	ws_server_frame(&rig->server, 0x81, "text", 4);
	rig->pause_after = 1;
	run(rig);
	assert_int_equal(rig->messages, 3);
	assert_int_equal(rig->ends, 1);
	assert_int_equal(rig->class, FETCH_INVALID);
}

static void
a_stream_can_be_closed_from_inside_and_opened_again(void **state)
{
	struct rig *rig = *state;

	ws_server_frame(&rig->server, 0x82, "a", 1);
	ws_server_frame(&rig->server, 0x82, "b", 1);
	rig->close_after = 1;
	run(rig);
	assert_int_equal(rig->messages, 1);
	assert_int_equal(rig->ends, 0);
	rig->close_after = 0;
	rig->stop_after = 3;
	run(rig);
	assert_int_equal(rig->messages, 3);
	assert_int_equal(rig->opens, 2);
	assert_int_equal(rig->ends, 0);
}

static void
nothing_listening_is_unreachable(void **state)
{
	struct rig *rig = *state;
	unsigned port = rig->server.port;

	ws_server_clear(&rig->server);
	rig->server.port = port;
	run(rig);
	assert_int_equal(rig->class, FETCH_UNREACHABLE);
	ws_server_init(&rig->server, rig->loop);
}

/* --- names --- */

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);

/* "two.example" has two addresses: one where nobody listens, and this machine's. */
int
getaddrinfo(const char *restrict name, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict list_out)
{
	getaddrinfo_fn *real = (getaddrinfo_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
	struct addrinfo *second;
	int rc;

	if (strcmp(name, "two.example") != 0)
		return real(name, service, hints, list_out);
	rc = real("127.0.0.1", service, hints, &second);
	if (rc == 0)
		rc = real("127.0.0.2", service, hints, list_out);
	if (rc == 0) {
		while ((*list_out)->ai_next != NULL)
			list_out = &(*list_out)->ai_next;
		(*list_out)->ai_next = second;
	}
	return rc;
}

static void
the_next_attempt_tries_the_next_address(void **state)
{
	struct rig *rig = *state;

	ws_server_frame(&rig->server, 0x88, "\x03\xe8", 2);
	run_at(rig, "http", "two.example");
	assert_int_equal(rig->class, FETCH_UNREACHABLE);
	assert_memory_equal(rig->text, "two.example:", 12);
	for (int i = 0; i < 2; i++) {
		run_at(rig, "http", "two.example");
		assert_int_equal(rig->class, FETCH_OK);
	}
	assert_int_equal(rig->opens, 2);
}

static void
on_addresses(const struct addrinfo *addresses, const char *error, void *arg)
{
	struct rig *rig = arg;

	rig->ends++;
	rig->class = addresses != NULL ? FETCH_OK : FETCH_UNREACHABLE;
	(void)snprintf(rig->text, sizeof(rig->text), "%s", error);
	ev_break(rig->loop, EVBREAK_ALL);
}

static void
names_are_looked_up_beside_the_loop(void **state)
{
	struct rig *rig = *state;
	struct resolve *dropped;
	char label[300] = "";

	dropped = resolve_start(rig->loop, "127.0.0.1", on_addresses, rig);
	resolve_cancel(&dropped);
	assert_null(dropped);
	(void)resolve_start(rig->loop, "localhost", on_addresses, rig);
	ev_run(rig->loop, 0);
	assert_int_equal(rig->ends, 1);
	assert_int_equal(rig->class, FETCH_OK);
	/* No such name can be asked for. */
	memset(label, 'a', sizeof(label) - 1);
	(void)resolve_start(rig->loop, label, on_addresses, rig);
	ev_run(rig->loop, 0);
	assert_int_equal(rig->class, FETCH_UNREACHABLE);
	assert_true(strlen(rig->text) > 0);
}

static const struct CMUnitTest subscribe_tests[] = {
	T(messages_come_whole_in_order_however_they_are_cut),
	T(the_request_is_made_under_the_name_of_the_server),
	T(a_message_over_the_limit_ends_the_stream),
	T(pieces_without_end_are_over_the_limit_too),
	T(a_text_message_ends_the_stream),
	T(a_cut_is_told_from_a_close),
	T(a_server_that_refuses_is_told_by_its_status),
	T(a_private_address_is_not_connected_to_unless_it_is_trusted),
	T(plain_http_has_to_be_allowed),
	T(a_server_that_does_not_answer_is_given_up),
	T(a_silent_stream_is_pinged_and_then_given_up),
	T(a_paused_stream_hands_nothing_over_and_slows_its_server),
	T(an_end_in_a_pause_comes_behind_what_came_before_it),
	T(a_stream_can_be_closed_from_inside_and_opened_again),
	T(nothing_listening_is_unreachable),
	T(the_next_attempt_tries_the_next_address),
	T(names_are_looked_up_beside_the_loop),
};

UNIT_MAIN(subscribe_tests)
