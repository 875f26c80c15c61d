/*
 * test_fetch_services.c - GROBID, Crossref and Semantic Scholar as they answer.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fetch/crossref.h"
#include "fetch/grobid.h"
#include "fetch/scholar.h"
#include "t/unit/fetch_fixture.h"

/* What the callbacks saw. */
struct seen {
	struct fetch_fixture *f;
	struct fetch_error error;
	struct buf text;
	unsigned year, restarts, dones;
};

static void
note_end(struct seen *seen, const struct fetch_error *error)
{
	seen->dones++;
	seen->error = *error;
	ev_break(seen->f->loop, EVBREAK_ALL);
}

static void
expect_seen(struct seen *seen, enum fetch_class class, const char *text)
{
	ev_run(seen->f->loop, 0);
	assert_int_equal(seen->dones, 1);
	if (seen->error.class != class)
		fail_msg("%s", seen->error.text);
	assert_true(str_eq(buf_str(&seen->text), str_from(text)));
	buf_clear(&seen->text);
}

/* --- GROBID --- */

static void
on_tei(struct bytes chunk, void *arg)
{
	struct seen *seen = arg;

	buf_add(&seen->text, chunk.ptr, chunk.len);
}

static void
on_tei_restart(void *arg)
{
	struct seen *seen = arg;

	seen->restarts++;
	buf_reset(&seen->text);
}

static void
on_tei_done(const struct fetch_error *error, void *arg)
{
	note_end(arg, error);
}

static const struct grobid_events grobid_events = {
	on_tei, on_tei_restart, on_tei_done,
};

static void
ask_grobid(struct seen *seen, struct fetch_fixture *f)
{
	int fd = memfd_create("pdf", MFD_CLOEXEC);

	*seen = (struct seen){ .f = f };
	assert_int_equal(write(fd, "%PDF-1.4", 8), 8);
	(void)grobid_references(f->http, fetch_server_origin(f->server), fd, 8,
	    &grobid_events, seen);
}

#define GROBID_PATH	"/api/processReferences"

static void
grobid__is_given_the_pdf_and_asked_for_raw_citations(void **state)
{
	struct fetch_fixture *f = *state;
	const char *request;
	struct seen seen;

	fetch_server_serve(f->server, GROBID_PATH, "200 OK", "application/xml", "<TEI/>", 6);
	ask_grobid(&seen, f);
	expect_seen(&seen, FETCH_OK, "<TEI/>");
	request = fetch_server_last_request(f->server);
	assert_non_null(strstr(request, "Content-Type: multipart/form-data; boundary="));
	assert_non_null(strstr(request, "name=\"includeRawCitations\"\r\n\r\n1\r\n"));
	assert_non_null(strstr(request, "name=\"input\"; filename"));
	assert_non_null(strstr(request, "\r\n\r\n%PDF-1.4\r\n--"));
}

static void
grobid__that_finds_nothing_says_204(void **state)
{
	struct fetch_fixture *f = *state;
	struct seen seen;

	fetch_server_say(f->server, GROBID_PATH, "HTTP/1.1 204 No Content\r\n\r\n");
	ask_grobid(&seen, f);
	expect_seen(&seen, FETCH_OK, "");
}

