/*
 * test_api_pages.c - src/api: what the dashboard's pages are made of.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/chart.h"
#include "api/html.h"
#include "api/samples.h"
#include "api/session.h"
#include "common/limits.h"

/* --- html --- */

static void
check_text(struct str text, const char *expected)
{
	struct buf to = BUF_INIT;

	html_text(&to, text);
	assert_int_equal(buf_len(&to), strlen(expected));
	assert_memory_equal(buf_data(&to), expected, strlen(expected));
	buf_clear(&to);
}

static void
text_cannot_leave_its_place_in_a_page(void **state BF_UNUSED)
{
	check_text(STR("<script>alert('x')</script>"),
	    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
	check_text(STR("\" onload=\"x"), "&quot; onload=&quot;x");
	check_text(STR("a & b &amp; c"), "a &amp; b &amp;amp; c");
	check_text(STR("did:plc:abc \xc3\xa9 \xf0\x9f\x98\x80"),
	    "did:plc:abc \xc3\xa9 \xf0\x9f\x98\x80");
	check_text(STR("\xc3(\xff<\xf0\x9f"),
	    "\xef\xbf\xbd(\xef\xbf\xbd&lt;\xef\xbf\xbd\xef\xbf\xbd");
	check_text(STR("a\0b\x1b[31m\x7f"), "a\xef\xbf\xbd" "b\xef\xbf\xbd[31m\xef\xbf\xbd");
}

static void
a_query_has_nothing_but_plain_characters(void **state BF_UNUSED)
{
	struct buf to = BUF_INIT;

	html_query(&to, STR("a-1.b_2&\"<\xc3 /"));
	assert_memory_equal(buf_data(&to), "a-1.b_2%26%22%3C%C3%20%2F", buf_len(&to));
	assert_int_equal(buf_len(&to), 25);
	buf_clear(&to);
}

/* --- samples --- */

static void
tell(struct samples *samples, const char *id, enum op_status status, uint64_t processed,
    int64_t now_ms)
{
	struct op op = { .id = str_from(id), .status = status,
		.records_processed = processed };

	samples_op(samples, &op, now_ms);
}

#define ONE	"3migo7fijwi2k"

static void
rates_are_of_whole_steps(void **state BF_UNUSED)
{
	struct samples *samples = samples_new();
	struct samples_view view;

	tell(samples, ONE, OP_QUEUED, 0, 1000000);
	assert_false(samples_get(samples, STR(ONE), &view));
	tell(samples, ONE, OP_RUNNING, 100, 1000000);
	tell(samples, ONE, OP_RUNNING, 150, 1000500);
	tell(samples, ONE, OP_RUNNING, 200, 1000999);
	tell(samples, ONE, OP_RUNNING, 260, 1001500);
	/* nothing for three seconds */
	tell(samples, ONE, OP_RUNNING, 1260, 1005000);
	assert_true(samples_get(samples, STR(ONE), &view));
	assert_int_equal(view.step_ms, SAMPLES_FIRST_STEP_MS);
	assert_int_equal(view.count, 5);
	assert_float_equal(view.rate[0], 100, 0.01);
	assert_float_equal(view.rate[1], 60, 0.01);
	assert_float_equal(view.rate[2], 0, 0.01);
	assert_float_equal(view.rate[4], 0, 0.01);
	assert_float_equal(view.most, 100, 0.01);
	samples_free(&samples);
}

static void
all_of_a_long_run_fits(void **state BF_UNUSED)
{
	struct samples *samples = samples_new();
	struct samples_view view;
	int64_t day_ms = 24 * 3600 * 1000;

	for (int64_t at_ms = 0; at_ms <= day_ms; at_ms += 250)
		tell(samples, ONE, OP_RUNNING, (uint64_t)at_ms / 10, 5000 + at_ms);
	assert_true(samples_get(samples, STR(ONE), &view));
	assert_in_range(view.count, SAMPLES_MOST / 2 - 1, SAMPLES_MOST);
	assert_in_range(view.step_ms * view.count, day_ms - 2 * view.step_ms, day_ms);
	for (unsigned i = 0; i < view.count; i++)
		assert_float_equal(view.rate[i], 100, 1);
	/* The clock set back, and far ahead. */
	tell(samples, ONE, OP_RUNNING, 1, 0);
	tell(samples, ONE, OP_RUNNING, 9000000, 5000 + 1000 * day_ms);
	assert_true(samples_get(samples, STR(ONE), &view));
	assert_in_range(view.count, 1, SAMPLES_MOST);
	samples_free(&samples);
}

/* LIMIT_SAMPLED_OPS */
static void
the_one_not_heard_of_for_longest_is_forgotten(void **state BF_UNUSED)
{
	struct samples *samples = samples_new();
	struct samples_view view;
	char id[TID_SIZE];

	tell(samples, ONE, OP_RUNNING, 1, 1000);
	for (int i = 0; i < LIMIT_SAMPLED_OPS - 1; i++) {
		(void)snprintf(id, sizeof(id), "3migo%08d", i);
		tell(samples, id, OP_RUNNING, 1, 1000);
	}
	tell(samples, ONE, OP_COMPLETED, 5, 2000);
	tell(samples, "3migoxxxxxxxx", OP_RUNNING, 1, 2000);
	assert_true(samples_get(samples, STR(ONE), &view));
	assert_false(samples_get(samples, STR("3migo00000000"), &view));
	assert_true(samples_get(samples, STR("3migo00000001"), &view));
	samples_free(&samples);
}

static void
a_chart_stays_in_its_frame(void **state BF_UNUSED)
{
	struct samples_view view = { .step_ms = 1000, .count = 3, .rate = { 0, 7, 3.5 },
		.most = 7 };
	struct buf to = BUF_INIT;

	chart_write(&to, &view);
	buf_add_byte(&to, '\0');
	assert_non_null(strstr((char *)buf_data(&to),
	    "points=\"0.0,120.0 320.0,36.0 640.0,78.0\""));
	assert_non_null(strstr((char *)buf_data(&to), ">10/s<"));
	buf_reset(&to);
	view = (struct samples_view){ .step_ms = 1000, .count = 2 };
	chart_write(&to, &view);
	buf_clear(&to);
}

/* --- sessions --- */

static struct session *
find(struct sessions *sessions, const char *before, const char *secret, const char *after,
    int64_t now_ms)
{
	char cookies[256];

	(void)snprintf(cookies, sizeof(cookies), "%sbackfilld=%s%s", before, secret, after);
	return sessions_find(sessions, str_from(cookies), now_ms);
}

static void
a_cookie_finds_its_session_and_no_other(void **state BF_UNUSED)
{
	struct sessions *sessions = sessions_new();
	struct session *one = sessions_start(sessions, STR("admin"), true, 0), *found;
	struct session *two = sessions_start(sessions, STR("did:plc:x"), false, 0);
	char wrong[SESSION_SECRET_SIZE];

	assert_string_not_equal(one->cookie, two->cookie);
	assert_string_not_equal(one->cookie, one->form_token);
	found = find(sessions, "a=b; ", one->cookie, "; c=d", 1);
	assert_ptr_equal(found, one);
	session_release(&found);
	found = find(sessions, "", two->cookie, "", 1);
	assert_ptr_equal(found, two);
	session_release(&found);
	memcpy(wrong, one->cookie, sizeof(wrong));
	wrong[63] ^= 1;
	assert_null(find(sessions, "", wrong, "", 1));
	assert_null(find(sessions, "x", one->cookie, "", 1));
	assert_null(find(sessions, "", one->cookie, "0", 1));
	assert_null(find(sessions, "", one->form_token, "", 1));
	assert_null(sessions_find(sessions, STR("backfilld="), 1));
	assert_null(sessions_find(sessions, STR(";;; ="), 1));
	assert_true(session_has_form_token(one, str_from(one->form_token)));
	assert_false(session_has_form_token(one, str_from(two->form_token)));
	assert_false(session_has_form_token(one, STR_NONE));
	sessions_free(&sessions);
}

static void
a_session_ends_by_time_and_when_told(void **state BF_UNUSED)
{
	struct sessions *sessions = sessions_new();
	struct session *session = sessions_start(sessions, STR("admin"), true, 0), *held;
	char cookie[SESSION_SECRET_SIZE];
	int64_t now_ms = 0;

	memcpy(cookie, session->cookie, sizeof(cookie));
	/* In use it lives on, but not for ever. */
	while (now_ms + SESSION_IDLE_MS / 2 < SESSION_LIFE_MS) {
		now_ms += SESSION_IDLE_MS / 2;
		held = find(sessions, "", cookie, "", now_ms);
		assert_non_null(held);
		session_release(&held);
	}
	assert_null(find(sessions, "", cookie, "", SESSION_LIFE_MS));
	session = sessions_start(sessions, STR("admin"), true, 0);
	memcpy(cookie, session->cookie, sizeof(cookie));
	assert_null(find(sessions, "", cookie, "", SESSION_IDLE_MS));

	session = sessions_start(sessions, STR("admin"), true, 0);
	memcpy(cookie, session->cookie, sizeof(cookie));
	held = find(sessions, "", cookie, "", 1);
	sessions_end(sessions, session);
	assert_true(session_is_over(held, 1));
	assert_null(find(sessions, "", cookie, "", 1));
	assert_string_equal(held->caller, "admin");
	session_release(&held);
	sessions_free(&sessions);
}

/* LIMIT_SESSIONS */
static void
the_session_unused_for_longest_makes_room(void **state BF_UNUSED)
{
	struct sessions *sessions = sessions_new();
	char first[SESSION_SECRET_SIZE], second[SESSION_SECRET_SIZE];
	struct session *found;

	memcpy(first, sessions_start(sessions, STR("a"), true, 0)->cookie, sizeof(first));
	memcpy(second, sessions_start(sessions, STR("b"), true, 0)->cookie, sizeof(second));
	for (int i = 2; i < LIMIT_SESSIONS; i++)
		(void)sessions_start(sessions, STR("c"), true, 0);
	found = find(sessions, "", first, "", 1);
	session_release(&found);
	(void)sessions_start(sessions, STR("d"), true, 1);
	assert_null(find(sessions, "", second, "", 2));
	found = find(sessions, "", first, "", 2);
	assert_non_null(found);
	session_release(&found);
	sessions_free(&sessions);
}

static void
the_cookie_is_for_this_site_and_no_script(void **state BF_UNUSED)
{
	struct sessions *sessions = sessions_new();
	char *text = session_cookie(sessions_start(sessions, STR("a"), true, 0), false);

	assert_non_null(strstr(text, "HttpOnly"));
	assert_non_null(strstr(text, "SameSite=Strict"));
	assert_non_null(strstr(text, "Path=/"));
	assert_null(strstr(text, "Secure"));
	free(text);
	text = session_cookie(NULL, false);
	assert_non_null(strstr(text, "backfilld=;"));
	assert_non_null(strstr(text, "Max-Age=0"));
	free(text);
	sessions_free(&sessions);
}

static const struct CMUnitTest api_pages[] = {
	cmocka_unit_test(text_cannot_leave_its_place_in_a_page),
	cmocka_unit_test(a_query_has_nothing_but_plain_characters),
	cmocka_unit_test(rates_are_of_whole_steps),
	cmocka_unit_test(all_of_a_long_run_fits),
	cmocka_unit_test(the_one_not_heard_of_for_longest_is_forgotten),
	cmocka_unit_test(a_chart_stays_in_its_frame),
	cmocka_unit_test(a_cookie_finds_its_session_and_no_other),
	cmocka_unit_test(a_session_ends_by_time_and_when_told),
	cmocka_unit_test(the_session_unused_for_longest_makes_room),
	cmocka_unit_test(the_cookie_is_for_this_site_and_no_script),
};

UNIT_MAIN(api_pages)
