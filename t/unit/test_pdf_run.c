/*
 * test_pdf_run.c - src/workers/pdf_run.h: what becomes of a helper that does not do as
 * it should.  In the place of pdftotext is t/workers/pdf_probe.c.
 */
#include "t/unit/unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "workers/pdf_run.h"

#define DEADLINE_S	60

struct seen {
	struct ev_loop *loop;
	unsigned dones;
	char class[32];			/* "": well */
	char error[256];
	struct buf text;
};

static char helper[4096], probe[4096];

/* Programs are where the tests are run: beside us, or below. */
static int
find_programs(void **state BF_UNUSED)
{
	const char *dir = getenv("BF_BUILDDIR");

	(void)snprintf(helper, sizeof(helper), "%s/pdf-text", dir != NULL ? dir : ".");
	(void)snprintf(probe, sizeof(probe), "%s/t/workers/pdf-probe",
	    dir != NULL ? dir : ".");
	return access(helper, X_OK) == 0 && access(probe, X_OK) == 0 ? 0 : -1;
}

static void
on_result(const struct pdf_run_result *result, void *arg)
{
	struct seen *seen = arg;

	seen->dones++;
	(void)snprintf(seen->class, sizeof(seen->class), "%s",
	    result->error_class != NULL ? result->error_class : "");
	(void)snprintf(seen->error, sizeof(seen->error), "%s",
	    result->error_text != NULL ? result->error_text : "");
	buf_add_str(&seen->text, result->text);
	ev_break(seen->loop, EVBREAK_ALL);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, ev_timer *watcher BF_UNUSED,
    int events BF_UNUSED)
{
	fail_msg("nothing happened for %d s", DEADLINE_S);
}

