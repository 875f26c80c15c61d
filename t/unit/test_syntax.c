/*
 * test_syntax.c - identifiers: the interop fixtures, valid and invalid, and what
 * they leave out.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/aturi.h"
#include "atproto/cid.h"
#include "atproto/datetime.h"
#include "atproto/did.h"
#include "atproto/handle.h"
#include "atproto/nsid.h"
#include "atproto/rkey.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/tid.h"
#include "t/unit/vectors.h"

#define DIR	"atproto-interop-tests/syntax/"

struct expected {
	const char *name;
	bool (*is_valid)(struct str text);
	bool valid;
	size_t lines;
};

static void
check_line(struct str line, void *arg)
{
	struct expected *expected = arg;

	expected->lines++;
	if (expected->is_valid(line) != expected->valid)
		fail_msg("%s: \"%.*s\" should be %s", expected->name, STR_FMT(line),
		    expected->valid ? "valid" : "invalid");
}

static void
check_fixtures(const char *name, bool (*is_valid)(struct str text))
{
	struct expected expected = { name, is_valid, true, 0 };
	char path[128];

	vectors_need();
	snprintf(path, sizeof(path), DIR "%s_syntax_valid.txt", name);
	vectors_lines(path, check_line, &expected);
	expected.valid = false;
	snprintf(path, sizeof(path), DIR "%s_syntax_invalid.txt", name);
	vectors_lines(path, check_line, &expected);
	assert_true(expected.lines > 10);
}

#define FIXTURE_TEST(name, is_valid)				\
	static void						\
	name##__agrees_with_the_interop_fixtures(void **state BF_UNUSED) \
	{							\
		check_fixtures(#name, is_valid);		\
	}

FIXTURE_TEST(did, did_is_valid)
FIXTURE_TEST(handle, handle_is_valid)
FIXTURE_TEST(atidentifier, at_identifier_is_valid)
FIXTURE_TEST(nsid, nsid_is_valid)
FIXTURE_TEST(aturi, aturi_is_valid)
FIXTURE_TEST(recordkey, rkey_is_valid)
FIXTURE_TEST(tid, tid_is_valid)
FIXTURE_TEST(cid, cid_syntax_is_valid)
FIXTURE_TEST(datetime, datetime_is_valid)

static void
datetime__refuses_dates_that_do_not_exist(void **state BF_UNUSED)
{
	struct expected expected = { "datetime", datetime_is_valid, false, 0 };

	vectors_need();
	vectors_lines(DIR "datetime_parse_invalid.txt", check_line, &expected);
	assert_true(expected.lines > 3);
	assert_false(datetime_is_valid(STR("2025-02-29T00:00:00Z")));
	assert_true(datetime_is_valid(STR("2024-02-29T00:00:00Z")));
	assert_false(datetime_is_valid(STR("1900-02-29T00:00:00Z")));
}

static void
datetime__gives_the_moment_whatever_the_zone(void **state BF_UNUSED)
{
	static const struct {
		const char *text;
		int64_t wall_ms;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1985-04-12T23:20:50.123Z", 482196050123 },
		{ "1985-04-12T23:20:50.1239999Z", 482196050123 },
		{ "1985-04-13T01:20:50.123+02:00", 482196050123 },
		{ "2000-03-01T00:00:00Z", 951868800000 },
		{ "1969-12-31T23:59:59.5Z", -500 },
		{ "0000-01-01T00:00:00Z", -62167219200000 },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		int64_t wall_ms;

		assert_int_equal(datetime_parse(str_from(cases[i].text), &wall_ms), 0);
		if (wall_ms != cases[i].wall_ms)
			fail_msg("%s: %lld", cases[i].text, (long long)wall_ms);
	}
}

static void
did__is_refused_over_its_limit(void **state BF_UNUSED)
{
	char *text = xmalloc(LIMIT_DID_BYTES + 1);

	memset(text, 'a', LIMIT_DID_BYTES + 1);
	memcpy(text, "did:plc:", 8);
	assert_true(did_is_valid((struct str){ text, LIMIT_DID_BYTES }));
	assert_false(did_is_valid((struct str){ text, LIMIT_DID_BYTES + 1 }));
	free(text);
}

/* A name of labels, the end of which is `last`. */
static char *
name_of(size_t len, size_t label_max, const char *last)
{
	char *text = xmalloc(len + 1);

	memset(text, 'a', len);
	for (size_t i = label_max; i < len; i += label_max + 1)
		text[i] = '.';
	memcpy(text + len - strlen(last), last, strlen(last));
	text[len] = '\0';
	return text;
}

