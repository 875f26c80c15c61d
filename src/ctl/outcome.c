#include "ctl/outcome.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "common/human.h"
#include "ctl/text.h"

int64_t
outcome_took_ms(const struct op *op)
{
	uint64_t since_ms = op->started_ms != 0 ? op->started_ms : op->created_ms;

	return op->completed_ms > since_ms ? (int64_t)(op->completed_ms - since_ms) : 0;
}

void
outcome_format_changes(const struct op *op, struct buf *to)
{
	char created[HUMAN_SIZE], updated[HUMAN_SIZE], deleted[HUMAN_SIZE];

	human_count(op->records_created, created);
	human_count(op->records_updated, updated);
	human_count(op->records_deleted, deleted);
	buf_printf(to, "%s created, %s updated, %s deleted", created, updated, deleted);
}

void
outcome_format_exit(const struct op *op, struct buf *to)
{
	int status = (int)(op->exit_status - 1);
	const char *word;

	if (!WIFSIGNALED(status)) {
		buf_printf(to, "exit status %d", WEXITSTATUS(status));
		return;
	}
	word = sigabbrev_np(WTERMSIG(status));
	if (word != NULL)
		buf_printf(to, "killed by SIG%s", word);
	else
		buf_printf(to, "killed by signal %d", WTERMSIG(status));
	if (op->was_killed)
		buf_add_str(to, STR(", which the daemon sent after the grace period"));
}

static bool
did_nothing(const struct op *op)
{
	return op->records_processed == 0 && op->records_created == 0 &&
	    op->records_updated == 0 && op->records_deleted == 0;
}

static void
add_completed(const struct op *op, struct buf *to)
{
	int64_t took_ms = outcome_took_ms(op);
	char count[HUMAN_SIZE], took[HUMAN_SIZE], rate[HUMAN_SIZE];

	human_count(op->records_processed, count);
	human_duration(took_ms, took);
	if (did_nothing(op)) {
		buf_printf(to, " in %s: there was nothing to change", took);
		return;
	}
	buf_printf(to, ": %s records in %s", count, took);
	if (took_ms > 0 && op->records_processed < UINT64_MAX / 1000000) {
		human_rate(op->records_processed * 1000000 / (uint64_t)took_ms, rate);
		buf_printf(to, " (%s)", rate);
	}
	buf_add_str(to, STR("; "));
	outcome_format_changes(op, to);
}

static void
add_failed(const struct op *op, const struct term *term, struct buf *to)
{
	char took[HUMAN_SIZE];

	human_duration(outcome_took_ms(op), took);
	buf_printf(to, " after %s: ", took);
	if (!str_is_empty(op->error_class)) {
		(void)text_add(to, op->error_class, TEXT_UNCUT, term->is_utf8);
		buf_add_str(to, STR(": "));
	}
	(void)text_add(to, str_is_empty(op->error_text) ? STR("no reason is known") :
	    op->error_text, TEXT_UNCUT, term->is_utf8);
}

static void
add_cancelled(const struct op *op, const struct term *term, struct buf *to)
{
	char took[HUMAN_SIZE];

	human_duration(outcome_took_ms(op), took);
	buf_printf(to, " after %s", took);
	if (!str_is_empty(op->cancelled_by)) {
		buf_add_str(to, STR(" by "));
		(void)text_add(to, op->cancelled_by, TEXT_UNCUT, term->is_utf8);
	}
	if (!str_is_empty(op->cancel_reason)) {
		buf_add_str(to, STR(": "));
		(void)text_add(to, op->cancel_reason, TEXT_UNCUT, term->is_utf8);
	}
	if (op->was_killed)
		buf_add_str(to, STR(" (it did not stop by itself and was killed)"));
}

static void
add_failed_items(const struct op *op, struct buf *to)
{
	char count[HUMAN_SIZE];

	if (op->items_failed == 0)
		return;
	human_count(op->items_failed, count);
	buf_printf(to, "%s %s could not be done: 'backfillctl show %.*s --items' "
	    "lists them\n", count, op->items_failed == 1 ? "item" : "items",
	    STR_FMT(op->id));
}

void
outcome_format(const struct op *op, const struct term *term, struct buf *to)
{
	enum op_status status = op_status(op);
	enum term_colour colour = term_status_colour(status);

	term_colour_on(term, colour, to);
	buf_add_str(to, str_from(op_status_word(status)));
	term_colour_off(term, colour, to);
	switch (status) {
	case OP_COMPLETED:
		add_completed(op, to);
		break;
	case OP_FAILED:
		add_failed(op, term, to);
		break;
	case OP_CANCELLED:
		add_cancelled(op, term, to);
		break;
	case OP_QUEUED:
	case OP_RUNNING:
		break;
	}
	buf_add_byte(to, '\n');
	add_failed_items(op, to);
}
