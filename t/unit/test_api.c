/*
 * test_api.c - src/api: what a request says, before anybody acts on it.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "api/head.h"
#include "api/head_layout.h"
#include "api/input.h"
#include "api/op_query.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/xrpc_error.h"
#include "common/limits.h"

/* --- xrpc_error --- */

static void
xrpc_error__every_name_finds_itself_and_others_are_internal(void **state BF_UNUSED)
{
#define X(error, name, status)						\
	assert_int_equal(xrpc_error_find(STR(name)), XRPC_##error);	\
	assert_int_equal(xrpc_error_status(XRPC_##error), status);
	XRPC_ERRORS(X)
#undef X
	assert_int_equal(xrpc_error_find(STR("NoSuchName")), XRPC_INTERNAL);
	assert_int_equal(xrpc_error_find(STR_NONE), XRPC_INTERNAL);
}

/* --- reply --- */

static void
reply_error__replaces_what_was_written_and_escapes(void **state BF_UNUSED)
{
	struct reply reply = { 0 };
	struct json json = reply_json(&reply, 200);

	json_array_begin(&json);
	reply_error(&reply, XRPC_QUEUE_FULL, "a \"b\"\n");
	assert_int_equal(reply.status, 503);
	assert_true(reply.retry_after_secs > 0);
	assert_true(str_eq(buf_str(&reply.body), STR("{\"error\":\"QueueFull\","
	    "\"message\":\"a \\\"b\\\"\\n\"}")));
	reply_error_about(&reply, XRPC_BACKFILL_IN_PROGRESS, STR("m"), STR("3kx"));
	assert_int_equal(reply.status, 409);
	assert_int_equal(reply.retry_after_secs, 0);
	assert_true(str_eq(buf_str(&reply.body), STR("{\"error\":"
	    "\"BackfillInProgress\",\"message\":\"m\",\"id\":\"3kx\"}")));
	reply_clear(&reply);
}

/* --- head --- */

struct line {
	const char *name, *value;
};

static int
add_lines(struct head *head, const struct line *lines, size_t count)
{
	struct err err;

	*head = (struct head){ 0 };
	for (size_t i = 0; i < count; i++)
		if (head_add(head, str_from(lines[i].name), str_from(lines[i].value),
		    &err) == -1)
			return -1;
	return head_check(head, &err);
}

static void
head__two_ways_to_read_the_end_of_a_request_are_refused(void **state BF_UNUSED)
{
	static const struct line bad[][2] = {
		{ { "Content-Length", "5" }, { "Transfer-Encoding", "chunked" } },
		{ { "Transfer-Encoding", "chunked" }, { "Content-Length", "0" } },
		{ { "Content-Length", "5" }, { "content-length", "5" } },
		{ { "Content-Length", "5" }, { "CONTENT-LENGTH", "6" } },
		{ { "Content-Length", "5, 5" }, { "A", "" } },
		{ { "Content-Length", "+5" }, { "A", "" } },
		{ { "Content-Length", "" }, { "A", "" } },
		{ { "Content-Length", "99999999999999999999" }, { "A", "" } },
		{ { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" } },
		{ { "Transfer-Encoding", "gzip, chunked" }, { "A", "" } },
		{ { "Transfer-Encoding", "xchunked" }, { "A", "" } },
		{ { "Host", "a" }, { "Host", "a" } },
		{ { "Authorization", "Basic a" }, { "Authorization", "Basic b" } },
		{ { "Content-Length ", "5" }, { "A", "" } },
		{ { "", "5" }, { "A", "" } },
		{ { "A", "b\nContent-Length: 5" }, { "A", "" } },
		{ { "A", "b\x7f" }, { "A", "" } },
	};
	struct head head;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		if (add_lines(&head, bad[i], 2) == 0)
			fail_msg("row %zu was taken", i);
}

static void
head__a_nul_is_a_control_character(void **state BF_UNUSED)
{
	struct head head = { 0 };
	struct err err;

	assert_int_equal(head_add(&head, STR("A"), STR("a\0b"), &err), -1);
	assert_int_equal(head_add(&head, STR("A\0B"), STR("a"), &err), -1);
}

static void
head__keeps_what_matters(void **state BF_UNUSED)
{
	static const struct line lines[] = {
		{ "Host", "x" }, { "content-type", "Application/JSON; charset=x" },
		{ "Content-Length", "7" }, { "Expect", "100-continue" },
		{ "X-Other", "tab\tand \xc3\xa9" },
	};
	struct head head;

	assert_int_equal(add_lines(&head, lines, BF_ARRAY_LEN(lines)), 0);
	assert_int_equal(head.content_length, 7);
	assert_true(head.expects_continue);
	assert_true(head_type_is(head.content_type, STR("application/json")));
	assert_false(head_type_is(STR("application/jsonx"), STR("application/json")));
	assert_false(head_type_is(STR(""), STR("application/json")));
}

static void
head__more_lines_than_LIMIT_HTTP_HEADERS_are_refused(void **state BF_UNUSED)
{
	struct head head = { 0 };
	struct err err;

	for (int i = 0; i < LIMIT_HTTP_HEADERS; i++)
		assert_int_equal(head_add(&head, STR("a"), STR("b"), &err), 0);
	assert_int_equal(head_add(&head, STR("a"), STR("b"), &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

/* --- head_layout --- */

/* The request as the library leaves it: NULs over the ends of the parts. */
#define START	"/a\0HTTP/1.1\0\0"

static bool
is_odd(const char *text, const char *const *names, const size_t *values, int count)
{
	struct head_layout layout;

	head_layout_init(&layout, text, 2, text + 3);
	for (int i = 0; i < count; i++)
		head_layout_line(&layout, names[i], text + values[i], 1);
	head_layout_end(&layout);
	return layout.is_odd;
}

static void
head_layout__lines_that_do_not_lie_end_to_end_are_odd(void **state BF_UNUSED)
{
	static const char good[] = START "X\0 1 \t\0\0Y\0 2\0\0\0\0body";
	static const char bare_lf[] = START "X\0 1\0Y\0 2\0\0\0\0body";
	static const char last_lf[] = START "X\0 1\0\0Y\0 2\0\0\0body";
	static const char nul[] = START "X\0 1\0z\0\0Y\0 2\0\0\0\0body";
	static const char first_lf[] = "/a\0HTTP/1.1\0X\0 1\0\0\0\0body";
	static const char folded[] = START "X\0 1\0\0 2\0\0\0\0body";

	assert_false(is_odd(good, (const char *[]){ good + 13, good + 21 },
	    (size_t[]){ 16, 24 }, 2));
	assert_true(is_odd(bare_lf, (const char *[]){ bare_lf + 13, bare_lf + 18 },
	    (size_t[]){ 16, 21 }, 2));
	assert_true(is_odd(last_lf, (const char *[]){ last_lf + 13, last_lf + 19 },
	    (size_t[]){ 16, 22 }, 2));
	assert_true(is_odd(nul, (const char *[]){ nul + 13, nul + 21 },
	    (size_t[]){ 16, 24 }, 2));
	assert_true(is_odd(first_lf, (const char *[]){ first_lf + 12 },
	    (size_t[]){ 15 }, 1));
	assert_true(is_odd(folded, (const char *[]){ "X2" }, (size_t[]){ 16 }, 1));
}

/* --- params, op_query --- */

static int
parse(const char *query, char *copy, size_t size, struct params *params)
{
	struct err err;

	assert_true(strlen(query) < size);
	strcpy(copy, query);
	return params_parse(copy, strlen(copy), params, &err);
}

static void
params__decode_as_a_form_does(void **state BF_UNUSED)
{
	struct params params;
	struct str value;
	struct err err;
	char copy[200];

	assert_int_equal(parse("&a=1+2%2B3&b&c=&&d%3d=%C3%A9=x", copy, sizeof(copy),
	    &params), 0);
	assert_int_equal(params.count, 4);
	assert_int_equal(params_text(&params, STR("a"), &value, &err), 0);
	assert_true(str_eq(value, STR("1 2+3")));
	assert_int_equal(params_text(&params, STR("b"), &value, &err), 0);
	assert_true(value.ptr != NULL && value.len == 0);
	assert_int_equal(params_text(&params, STR("d="), &value, &err), 0);
	assert_true(str_eq(value, STR("\xc3\xa9=x")));
	assert_int_equal(params_text(&params, STR("none"), &value, &err), 0);
	assert_null(value.ptr);
}

static void
params__bad_escapes_nul_and_bad_utf8_are_refused(void **state BF_UNUSED)
{
	static const char *const bad[] = { "a=%", "a=%4", "a=%4g", "a=%00", "%00=a",
	    "a=%ff", "a=\xff", "a=%C3", "a=%ED%A0%80" };
	struct params params;
	char copy[40];

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		if (parse(bad[i], copy, sizeof(copy), &params) == 0)
			fail_msg("%s was taken", bad[i]);
}

static void
params__more_than_LIMIT_HTTP_PARAMS_are_refused(void **state BF_UNUSED)
{
	char query[LIMIT_HTTP_PARAMS * 4 + 8] = "", copy[sizeof(query)];
	struct params params;

	for (int i = 0; i < LIMIT_HTTP_PARAMS; i++)
		strcat(query, "a=1&");
	assert_int_equal(parse(query, copy, sizeof(copy), &params), 0);
	strcat(query, "b");
	assert_int_equal(parse(query, copy, sizeof(copy), &params), -1);
}

static int
query_of(const char *text, struct op_query *query, struct err *err)
{
	static struct params params;
	static char copy[400];

	assert_int_equal(parse(text, copy, sizeof(copy), &params), 0);
	return op_query_parse(&params, query, err);
}

static void
op_query__takes_both_spellings_and_the_limit_as_it_is(void **state BF_UNUSED)
{
	struct op_query query;
	struct err err;

	assert_int_equal(query_of("", &query, &err), 0);
	assert_int_equal(query.limit, OP_QUERY_LIMIT_DEFAULT);
	assert_int_equal(query.status, 0);
	assert_true(str_is_empty(query.type));
	assert_int_equal(query_of("status=running&type=pdsScan&limit=100&"
	    "cursor=3jzfcijpj2z2a&unknown=1", &query, &err), 0);
	assert_int_equal(query.status, OP_RUNNING);
	assert_true(str_eq(query.type, STR("pds-scan")));
	assert_int_equal(query.limit, LIMIT_LIST_PAGE);
	assert_true(str_eq(query.cursor, STR("3jzfcijpj2z2a")));
	assert_int_equal(query_of("type=did-sync&limit=1", &query, &err), 0);
	assert_true(str_eq(query.type, STR("did-sync")));
	assert_int_equal(query_of("type=my-own", &query, &err), 0);
	assert_true(str_eq(query.type, STR("my-own")));
}

static void
op_query__what_is_out_of_range_is_refused_not_clamped(void **state BF_UNUSED)
{
	static const char *const bad[] = { "limit=0", "limit=101", "limit=-1",
	    "limit=1.5", "limit=", "limit=1&limit=1", "status=done", "status=",
	    "status=RUNNING", "type=Nope",
	    "type=", "type=a%2Fb", "type=..", "type=12345678901234567890123456789012", "id=", "id=a&id=b", "cursor=",
	    "cursor=x", "cursor=3jzfcijpj2z2a3" };
	struct op_query query;
	struct err err;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		if (query_of(bad[i], &query, &err) == 0)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(query_of("limit=101", &query, &err), -1);
	assert_string_equal(err.text, "limit: integer too big (maximum 100, got 101)");
}

/* --- input --- */

static int
parse_text(const char *text, struct json_t **input)
{
	struct err err;

	return input_parse(str_from(text), input, &err);
}

static void
input__only_a_strict_object_is_taken(void **state BF_UNUSED)
{
	static const char *const bad[] = { "", " ", "[]", "null", "1", "\"a\"", "{",
	    "{}x", "{}{}", "{\"a\":1,\"a\":2}", "{a:1}", "{'a':1}", "{\"a\":1,}",
	    "{\"a\":\"\\u0000\"}", "{\"a\":NaN}", "{\"a\":01}", "{\"a\":\"\xff\"}",
	    "{\"a\":1e999}", "{\"a\":\"\\ud800\"}", "\xef\xbb\xbf{}" };
	struct json_t *input;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		if (parse_text(bad[i], &input) == 0)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(input_parse(STR("{\"a\":1}\0"), &input, &(struct err){ 0 }),
	    -1);
	assert_int_equal(parse_text(" {\"a\": [{}], \"b\": \"[[{{\"} ", &input), 0);
	input_free(&input);
}

static void
input__deeper_than_LIMIT_HTTP_JSON_DEPTH_is_refused(void **state BF_UNUSED)
{
	char text[2 * 2000 + 20];
	struct json_t *input;

	for (int depth = LIMIT_HTTP_JSON_DEPTH - 1; depth <= 2000; depth += 984) {
		strcpy(text, "{\"a\":");
		memset(text + 5, '[', (size_t)depth);
		memset(text + 5 + depth, ']', (size_t)depth);
		strcpy(text + 5 + 2 * depth, "}");
		assert_int_equal(parse_text(text, &input),
		    depth < LIMIT_HTTP_JSON_DEPTH ? 0 : -1);
		if (depth < LIMIT_HTTP_JSON_DEPTH)
			input_free(&input);
	}
}

static void
input__members_are_checked_by_their_lexicon_type(void **state BF_UNUSED)
{
	static const char *const bad_dids[] = { "1", "null", "true", "[]", "{}",
	    "\"\"", "\"did\"", "\"did:plc\"", "\"DID:plc:abc\"", "\"did:plc:UPPER\"",
	    "\"did:plc:abc\"", "\"did:key:zQ3sh\"", "\"did:web:a b\"",
	    "\"did:web:x/../y\"", "\"alice.example\"" };
	static const char *const bad_urls[] = { "1", "\"\"", "\"ftp://x\"",
	    "\"https://\"", "\"https:///x\"", "\"http://u:p@x\"", "\"http://x y\"",
	    "\"//x\"", "\"javascript:alert(1)\"", "\"http://x/\\u00e9\"",
	    "\"https://x#y\"" };
	struct json_t *input;
	struct str value;
	struct err err;
	char text[200];

	for (size_t i = 0; i < BF_ARRAY_LEN(bad_dids); i++) {
		(void)snprintf(text, sizeof(text), "{\"did\":%s}", bad_dids[i]);
		assert_int_equal(parse_text(text, &input), 0);
		if (input_did(input, "did", &value, &err) == 0)
			fail_msg("%s was taken", text);
		input_free(&input);
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(bad_urls); i++) {
		(void)snprintf(text, sizeof(text), "{\"pdsUrl\":%s}", bad_urls[i]);
		assert_int_equal(parse_text(text, &input), 0);
		if (input_url(input, "pdsUrl", &value, &err) == 0)
			fail_msg("%s was taken", text);
		input_free(&input);
	}
}

static void
input__good_members_come_out_as_they_are(void **state BF_UNUSED)
{
	struct json_t *input;
	struct str value;
	struct err err;

	assert_int_equal(parse_text("{\"did\":\"did:plc:ewvi7nxzyoun6zhxrhs64oiz\","
	    "\"pdsUrl\":\"https://pds.example:8443/\","
	    "\"uri\":\"at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/pub.chive.eprint/3k\"}",
	    &input), 0);
	assert_int_equal(input_did(input, "did", &value, &err), 0);
	assert_true(str_eq(value, STR("did:plc:ewvi7nxzyoun6zhxrhs64oiz")));
	assert_int_equal(input_url(input, "pdsUrl", &value, &err), 0);
	assert_true(str_eq(value, STR("https://pds.example:8443/")));
	assert_int_equal(input_aturi(input, "uri", &value, &err), 0);
	assert_true(str_starts_with(value, STR("at://")));
	assert_int_equal(input_did(input, "none", &value, &err), 0);
	assert_true(str_is_empty(value));
	assert_int_equal(input_aturi(input, "pdsUrl", &value, &err), -1);
	input_free(&input);
}

static void
input__a_batch_size_outside_LIMIT_BATCH_SIZE_is_refused(void **state BF_UNUSED)
{
	static const char *const bad[] = { "0", "-1", "1.0", "1e2", "\"1\"", "null",
	    "100001", "9223372036854775807" };
	struct json_t *input;
	uint64_t value;
	struct err err;
	char text[80];

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++) {
		(void)snprintf(text, sizeof(text), "{\"n\":%s}", bad[i]);
		assert_int_equal(parse_text(text, &input), 0);
		if (input_integer(input, "n", 1, LIMIT_BATCH_SIZE, &value, &err) == 0)
			fail_msg("%s was taken", bad[i]);
		input_free(&input);
	}
	assert_int_equal(parse_text("{\"n\":100000}", &input), 0);
	assert_int_equal(input_integer(input, "n", 1, LIMIT_BATCH_SIZE, &value, &err),
	    0);
	assert_int_equal(value, 100000);
	input_free(&input);
}

static const struct CMUnitTest api[] = {
	cmocka_unit_test(xrpc_error__every_name_finds_itself_and_others_are_internal),
	cmocka_unit_test(reply_error__replaces_what_was_written_and_escapes),
	cmocka_unit_test(head__two_ways_to_read_the_end_of_a_request_are_refused),
	cmocka_unit_test(head__a_nul_is_a_control_character),
	cmocka_unit_test(head__keeps_what_matters),
	cmocka_unit_test(head__more_lines_than_LIMIT_HTTP_HEADERS_are_refused),
	cmocka_unit_test(head_layout__lines_that_do_not_lie_end_to_end_are_odd),
	cmocka_unit_test(params__decode_as_a_form_does),
	cmocka_unit_test(params__bad_escapes_nul_and_bad_utf8_are_refused),
	cmocka_unit_test(params__more_than_LIMIT_HTTP_PARAMS_are_refused),
	cmocka_unit_test(op_query__takes_both_spellings_and_the_limit_as_it_is),
	cmocka_unit_test(op_query__what_is_out_of_range_is_refused_not_clamped),
	cmocka_unit_test(input__only_a_strict_object_is_taken),
	cmocka_unit_test(input__deeper_than_LIMIT_HTTP_JSON_DEPTH_is_refused),
	cmocka_unit_test(input__members_are_checked_by_their_lexicon_type),
	cmocka_unit_test(input__good_members_come_out_as_they_are),
	cmocka_unit_test(input__a_batch_size_outside_LIMIT_BATCH_SIZE_is_refused),
};

UNIT_MAIN(api)
