/*
 * test_fetch_pure.c - src/fetch, what needs no network: the guard, URLs, the
 * headers about waiting, the table of classes.
 */
#include "t/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/limits.h"
#include "common/mem.h"
#include "fetch/fetch_error.h"
#include "fetch/guard.h"
#include "fetch/http_error.h"
#include "fetch/retry_after.h"
#include "fetch/search_server.h"
#include "fetch/url.h"

/* --- fetch_error --- */

static void
every_class_has_a_word_of_its_own(void **state BF_UNUSED)
{
	enum fetch_class class = FETCH_OK;

	for (int i = 0; i < FETCH_CLASS_COUNT; i++) {
		const char *word = fetch_class_word((enum fetch_class)i);

		assert_int_equal(fetch_class_parse(str_from(word), &class), 0);
		assert_int_equal(class, i);
	}
	assert_int_equal(fetch_class_parse(STR("nonsense"), &class), -1);
	assert_int_equal(fetch_class_parse(STR(""), &class), -1);
	assert_true(fetch_class_is_transient(FETCH_TIMEOUT));
	assert_false(fetch_class_is_transient(FETCH_INVALID));
	assert_true(fetch_class_is_outcome(FETCH_GONE));
	assert_false(fetch_class_is_outcome(FETCH_OK));
}

static void
a_transfer_that_broke_off_is_truncated_only_behind_a_head(void **state BF_UNUSED)
{
	assert_int_equal(http_error_of_curl(CURLE_RECV_ERROR, false), FETCH_UNREACHABLE);
	assert_int_equal(http_error_of_curl(CURLE_RECV_ERROR, true), FETCH_TRUNCATED);
	assert_int_equal(http_error_of_curl(CURLE_HTTP2_STREAM, true), FETCH_TRUNCATED);
	assert_int_equal(http_error_of_curl(CURLE_COULDNT_RESOLVE_HOST, false),
	    FETCH_UNREACHABLE);
	assert_int_equal(http_error_of_curl(CURLE_PEER_FAILED_VERIFICATION, false),
	    FETCH_TLS);
	assert_int_equal(http_error_of_curl(CURLE_OPERATION_TIMEDOUT, false),
	    FETCH_TIMEOUT);
}

/* --- guard --- */

static const char *const public_addresses[] = {
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
	    "100.128.0.0",
	"126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
	    "172.15.255.255",
	"172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
	"198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
	"2001:200::1", "2606:4700:4700::1111", "2a00:1450::1", "2003::1", "3ffe::1",
	"64:ff9b::8.8.8.8",
};

static const char *const other_addresses[] = {
	"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
	"100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.255",
	"168.63.129.16", "169.254.0.0", "169.254.169.254", "172.16.0.1", "172.31.255.255",
	"192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
	"192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
	"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
	    "::ffff:8.8.8.8",
	"::ffff:0:8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
	"64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "100::1", "fc00::1",
	"fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "2001::1",
	"2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1", "2001:1ff::1",
	"2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "3fff:fff::1",
	"4000::1", "5f00::1", "2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:10.0.0.1",
};

static void
only_global_unicast_addresses_are_public(void **state BF_UNUSED)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(public_addresses); i++) {
		if (!guard_is_public_text(public_addresses[i]))
			fail_msg("%s is refused", public_addresses[i]);
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(other_addresses); i++) {
		if (guard_is_public_text(other_addresses[i]))
			fail_msg("%s is let through", other_addresses[i]);
	}
}

static void
what_is_no_plain_address_is_not_public(void **state BF_UNUSED)
{
	static const char *const texts[] = { "", "localhost", "example.com", "0x7f.1",
	    "2130706433", "017700000001", "8.8.8", "8.8.8.8 ", "[2606:4700::1]",
	    "2606:4700::1%eth0", "8.8.8.8:80" };

	for (size_t i = 0; i < BF_ARRAY_LEN(texts); i++)
		assert_false(guard_is_public_text(texts[i]));
}