static int
document(const char *act)
{
	int fd = memfd_create("document", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_true(dprintf(fd, "%%PDF-1.4\n%s\n", act) > 0);
	return fd;
}

static void
run_tool(const char *tool, const char *act, int64_t wall_ms, struct seen *seen)
{
	struct pdf_run_options options = { .helper = helper, .tool = tool,
	    .wall_ms = wall_ms, .pdf_fd = document(act), .is_check = *act == '\0' };
	ev_timer deadline;

	*seen = (struct seen){ .loop = ev_default_loop(EVFLAG_AUTO) };
	ev_timer_init(&deadline, on_deadline, DEADLINE_S, 0.);
	ev_timer_start(seen->loop, &deadline);
	(void)pdf_run_start(seen->loop, &options, on_result, seen);
	assert_int_equal(seen->dones, 0);
	ev_run(seen->loop, 0);
	ev_timer_stop(seen->loop, &deadline);
	assert_int_equal(seen->dones, 1);
	fd_close(&options.pdf_fd);
}

/* The class that comes of it, and a part of the text. */
static void
expect(const char *act, const char *class, const char *error)
{
	struct seen seen;

	run_tool(probe, act, 0, &seen);
	assert_string_equal(seen.class, class);
	if (strstr(seen.error, error) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", seen.error, error);
	buf_clear(&seen.text);
}

static void
a_text_comes_whole_from_the_start_of_the_file(void **state BF_UNUSED)
{
	struct seen seen;

	run_tool(probe, "limits", 0, &seen);
	assert_string_equal(seen.class, "");
	assert_true(str_eq(buf_str(&seen.text), STR("60\n")));
	buf_clear(&seen.text);
}

static void
what_the_sandbox_forbids_is_told(void **state BF_UNUSED)
{
	struct seen seen;

	run_tool(probe, "", 0, &seen);
	assert_string_equal(seen.class, "");
	assert_true(str_starts_with(buf_str(&seen.text), STR("network ")));
	if (memmem(buf_data(&seen.text), buf_len(&seen.text), "system calls active", 19) ==
	    NULL) {
		buf_clear(&seen.text);
		skip();
	}
	buf_clear(&seen.text);
	expect("socket", "crashed", "the sandbox forbids");
	expect("fork", "crashed", "the sandbox forbids");
}

static void
a_bad_end_has_a_class(void **state BF_UNUSED)
{
	expect("crash", "crashed", "Aborted");
	expect("fail", "not-readable", "exit status 1");
	expect("protected", "protected", "forbids copying");
}

static void
text_ends_at_LIMIT_PDF_TEXT_BYTES(void **state BF_UNUSED)
{
	struct seen seen;

	run_tool(probe, "flood", 0, &seen);
	assert_string_equal(seen.class, "too-large");
	assert_in_range(buf_len(&seen.text), LIMIT_PDF_TEXT_BYTES,
	    LIMIT_PDF_TEXT_BYTES + 256 * 1024);
	buf_clear(&seen.text);
}

/* Which is LIMIT_PDF_WALL_MS, but not for a test. */
static void
a_helper_that_hangs_is_killed(void **state BF_UNUSED)
{
	struct seen seen;

	run_tool(probe, "hang", 300, &seen);
	assert_string_equal(seen.class, "timeout");
	buf_clear(&seen.text);
}

static void
a_tool_or_helper_that_is_not_there_is_no_fault_of_the_pdf(void **state BF_UNUSED)
{
	struct seen seen;

	run_tool("/nowhere/pdftotext", "limits", 0, &seen);
	assert_string_equal(seen.class, "no-tool");
	(void)snprintf(helper, sizeof(helper), "/nowhere/pdf-text");
	run_tool(probe, "limits", 0, &seen);
	assert_string_equal(seen.class, "no-tool");
	assert_int_equal(find_programs(NULL), 0);
}

/* Neither its limit of file size nor the seal lets it. */
static void
a_helper_cannot_change_the_document(void **state BF_UNUSED)
{
	struct pdf_run_options options = { .helper = helper, .tool = probe,
	    .pdf_fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING) };
	struct seen seen = { .loop = ev_default_loop(EVFLAG_AUTO) };
	char now[32] = "";

	assert_true(dprintf(options.pdf_fd, "%%PDF-1.4\nchange\n") > 0);
	assert_int_equal(fcntl(options.pdf_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW |
	    F_SEAL_SHRINK | F_SEAL_SEAL), 0);
	(void)pdf_run_start(seen.loop, &options, on_result, &seen);
	ev_run(seen.loop, 0);
	assert_string_equal(seen.class, "crashed");
	assert_true(pread(options.pdf_fd, now, sizeof(now), 0) > 0);
	assert_string_equal(now, "%PDF-1.4\nchange\n");
	buf_clear(&seen.text);
	fd_close(&options.pdf_fd);
}

static void
a_run_that_is_cancelled_calls_back_no_more(void **state BF_UNUSED)
{
	struct pdf_run_options options = { .helper = helper, .tool = probe,
	    .pdf_fd = document("hang") };
	struct seen seen = { .loop = ev_default_loop(EVFLAG_AUTO) }, other;
	struct pdf_run *run = pdf_run_start(seen.loop, &options, on_result, &seen);

	pdf_run_cancel(&run);
	assert_null(run);
	pdf_run_cancel(&run);
	run_tool(probe, "limits", 0, &other);
	assert_string_equal(other.class, "");
	assert_int_equal(seen.dones, 0);
	buf_clear(&other.text);
	fd_close(&options.pdf_fd);
}

static const struct CMUnitTest pdf_run_tests[] = {
	cmocka_unit_test_setup(a_text_comes_whole_from_the_start_of_the_file, find_programs),
	cmocka_unit_test(what_the_sandbox_forbids_is_told),
	cmocka_unit_test(a_bad_end_has_a_class),
	cmocka_unit_test(text_ends_at_LIMIT_PDF_TEXT_BYTES),
	cmocka_unit_test(a_helper_that_hangs_is_killed),
	cmocka_unit_test(a_tool_or_helper_that_is_not_there_is_no_fault_of_the_pdf),
	cmocka_unit_test(a_helper_cannot_change_the_document),
	cmocka_unit_test(a_run_that_is_cancelled_calls_back_no_more),
};

UNIT_MAIN(pdf_run_tests)