/* Otherwise the citations that are known would go. */
static void
grobid__does_not_say_so_by_an_empty_200(void **state)
{
	struct fetch_fixture *f = *state;
	struct seen seen;

	fetch_server_say(f->server, GROBID_PATH,
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ask_grobid(&seen, f);
	expect_seen(&seen, FETCH_INVALID, "");
}

static void
grobid__that_is_busy_or_cuts_its_answer_is_asked_again(void **state)
{
	struct fetch_fixture *f = *state;
	struct seen seen;

	fetch_server_say(f->server, GROBID_PATH,
	    "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
	fetch_server_say(f->server, GROBID_PATH,
	    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<T");
	fetch_server_serve(f->server, GROBID_PATH, "200 OK", "application/xml", "<TEI/>", 6);
	ask_grobid(&seen, f);
	expect_seen(&seen, FETCH_OK, "<TEI/>");
	assert_int_equal(seen.restarts, 1);
	assert_int_equal(fetch_server_requests(f->server), 3);
}

static void
grobid__answers_at_most_LIMIT_FETCH_TEI_BYTES(void **state)
{
	struct fetch_fixture *f = *state;
	struct seen seen;

	fetch_server_say(f->server, GROBID_PATH,
	    "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", LIMIT_FETCH_TEI_BYTES + 1);
	ask_grobid(&seen, f);
	expect_seen(&seen, FETCH_TOO_LARGE, "");
}

/* --- Crossref --- */

static void
on_crossref(const struct fetch_error *error, const struct crossref_work *work, void *arg)
{
	struct seen *seen = arg;

	assert_int_equal(work != NULL, error->class == FETCH_OK);
	if (work != NULL) {
		buf_printf(&seen->text, "%.*s|%.*s", STR_FMT(work->title),
		    STR_FMT(work->venue));
		seen->year = work->year;
	}
	note_end(seen, error);
}

static void
ask_crossref(struct seen *seen, struct fetch_fixture *f, struct str mail)
{
	*seen = (struct seen){ .f = f };
	(void)crossref_look_up(f->http, fetch_server_origin(f->server), mail,
	    STR("10.1000/a(b)"), on_crossref, seen);
}

#define CROSSREF_PATH	"/works/10.1000%2Fa%28b%29"

static void
crossref__tells_title_venue_and_year(void **state)
{
	const char *answer = "{\"status\":\"ok\",\"message\":{\"title\":[\"On things\"],"
	    "\"container-title\":[\"Journal\"],\"issued\":{\"date-parts\":[[2017,5]]}}}";
	struct fetch_fixture *f = *state;
	struct seen seen;

	fetch_server_serve(f->server, CROSSREF_PATH, "200 OK", "application/json", answer, strlen(answer));
	ask_crossref(&seen, f, STR("me@example.com"));
	expect_seen(&seen, FETCH_OK, "On things|Journal");
	assert_int_equal(seen.year, 2017);
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "?mailto=me%40example.com "));
}

static void
crossref__may_tell_nothing_or_nonsense(void **state)
{
	static const char *const nonsense[] = { "[]", "{}", "{\"message\":[{}]}" };
	struct fetch_fixture *f = *state;
	struct seen seen;

	ask_crossref(&seen, f, STR_NONE);
	expect_seen(&seen, FETCH_NOT_FOUND, "");
	fetch_server_serve(f->server, CROSSREF_PATH, "200 OK", "x/y", "{\"message\":{}}", 14);
	for (size_t i = 0; i < BF_ARRAY_LEN(nonsense); i++)
		fetch_server_serve(f->server, CROSSREF_PATH, "200 OK", "x/y", nonsense[i],
		    strlen(nonsense[i]));
	ask_crossref(&seen, f, STR_NONE);
	expect_seen(&seen, FETCH_OK, "|");
	assert_int_equal(seen.year, 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(nonsense); i++) {
		ask_crossref(&seen, f, STR_NONE);
		expect_seen(&seen, FETCH_INVALID, "");
	}
}

static void
crossref__rates_are_those_of_its_pools(void **state BF_UNUSED)
{
	assert_true(crossref_rates(STR_NONE).requests_per_s == 5);
	assert_int_equal(crossref_rates(STR_NONE).per_host_max, 1);
	assert_true(crossref_rates(STR("a@b.c")).requests_per_s == 10);
	assert_int_equal(crossref_rates(STR("a@b.c")).per_host_max, 3);
	assert_true(scholar_rates().requests_per_s < 0.34);
}

/* --- Semantic Scholar --- */

static void
on_scholar_work(const struct scholar_work *work, void *arg)
{
	struct seen *seen = arg;

	buf_printf(&seen->text, "%.*s|%.*s|%.*s|%u\n", STR_FMT(work->title),
	    STR_FMT(work->authors), STR_FMT(work->doi), work->year);
}

static void
on_scholar_done(const struct fetch_error *error, void *arg)
{
	note_end(arg, error);
}

#define SCHOLAR_PATH	"/paper/DOI:10.1000%2F1/references"

static void
scholar__tells_all_pages(void **state)
{
	const char *first = "{\"offset\":0,\"next\":2,\"data\":["
	    "{\"citedPaper\":{\"title\":\"One\",\"year\":2001,"
	    "\"authors\":[{\"name\":\"A\"},{\"name\":\"B\"}],"
	    "\"externalIds\":{\"DOI\":\"10.1000/ONE\"}}},"
	    "{\"citedPaper\":{\"title\":null,\"externalIds\":null}}]}";
	const char *second = "{\"offset\":2,\"next\":2,\"data\":["
	    "{\"citedPaper\":{\"title\":\"Three\"}}]}";
	struct fetch_fixture *f = *state;
	struct seen seen = { .f = f };

	fetch_server_serve(f->server, SCHOLAR_PATH, "200 OK", "x/y", first, strlen(first));
	fetch_server_serve(f->server, SCHOLAR_PATH, "200 OK", "x/y", second,
	    strlen(second));
	(void)scholar_references(f->http, fetch_server_origin(f->server),
	    STR("10.1000/1"), on_scholar_work, on_scholar_done, &seen);
	expect_seen(&seen, FETCH_OK, "One|A; B|10.1000/ONE|2001\n|||0\nThree|||0\n");
	assert_int_equal(fetch_server_requests(f->server), 2);
	assert_non_null(strstr(fetch_server_last_request(f->server), "&offset=2 "));
}

static void
scholar__may_have_to_keep_quiet_but_tells_a_list(void **state)
{
	static const char *const answers[] = { "{\"data\":null}", "{\"error\":\"?\"}" };
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(answers); i++)
		fetch_server_serve(f->server, SCHOLAR_PATH, "200 OK", "x/y", answers[i],
		    strlen(answers[i]));
	for (size_t i = 0; i < BF_ARRAY_LEN(answers); i++) {
		struct seen seen = { .f = f };

		(void)scholar_references(f->http, fetch_server_origin(f->server),
		    STR("10.1000/1"), on_scholar_work, on_scholar_done, &seen);
		expect_seen(&seen, i == 0 ? FETCH_OK : FETCH_INVALID, "");
	}
}