static void
socket_addresses_are_judged_by_family_and_length(void **state BF_UNUSED)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	inet_pton(AF_INET, "8.8.8.8", &v4.sin_addr);
	inet_pton(AF_INET6, "2606:4700::1", &v6.sin6_addr);
	assert_true(guard_is_public((struct sockaddr *)&v4, sizeof(v4)));
	assert_true(guard_is_public((struct sockaddr *)&v6, sizeof(v6)));
	assert_false(guard_is_public((struct sockaddr *)&v4, sizeof(v4) - 1));
	assert_false(guard_is_public((struct sockaddr *)&v6, sizeof(v4)));
	assert_false(guard_is_public((struct sockaddr *)&un, sizeof(un)));
	inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
	assert_false(guard_is_public((struct sockaddr *)&v4, sizeof(v4)));
}

static void
link_local_addresses_are_known_in_every_form(void **state BF_UNUSED)
{
	static const char *const inside[] = { "fe80::1", "febf::1", "::ffff:169.254.169.254" };
	static const char *const outside[] = { "::1", "fec0::1", "fd00:ec2::254",
	    "::ffff:127.0.0.1", "2606:4700::1" };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	inet_pton(AF_INET, "169.254.169.254", &v4.sin_addr);
	assert_true(guard_is_link_local((struct sockaddr *)&v4, sizeof(v4)));
	inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
	assert_false(guard_is_link_local((struct sockaddr *)&v4, sizeof(v4)));
	for (size_t i = 0; i < BF_ARRAY_LEN(inside); i++) {
		inet_pton(AF_INET6, inside[i], &v6.sin6_addr);
		assert_true(guard_is_link_local((struct sockaddr *)&v6, sizeof(v6)));
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(outside); i++) {
		inet_pton(AF_INET6, outside[i], &v6.sin6_addr);
		assert_false(guard_is_link_local((struct sockaddr *)&v6, sizeof(v6)));
	}
}

/* --- url --- */

static void
an_origin_is_written_in_one_way(void **state BF_UNUSED)
{
	static const struct {
		const char *text, *origin;
	} rows[] = {
		{ "https://pds.example.com", "https://pds.example.com:443" },
		{ "https://pds.example.com/", "https://pds.example.com:443" },
		{ "HTTPS://PDS.Example.COM:443", "https://pds.example.com:443" },
		{ "http://localhost:2583", "http://localhost:2583" },
		{ "http://localhost", "http://localhost:80" },
		{ "https://1.2.3.4:8443", "https://1.2.3.4:8443" },
		{ "https://[2606:4700::1]", "https://[2606:4700::1]:443" },
		{ "https://[2606:4700::1]:99/", "https://[2606:4700::1]:99" },
		{ "https://xn--bcher-kva.example", "https://xn--bcher-kva.example:443" },
		{ "https://0x7.example", "https://0x7.example:443" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		char origin[URL_ORIGIN_SIZE];
		struct fetch_error error;

		assert_int_equal(url_parse_origin(str_from(rows[i].text), true, origin,
		    &error), 0);
		assert_string_equal(origin, rows[i].origin);
	}
}

static void
what_is_not_a_plain_origin_is_refused(void **state BF_UNUSED)
{
	static const char *const texts[] = { "", "https:", "https://", "https:///x",
	    "pds",
	    "//pds.example.com", "ftp://pds.example.com", "file:///etc/passwd",
	    "https://user@pds.example.com", "https://user:pw@pds.example.com",
	    "https://pds.example.com@10.0.0.1", "https://pds.example.com/x",
	    "https://pds.example.com//", "https://pds.example.com?x",
	    "https://pds.example.com#x", "https://pds.example.com:", "https://pds:0",
	    "https://pds:65536", "https://pds:-1", "https://pds:0443443",
	    "https://pds:4x",
	    "https://pds example.com", "https://pds.example.com\\@evil", "https://pds\n",
	    "https://pds\t.example", "https://\xc3\xa4.example", "https://%31.example",
	    "https://.example.com", "https://pds..example", "https://example.com.",
	    "https://-pds.example", "https://pds-.example", "https://pds_1.example",
	    "https://0x7f.1", "https://0x7f000001", "https://2130706433", "https://127.1",
	    "https://017700000001", "https://0177.0.0.1", "https://1.2.3.4.5",
	    "https://256.1.1.1", "https://a.1", "https://[::1", "https://[]",
	    "https://[x]",
	    "https://[1.2.3.4]", "https://[fe80::1%25eth0]", "https://[::1]x",
	    "https://[::1]]:80", "https://::1", "https://fe80::1/" };
	char longest[LIMIT_FETCH_URL_BYTES + 2], origin[URL_ORIGIN_SIZE] = "untouched";
	struct fetch_error error;
	struct url url;

	for (size_t i = 0; i < BF_ARRAY_LEN(texts); i++) {
		if (url_parse_origin(str_from(texts[i]), true, origin, &error) == 0)
			fail_msg("%s is taken for %s", texts[i], origin);
		assert_int_equal(error.class, FETCH_INVALID);
	}
	assert_int_equal(url_parse_origin((struct str){ "https://a\0b", 11 }, true,
	    origin,
	    &error), -1);
	assert_string_equal(origin, "untouched");

	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "https://pds/", 12);
	assert_int_equal(url_parse((struct str){ longest, LIMIT_FETCH_URL_BYTES }, true,
	    &url, &error), 0);
	assert_int_equal(url_parse((struct str){ longest, LIMIT_FETCH_URL_BYTES + 1 },
	    true,
	    &url, &error), -1);
	memcpy(longest, "https://", 8);
	memset(longest + 8, 'x', sizeof(longest) - 8);
	assert_int_equal(url_parse((struct str){ longest, 8 + 64 }, true, &url, &error),
	    -1);
	for (size_t i = 8 + 50; i < 8 + 255; i += 50)
		longest[i] = '.';
	assert_int_equal(url_parse((struct str){ longest, 8 + 253 }, true, &url, &error),
	    0);
	assert_int_equal(url_parse((struct str){ longest, 8 + 254 }, true, &url, &error),
	    -1);
}

