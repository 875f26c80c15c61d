/*
 * test_auth.c - the parts of authentication that keep something from one request to
 * the next, and who may use the API.
 */
#include "t/unit/unit.h"

#include <arpa/inet.h>
#include <crypt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/cors.h"
#include "api/password.h"
#include "api/replay.h"
#include "api/throttle.h"
#include "atproto/basex.h"
#include "common/buf.h"
#include "common/limits.h"

#define NOW	1800000000

/* --- the password --- */

static enum password_result
check(struct password *password, const char *credential, int64_t now_ms)
{
	struct buf coded = BUF_INIT;
	enum password_result result;

	base64_encode((struct bytes){ (const uint8_t *)credential, strlen(credential) },
	    &coded);
	result = password_check(password, buf_str(&coded), now_ms);
	buf_clear(&coded);
	return result;
}

static void
password__is_right_only_for_admin_and_only_exactly(void **state BF_UNUSED)
{
	static const char *const wrong[] = { "admin:secreT", "admin:secret2", "admin:secre",
	    "root:secret", "Admin:secret", "admin:", "admin", "", "secret", "admin:secret\n" };
	struct password *password = password_new("secret");

	assert_int_equal(check(password, "admin:secret", 0), PASSWORD_RIGHT);
	for (size_t i = 0; i < BF_ARRAY_LEN(wrong); i++)
		assert_int_equal(check(password, wrong[i], 0), PASSWORD_WRONG);
	assert_int_equal(password_check(password, STR("YWRtaW46c2VjcmV0!"), 0),
	    PASSWORD_WRONG);
	assert_int_equal(password_check(password, STR("YWRtaW46c2VjcmV0"), 0),
	    PASSWORD_RIGHT);
	password_free(&password);
}

/* The cheapest that yescrypt has: these are tests. */
static struct password *
hashed(const char *plain)
{
	struct crypt_data data = { .initialized = 0 };
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	assert_non_null(crypt_gensalt_rn("$y$", 1, "0123456789abcdef", 16, setting,
	    sizeof(setting)));
	return password_new(crypt_rn(plain, setting, &data, sizeof(data)));
}

static void
password__may_be_given_as_a_hash(void **state BF_UNUSED)
{
	struct password *password = hashed("secret");

	assert_int_equal(check(password, "admin:secret2", 0), PASSWORD_WRONG);
	assert_int_equal(check(password, "root:secret", 0), PASSWORD_WRONG);
	assert_int_equal(check(password, "admin:secret", 0), PASSWORD_RIGHT);
	assert_int_equal(check(password, "admin:secret2", 0), PASSWORD_WRONG);
	assert_int_equal(check(password, "root:secret", 0), PASSWORD_WRONG);
	password_free(&password);
}

static void
password__that_looks_a_little_like_a_hash_is_a_password(void **state BF_UNUSED)
{
	struct password *password = password_new("$ecret$money");

	assert_int_equal(check(password, "admin:$ecret$money", 0), PASSWORD_RIGHT);
	assert_int_equal(check(password, "admin:x", 0), PASSWORD_WRONG);
	password_free(&password);
}

static void
password__known_to_be_right_costs_no_hashing(void **state BF_UNUSED)
{
	struct password *password = hashed("secret");

	assert_int_equal(check(password, "admin:secret", 0), PASSWORD_RIGHT);
	for (int i = 0; i < 7; i++)
		assert_int_equal(check(password, "admin:wrong", 0), PASSWORD_WRONG);
	assert_int_equal(check(password, "admin:wrong", 0), PASSWORD_BUSY);
	/* The bound on hashing is not a bound on those who know it. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(check(password, "admin:secret", 0), PASSWORD_RIGHT);
	assert_int_equal(check(password, "admin:wrong", 249), PASSWORD_BUSY);
	assert_int_equal(check(password, "admin:wrong", 250), PASSWORD_WRONG);
	assert_int_equal(check(password, "admin:wrong", 251), PASSWORD_BUSY);
	password_free(&password);
}

/* --- throttling --- */

static struct address
v4(const char *text)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
	return address_from((const struct sockaddr *)&sin);
}

static struct address
v6(const char *text)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
	return address_from((const struct sockaddr *)&sin6);
}

static void
address__is_written_as_people_do(void **state BF_UNUSED)
{
	struct address addresses[] = { v4("192.0.2.7"), v6("2001:db8::1") };
	char text[ADDRESS_TEXT_SIZE];

	address_format(&addresses[0], text);
	assert_string_equal(text, "192.0.2.7");
	address_format(&addresses[1], text);
	assert_string_equal(text, "2001:db8::1");
}

