#include "ctl/follow.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/bar.h"
#include "ctl/outcome.h"
#include "ctl/text.h"
#include "proto/frame.h"

#define REDRAW_MS	200	/* while nothing comes: the clock and the bar move */
#define LINE_EVERY_MS	1000	/* progress lines when standard output is no terminal */

struct follow {
	struct ctl *ctl;
	enum follow_how how;
	char id[TID_SIZE + 64];
	/* The last state, kept because a message lives until the next one only. */
	struct buf kept;
	struct msg last;
	bool has_last, has_drawn;
	int64_t last_line_ms;
};

/* What the handler writes; set before the handler is. */
static char farewell[256];
static size_t farewell_len;

static void
on_interrupt(int number)
{
	ssize_t ignored = write(STDERR_FILENO, farewell, farewell_len);

	(void)ignored;
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void
prepare_for_interrupt(const char *id)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND };

	farewell_len = (size_t)snprintf(farewell, sizeof(farewell),
	    "\nThe operation goes on. 'backfillctl watch %s' shows it again, "
	    "'backfillctl cancel %s' stops it.\n", id, id);
	if (farewell_len >= sizeof(farewell))
		farewell_len = sizeof(farewell) - 1;
	(void)sigaction(SIGINT, &action, NULL);
}

/* Packing and unpacking again is a deep copy. */
static void
keep(struct follow *f, const struct msg *msg)
{
	struct bytes frame;
	struct err err;

	buf_reset(&f->kept);
	msg_pack(&f->kept, msg);
	frame = buf_bytes(&f->kept);
	frame.ptr += FRAME_HEAD_BYTES;
	frame.len -= FRAME_HEAD_BYTES;
	if (msg_unpack(frame, FROM_SUPERVISOR, &f->last, &err) == -1)
		abort();
	f->has_last = true;
}

static void
draw_bar(struct follow *f)
{
	struct buf line = BUF_INIT;

	/* One write, and the rest of the line is erased last: nothing flickers.
	 * The last column stays free, since filling it wraps on some terminals. */
	buf_add_byte(&line, '\r');
	bar_format(&f->last.op.op, clock_wall_ms(), &f->ctl->term, term_columns() - 1,
	    &line);
	buf_add_str(&line, STR("\033[K"));
	term_write(&line);
	(void)fflush(stdout);
	f->has_drawn = true;
	buf_clear(&line);
}

static void
erase_bar(struct follow *f)
{
	if (f->has_drawn)
		(void)fputs("\r\033[K", stdout);
	f->has_drawn = false;
}

/* A line when the state or the stage is another one, and once a second. */
static void
print_line(struct follow *f, bool is_other)
{
	int64_t now_ms = clock_mono_ms();
	struct buf line = BUF_INIT;

	if (!is_other && now_ms - f->last_line_ms < LINE_EVERY_MS)
		return;
	f->last_line_ms = now_ms;
	bar_format_plain(&f->last.op.op, &line);
	buf_add_byte(&line, '\n');
	term_write(&line);
	(void)fflush(stdout);
	buf_clear(&line);
}

static void
show_change(struct follow *f, bool is_other)
{
	const struct op *op = &f->last.op.op;
	bool has_ended = op_status_is_terminal(op_status(op));

	if (f->ctl->is_json) {
		if (f->how == FOLLOW_LIVE || has_ended) {
			ctl_print_json_op(op);
			(void)fflush(stdout);
		}
	} else if (f->how == FOLLOW_LIVE && !has_ended) {
		if (f->ctl->term.can_redraw)
			draw_bar(f);
		else
			print_line(f, is_other);
	}
}

static void
take(struct follow *f, const struct msg *msg)
{
	bool is_other = !f->has_last || f->last.op.op.status != msg->op.op.status ||
	    !str_eq(f->last.op.op.stage, msg->op.op.stage) ||
	    f->last.op.op.cancel_asked_ms != msg->op.op.cancel_asked_ms;

	keep(f, msg);
	show_change(f, is_other);
}

/* 1: the operation has ended.  -1 with the reason. */
static int
next_change(struct follow *f, struct err *err)
{
	bool is_moving = f->how == FOLLOW_LIVE && f->ctl->term.can_redraw &&
	    !f->ctl->is_json && f->has_last;
	struct msg msg;

	if (ctl_answer(f->ctl, is_moving ? REDRAW_MS : -1, &msg, err) == -1) {
		if (err->code != ERR_TIMEOUT || !is_moving)
			return -1;
		draw_bar(f);
		return 0;
	}
	if (msg.type == MSG_TYPE_END_LIST && f->has_last)
		return 1;
	if (msg.type != MSG_TYPE_OP)
		return ctl_unexpected(&msg, err);
	take(f, &msg);
	return op_status_is_terminal(op_status(&f->last.op.op)) ? 1 : 0;
}

static int
finish(struct follow *f)
{
	enum op_status status = op_status(&f->last.op.op);
	struct buf text = BUF_INIT;

	erase_bar(f);
	outcome_format(&f->last.op.op, &f->ctl->term, &text);
	if (f->how == FOLLOW_LIVE && !f->ctl->is_json) {
		term_write(&text);
	} else if (status != OP_COMPLETED) {
		(void)fflush(stdout);
		(void)fprintf(stderr, "backfillctl: %s: %.*s", f->ctl->command,
		    STR_FMT(buf_str(&text)));
	}
	buf_clear(&text);
	return ctl_outcome(status);
}

int
follow(struct ctl *ctl, struct str id, enum follow_how how)
{
	struct follow f = { .ctl = ctl, .how = how, .kept = BUF_INIT };
	struct msg msg = { .type = MSG_TYPE_WATCH };
	struct err err;
	int rc;

	(void)str_copy(f.id, sizeof(f.id), id);
	msg.watch.id = str_from(f.id);
	rc = ctl_ask(ctl, &msg, &err);
	if (rc == 0)
		prepare_for_interrupt(f.id);
	while (rc == 0)
		rc = next_change(&f, &err);
	if (rc == 1) {
		rc = finish(&f);
	} else {
		if (f.has_drawn)
			(void)fputc('\n', stdout);
		rc = ctl_fail(ctl, &err);
	}
	buf_clear(&f.kept);
	return rc;
}