static void
plain_http_is_blocked_where_it_is_not_allowed(void **state BF_UNUSED)
{
	char origin[URL_ORIGIN_SIZE];
	struct fetch_error error;

	assert_int_equal(url_parse_origin(STR("http://pds.example"), false, origin,
	    &error),
	    -1);
	assert_int_equal(error.class, FETCH_BLOCKED);
	assert_int_equal(url_parse_origin(STR("https://pds.example"), false, origin,
	    &error),
	    0);
}

static void
an_xrpc_url_encodes_its_parameters(void **state BF_UNUSED)
{
	static const struct url_param params[] = {
		{ { "did", 3 }, { "did:web:a%3A1", 13 } },
		{ { "since", 5 }, { NULL, 0 } },
		{ { "q", 1 }, { "a b&c=d\0\xc3\xa4~", 11 } },
	};
	struct buf url = BUF_INIT;

	url_format_xrpc(&url, "https://pds.example/", "com.atproto.sync.getRepo", params,
	    BF_ARRAY_LEN(params));
	assert_string_equal((char *)buf_data(&url), "https://pds.example/xrpc/"
	    "com.atproto.sync.getRepo?did=did%3Aweb%3Aa%253A1&q=a%20b%26c%3Dd%00%C3%A4~");
	assert_int_equal(buf_len(&url), strlen((char *)buf_data(&url)));
	buf_reset(&url);
	url_format_xrpc(&url, "https://pds.example", "a.b.c", NULL, 0);
	assert_string_equal((char *)buf_data(&url), "https://pds.example/xrpc/a.b.c");
	buf_clear(&url);
}

/* --- retry_after --- */

#define NOW_MS	1700000000000	/* 2023-11-14T22:13:20Z */