static void
throttle__lets_so_many_fail_and_then_waits(void **state BF_UNUSED)
{
	struct throttle *throttle = throttle_new();
	struct address one = v4("192.0.2.1"), other = v4("192.0.2.2");

	for (int i = 0; i < 10; i++) {
		assert_int_equal(throttle_wait_secs(throttle, &one, 10, 1000), 0);
		throttle_count(throttle, &one, 10, 1000);
	}
	assert_int_equal(throttle_wait_secs(throttle, &one, 10, 1000), 6);
	assert_int_equal(throttle_wait_secs(throttle, &other, 10, 1000), 0);
	assert_int_equal(throttle_wait_secs(throttle, &one, 10, 6999), 1);
	assert_int_equal(throttle_wait_secs(throttle, &one, 10, 7000), 0);
	throttle_count(throttle, &one, 10, 7000);
	assert_int_equal(throttle_wait_secs(throttle, &one, 10, 7000), 6);
	/* After a quiet minute it has all of them again, and no more. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(throttle_wait_secs(throttle, &one, 10, 900000), 0);
		throttle_count(throttle, &one, 10, 900000);
	}
	assert_true(throttle_wait_secs(throttle, &one, 10, 900000) > 0);
	throttle_free(&throttle);
}

static void
throttle__takes_an_ipv6_network_for_one(void **state BF_UNUSED)
{
	struct throttle *throttle = throttle_new();
	struct address one = v6("2001:db8:1:2::1"), near = v6("2001:db8:1:2:ffff::9"),
	    far = v6("2001:db8:1:3::1");

	throttle_count(throttle, &one, 1, 0);
	assert_true(throttle_wait_secs(throttle, &near, 1, 0) > 0);
	assert_int_equal(throttle_wait_secs(throttle, &far, 1, 0), 0);
	throttle_free(&throttle);
}

static void
throttle__remembers_limit_throttled_sites(void **state BF_UNUSED)
{
	struct throttle *throttle = throttle_new();
	struct address address = v4("10.0.0.0"), last;

	for (int i = 0; i <= LIMIT_THROTTLED_SITES; i++) {
		address.bytes[13] = (uint8_t)(i >> 16);
		address.bytes[14] = (uint8_t)(i >> 8);
		address.bytes[15] = (uint8_t)i;
		throttle_count(throttle, &address, 1, i);
		last = address;
	}
	address = v4("10.0.0.0");
	assert_int_equal(throttle_wait_secs(throttle, &address, 1, 1), 0);
	address = v4("10.0.0.1");
	assert_true(throttle_wait_secs(throttle, &address, 1, 1) > 0);
	assert_true(throttle_wait_secs(throttle, &last, 1, LIMIT_THROTTLED_SITES) > 0);
	throttle_free(&throttle);
}

/* --- replay --- */

static void
token__can_be_used_once(void **state BF_UNUSED)
{
	struct replay *replay = replay_new();

	assert_int_equal(replay_use(replay, STR("did:a"), STR("n"), NOW + 60, NOW),
	    REPLAY_NEW);
	for (int i = 0; i <= 60; i++)
		assert_int_equal(replay_use(replay, STR("did:a"), STR("n"), NOW + 60,
		    NOW + i), REPLAY_SEEN);
	assert_int_equal(replay_use(replay, STR("did:b"), STR("n"), NOW + 60, NOW),
	    REPLAY_NEW);
	assert_int_equal(replay_use(replay, STR("did:a"), STR("m"), NOW + 60, NOW),
	    REPLAY_NEW);
	assert_int_equal(replay_use(replay, STR("did:a"), STR(" n"), NOW + 60, NOW),
	    REPLAY_NEW);
	replay_free(&replay);
}

static void
token__is_forgotten_when_it_has_expired(void **state BF_UNUSED)
{
	struct replay *replay = replay_new();
	char jti[16];

	for (int i = 0; i < LIMIT_TOKENS_USED; i++) {
		(void)snprintf(jti, sizeof(jti), "%d", i);
		assert_int_equal(replay_use(replay, STR("did:a"), str_from(jti),
		    NOW + i % LIMIT_JWT_LIFE_SECS, NOW), REPLAY_NEW);
	}
	assert_int_equal(replay_use(replay, STR("did:a"), STR("x"), NOW, NOW),
	    REPLAY_FULL);
	assert_int_equal(replay_use(replay, STR("did:a"), STR("7"), NOW + 7, NOW),
	    REPLAY_SEEN);
	assert_int_equal(replay_use(replay, STR("did:a"), STR("x"), NOW + 2, NOW + 1),
	    REPLAY_NEW);
	assert_int_equal(replay_use(replay, STR("did:a"), STR("y"), NOW + 9, NOW + 8),
	    REPLAY_NEW);
	replay_free(&replay);
}

static void
token__is_remembered_when_the_clock_is_set_back(void **state BF_UNUSED)
{
	struct replay *replay = replay_new();

	assert_int_equal(replay_use(replay, STR("did:a"), STR("n"), NOW + 60, NOW),
	    REPLAY_NEW);
	assert_int_equal(replay_use(replay, STR("did:a"), STR("n"), NOW + 60, NOW - 900),
	    REPLAY_SEEN);
	replay_free(&replay);
}

/* --- who may, and where --- */

static void
set(struct settings *settings, const char *name, const char *value)
{
	struct err err;

	assert_int_equal(settings_set(settings, str_from(name), str_from(value), &err), 0);
}

static void
role__is_that_of_the_list_an_account_stands_on(void **state BF_UNUSED)
{
	struct settings settings;
	struct auth auth;

	settings_init(&settings);
	set(&settings, "admins", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa did:web:both.test");
	set(&settings, "viewers", "did:web:both.test did:web:eve.test");
	auth_init(&auth, &settings, NULL);
	assert_int_equal(auth_role(&auth, STR("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")),
	    ROLE_ADMIN);
	assert_int_equal(auth_role(&auth, STR("did:web:both.test")), ROLE_ADMIN);
	assert_int_equal(auth_role(&auth, STR("did:web:eve.test")), ROLE_VIEWER);
	assert_int_equal(auth_role(&auth, STR("did:web:eve.tes")), ROLE_NONE);
	assert_int_equal(auth_role(&auth, STR("")), ROLE_NONE);
	/* A reload counts at once. */
	set(&settings, "admins", "");
	assert_int_equal(auth_role(&auth, STR("did:web:both.test")), ROLE_VIEWER);
	auth_clear(&auth);
	settings_clear(&settings);
}

static void
service__is_named_by_its_url_or_as_configured(void **state BF_UNUSED)
{
	static const struct {
		const char *url, *did, *audiences, *expect_did, *expect_audiences;
	} cases[] = {
		{ "", "", "", "", "" },
		{ "https://a.example.com", "", "", "did:web:a.example.com",
		    "did:web:a.example.com#backfill did:web:a.example.com" },
		{ "https://a.example.com/", "", "", "did:web:a.example.com",
		    "did:web:a.example.com#backfill did:web:a.example.com" },
		{ "http://localhost:8123", "", "", "did:web:localhost%3A8123",
		    "did:web:localhost%3A8123#backfill did:web:localhost%3A8123" },
		{ "https://a.example.com:8443", "", "", "", "" },
		{ "", "did:web:b.test", "", "did:web:b.test",
		    "did:web:b.test#backfill did:web:b.test" },
		{ "https://a.example.com", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "x y",
		    "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "x y" },
		{ "", "did:key:x", "", "", "" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct settings settings;
		struct auth auth;

		settings_init(&settings);
		set(&settings, "public_url", cases[i].url);
		set(&settings, "service_did", cases[i].did);
		set(&settings, "service_audiences", cases[i].audiences);
		auth_init(&auth, &settings, NULL);
		assert_string_equal(auth.service_did, cases[i].expect_did);
		assert_string_equal(auth.audiences, cases[i].expect_audiences);
		assert_int_equal(auth_takes_tokens(&auth), *cases[i].expect_audiences != 0);
		auth_clear(&auth);
		settings_clear(&settings);
	}
}

static void
cors__lets_the_listed_origins_read(void **state BF_UNUSED)
{
	static const char list[] = "https://a.test http://localhost:5173";

	assert_int_equal(cors_judge("*", STR("https://x.test")), CORS_ANY);
	assert_int_equal(cors_judge("*", STR_NONE), CORS_ANY);
	assert_int_equal(cors_judge("", STR("https://x.test")), CORS_NO);
	assert_int_equal(cors_judge(list, STR("https://a.test")), CORS_LISTED);
	assert_int_equal(cors_judge(list, STR("http://localhost:5173")), CORS_LISTED);
	assert_int_equal(cors_judge(list, STR("https://a.test.evil")), CORS_NO);
	assert_int_equal(cors_judge(list, STR("http://a.test")), CORS_NO);
	assert_int_equal(cors_judge(list, STR("null")), CORS_NO);
	assert_int_equal(cors_judge(list, STR_NONE), CORS_NO);
}

static const struct CMUnitTest auth_tests[] = {
	cmocka_unit_test(password__is_right_only_for_admin_and_only_exactly),
	cmocka_unit_test(password__may_be_given_as_a_hash),
	cmocka_unit_test(password__that_looks_a_little_like_a_hash_is_a_password),
	cmocka_unit_test(password__known_to_be_right_costs_no_hashing),
	cmocka_unit_test(address__is_written_as_people_do),
	cmocka_unit_test(throttle__lets_so_many_fail_and_then_waits),
	cmocka_unit_test(throttle__takes_an_ipv6_network_for_one),
	cmocka_unit_test(throttle__remembers_limit_throttled_sites),
	cmocka_unit_test(token__can_be_used_once),
	cmocka_unit_test(token__is_forgotten_when_it_has_expired),
	cmocka_unit_test(token__is_remembered_when_the_clock_is_set_back),
	cmocka_unit_test(role__is_that_of_the_list_an_account_stands_on),
	cmocka_unit_test(service__is_named_by_its_url_or_as_configured),
	cmocka_unit_test(cors__lets_the_listed_origins_read),
};

UNIT_MAIN(auth_tests)