static void
handle__is_refused_over_its_limit(void **state BF_UNUSED)
{
	char *longest = name_of(LIMIT_HANDLE_BYTES, 62, "a.test");
	char *longer = name_of(LIMIT_HANDLE_BYTES + 1, 62, "a.test");

	assert_true(handle_is_valid(str_from(longest)));
	assert_false(handle_is_valid(str_from(longer)));
	free(longest);
	free(longer);
}

static void
nsid__is_refused_over_its_limit(void **state BF_UNUSED)
{
	char *longest = name_of(LIMIT_COLLECTION_BYTES, 62, "a.thing");
	char *longer = name_of(LIMIT_COLLECTION_BYTES + 1, 62, "a.thing");

	assert_true(nsid_is_valid(str_from(longest)));
	assert_false(nsid_is_valid(str_from(longer)));
	free(longest);
	free(longer);
}

static void
rkey__is_refused_over_its_limit(void **state BF_UNUSED)
{
	char *longer = name_of(LIMIT_RKEY_BYTES + 1, LIMIT_RKEY_BYTES + 1, "");

	assert_true(rkey_is_valid((struct str){ longer, LIMIT_RKEY_BYTES }));
	assert_false(rkey_is_valid(str_from(longer)));
	free(longer);
}

static void
aturi__is_refused_over_its_limit(void **state BF_UNUSED)
{
	/* No part may be so long that a valid text reaches the limit, so the check
	 * shows with a text that is wrong in nothing but its length at first sight. */
	char *text = xmalloc(LIMIT_ATURI_BYTES + 1);

	memset(text, 'a', LIMIT_ATURI_BYTES + 1);
	memcpy(text, "at://did:plc:", 13);
	assert_false(aturi_is_valid((struct str){ text, LIMIT_ATURI_BYTES + 1 }));
	free(text);
}

static void
did__is_usable_only_in_the_two_blessed_methods(void **state BF_UNUSED)
{
	static const char *const good[] = { "did:plc:z72i7hdynmk6r22z27h6tvur",
	    "did:web:example.com", "did:web:localhost", "did:web:localhost%3A2583" };
	static const char *const bad[] = { "did:plc:z72i7hdynmk6r22z27h6tvu",
	    "did:plc:z72i7hdynmk6r22z27h6tvur1", "did:plc:Z72i7hdynmk6r22z27h6tvur",
	    "did:plc:072i7hdynmk6r22z27h6tvur", "did:web:example.com:path",
	    "did:web:example.com%3A8080", "did:web:localhost%3A", "did:web:localhost%3A0",
	    "did:web:localhost%3A65536", "did:web:localhostess", "did:web:10.0.0.1",
	    "did:web:localhost%3A2583%2F", "did:key:zQ3sh", "did:web:", "" };

	for (size_t i = 0; i < BF_ARRAY_LEN(good); i++)
		assert_true(did_is_atproto(str_from(good[i])));
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		if (did_is_atproto(str_from(bad[i])))
			fail_msg("%s should be refused", bad[i]);
}

static void
did__is_found_in_front_of_a_fragment(void **state BF_UNUSED)
{
	assert_true(str_eq(did_without_fragment(STR("did:web:a.b#x")),
	    STR("did:web:a.b")));
	assert_true(str_eq(did_without_fragment(STR("did:web:a.b")), STR("did:web:a.b")));
	assert_true(str_is_empty(did_without_fragment(STR_NONE)));
}

static void
handle__under_a_reserved_domain_is_not_allowed(void **state BF_UNUSED)
{
	assert_false(handle_is_allowed(STR("a.local")));
	assert_false(handle_is_allowed(STR("a.b.ONION")));
	assert_false(handle_is_allowed(STR("handle.invalid")));
	assert_true(handle_is_allowed(STR("alice.test")));
	assert_true(handle_is_allowed(STR("local.example.com")));
}