static void
retry_after_is_read_in_both_forms_and_clamped(void **state BF_UNUSED)
{
	assert_int_equal(retry_after_parse(STR("7"), NOW_MS), 7000);
	assert_int_equal(retry_after_parse(STR("0"), NOW_MS),
	    LIMIT_FETCH_RETRY_AFTER_MIN_MS);
	assert_int_equal(retry_after_parse(STR("86400"), NOW_MS),
	    LIMIT_FETCH_RETRY_AFTER_MAX_MS);
	assert_int_equal(retry_after_parse(STR("18446744073709551615"), NOW_MS),
	    LIMIT_FETCH_RETRY_AFTER_MAX_MS);
	assert_int_equal(retry_after_parse(STR("Tue, 14 Nov 2023 22:13:30 GMT"), NOW_MS),
	    10000);
	assert_int_equal(retry_after_parse(STR("Tue, 14 Nov 2023 22:13:00 GMT"), NOW_MS),
	    LIMIT_FETCH_RETRY_AFTER_MIN_MS);
	assert_int_equal(retry_after_parse(STR("Tue, 14 Nov 2099 22:13:00 GMT"), NOW_MS),
	    LIMIT_FETCH_RETRY_AFTER_MAX_MS);
	assert_int_equal(retry_after_parse(STR(""), NOW_MS), -1);
	assert_int_equal(retry_after_parse(STR("-5"), NOW_MS), -1);
	assert_int_equal(retry_after_parse(STR("soon"), NOW_MS), -1);
}

static void
a_reset_is_a_date_or_a_delay_by_its_size(void **state BF_UNUSED)
{
	assert_int_equal(retry_after_parse_reset(STR("1700000030"), NOW_MS), 30000);
	assert_int_equal(retry_after_parse_reset(STR("1600000000"), NOW_MS),
	    LIMIT_FETCH_RETRY_AFTER_MIN_MS);
	assert_int_equal(retry_after_parse_reset(STR("30"), NOW_MS), 30000);
	assert_int_equal(retry_after_parse_reset(STR("18446744073709551615"), NOW_MS),
	    LIMIT_FETCH_RETRY_AFTER_MAX_MS);
	assert_int_equal(retry_after_parse_reset(STR("x"), NOW_MS), -1);
	assert_int_equal(retry_after_parse_reset(STR_NONE, NOW_MS), -1);
}

static void
search_server__takes_names_up_to_LIMIT_SEARCH_NAME_BYTES(void **state BF_UNUSED)
{
	static const char *const bad[] = { "", "_a", "-a", ".a", "A", "a b", "a/b", "a*" };
	char name[LIMIT_SEARCH_NAME_BYTES + 2] = { 0 };

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		if (search_server_name_is_valid(bad[i]))
			fail_msg("taken: %s", bad[i]);
	assert_true(search_server_name_is_valid("pub.chive_e-prints.2"));
	memset(name, 'a', LIMIT_SEARCH_NAME_BYTES);
	assert_true(search_server_name_is_valid(name));
	name[LIMIT_SEARCH_NAME_BYTES] = 'a';
	assert_false(search_server_name_is_valid(name));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(search_server__takes_names_up_to_LIMIT_SEARCH_NAME_BYTES),
	cmocka_unit_test(every_class_has_a_word_of_its_own),
	cmocka_unit_test(a_transfer_that_broke_off_is_truncated_only_behind_a_head),
	cmocka_unit_test(only_global_unicast_addresses_are_public),
	cmocka_unit_test(what_is_no_plain_address_is_not_public),
	cmocka_unit_test(link_local_addresses_are_known_in_every_form),
	cmocka_unit_test(socket_addresses_are_judged_by_family_and_length),
	cmocka_unit_test(an_origin_is_written_in_one_way),
	cmocka_unit_test(what_is_not_a_plain_origin_is_refused),
	cmocka_unit_test(plain_http_is_blocked_where_it_is_not_allowed),
	cmocka_unit_test(an_xrpc_url_encodes_its_parameters),
	cmocka_unit_test(retry_after_is_read_in_both_forms_and_clamped),
	cmocka_unit_test(a_reset_is_a_date_or_a_delay_by_its_size),
};

UNIT_MAIN(tests)