/* Each says that the next one begins one work later. */
static void
scholar__has_no_more_than_50_pages(void **state)
{
	struct fetch_fixture *f = *state;
	struct seen seen = { .f = f };

	for (int i = 1; i <= 60; i++) {
		char page[64];
		int len = snprintf(page, sizeof(page), "{\"data\":[],\"next\":%d}", i);

		fetch_server_serve(f->server, SCHOLAR_PATH, "200 OK", "x/y", page,
		    (size_t)len);
	}
	(void)scholar_references(f->http, fetch_server_origin(f->server),
	    STR("10.1000/1"), on_scholar_work, on_scholar_done, &seen);
	expect_seen(&seen, FETCH_OK, "");
	assert_int_equal(fetch_server_requests(f->server), 50);
}

static const struct CMUnitTest tests[] = {
	T(grobid__is_given_the_pdf_and_asked_for_raw_citations),
	T(grobid__that_finds_nothing_says_204),
	T(grobid__does_not_say_so_by_an_empty_200),
	T(grobid__that_is_busy_or_cuts_its_answer_is_asked_again),
	T(grobid__answers_at_most_LIMIT_FETCH_TEI_BYTES),
	T(crossref__tells_title_venue_and_year),
	T(crossref__may_tell_nothing_or_nonsense),
	T(crossref__rates_are_those_of_its_pools),
	T(scholar__tells_all_pages),
	T(scholar__may_have_to_keep_quiet_but_tells_a_list),
	T(scholar__has_no_more_than_50_pages),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