static void
nsid_pattern__matches_whole_segments(void **state BF_UNUSED)
{
	assert_true(nsid_matches(STR("pub.chive.eprint"), STR("pub.chive.eprint")));
	assert_true(nsid_matches(STR("pub.chive.eprint"), STR("pub.chive.*")));
	assert_true(nsid_matches(STR("pub.chive.graph.node"), STR("pub.chive.*")));
	assert_true(nsid_matches(STR("pub.chive.eprint"), STR("*")));
	assert_false(nsid_matches(STR("pub.chiver.eprint"), STR("pub.chive.*")));
	assert_false(nsid_matches(STR("pub.chive.eprints"), STR("pub.chive.eprint")));
	assert_true(nsid_pattern_is_valid(STR("pub.*")));
	assert_false(nsid_pattern_is_valid(STR("pub.chive*")));
	assert_false(nsid_pattern_is_valid(STR("pub.*.eprint")));
	assert_false(nsid_pattern_is_valid(STR(".*")));
	assert_false(nsid_pattern_is_valid(STR("**")));
	assert_false(nsid_pattern_is_valid(STR("")));
}

static void
path__is_split_at_its_one_slash(void **state BF_UNUSED)
{
	static const char *const bad[] = { "", "/", "app.bsky.feed.post",
	    "app.bsky.feed.post/",
	    "/3k", "app.bsky.feed.post/a/b", "app..post/a", "app.bsky.feed.post/.",
	    "app.bsky.feed.post/..", "app.bsky.feed.post/a b", "app.bsky.feed.post/\xc3\xa9" };
	struct str collection, rkey;

	assert_int_equal(path_parse(STR("app.bsky.feed.post/3k_~.:-"), &collection,
	    &rkey), 0);
	assert_true(str_eq(collection, STR("app.bsky.feed.post")));
	assert_true(str_eq(rkey, STR("3k_~.:-")));
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		if (path_parse(str_from(bad[i]), &collection, &rkey) == 0)
			fail_msg("%s should be refused", bad[i]);
	assert_int_equal(path_parse(STR("app.bsky.feed.post/a\0b"), &collection, &rkey),
	    -1);
}

static void
aturi__is_written_as_it_was_read(void **state BF_UNUSED)
{
	static const char *const uris[] = { "at://alice.test",
	    "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post",
	    "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/3k2a" };

	for (size_t i = 0; i < BF_ARRAY_LEN(uris); i++) {
		struct buf text = BUF_INIT;
		struct aturi uri;

		assert_int_equal(aturi_parse(str_from(uris[i]), &uri), 0);
		aturi_format(&uri, &text);
		assert_true(str_eq(buf_str(&text), str_from(uris[i])));
		buf_clear(&text);
	}
}

static const struct CMUnitTest syntax_tests[] = {
	cmocka_unit_test(did__agrees_with_the_interop_fixtures),
	cmocka_unit_test(handle__agrees_with_the_interop_fixtures),
	cmocka_unit_test(atidentifier__agrees_with_the_interop_fixtures),
	cmocka_unit_test(nsid__agrees_with_the_interop_fixtures),
	cmocka_unit_test(aturi__agrees_with_the_interop_fixtures),
	cmocka_unit_test(recordkey__agrees_with_the_interop_fixtures),
	cmocka_unit_test(tid__agrees_with_the_interop_fixtures),
	cmocka_unit_test(cid__agrees_with_the_interop_fixtures),
	cmocka_unit_test(datetime__agrees_with_the_interop_fixtures),
	cmocka_unit_test(datetime__refuses_dates_that_do_not_exist),
	cmocka_unit_test(datetime__gives_the_moment_whatever_the_zone),
	cmocka_unit_test(did__is_refused_over_its_limit),
	cmocka_unit_test(handle__is_refused_over_its_limit),
	cmocka_unit_test(nsid__is_refused_over_its_limit),
	cmocka_unit_test(rkey__is_refused_over_its_limit),
	cmocka_unit_test(aturi__is_refused_over_its_limit),
	cmocka_unit_test(did__is_usable_only_in_the_two_blessed_methods),
	cmocka_unit_test(did__is_found_in_front_of_a_fragment),
	cmocka_unit_test(handle__under_a_reserved_domain_is_not_allowed),
	cmocka_unit_test(nsid_pattern__matches_whole_segments),
	cmocka_unit_test(path__is_split_at_its_one_slash),
	cmocka_unit_test(aturi__is_written_as_it_was_read),
};

UNIT_MAIN(syntax_tests)
