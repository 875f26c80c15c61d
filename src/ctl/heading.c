#include "ctl/heading.h"

#include <inttypes.h>

#include "ctl/text.h"

void
heading_format_subject(const struct op *op, struct buf *to)
{
	buf_add_str(to, op->did);
	buf_add_str(to, op->pds_url);
	buf_add_str(to, op->uri);
	buf_add_str(to, op->tier);
	if (op->batch_size != 0)
		buf_printf(to, "batches of %" PRIu64, op->batch_size);
}

void
heading_format(const struct op *op, const struct term *term, struct buf *to)
{
	struct buf subject = BUF_INIT;

	term_colour_on(term, TERM_BOLD, to);
	(void)text_add(to, op->type, TEXT_UNCUT, term->is_utf8);
	term_colour_off(term, TERM_BOLD, to);
	buf_printf(to, "  %.*s", STR_FMT(op->id));
	heading_format_subject(op, &subject);
	if (buf_len(&subject) > 0) {
		buf_add_str(to, STR("  "));
		(void)text_add(to, buf_str(&subject), TEXT_UNCUT, term->is_utf8);
	}
	buf_clear(&subject);
}

int
heading_print(struct ctl *ctl, struct str id, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_GET, .get = { .id = id } };
	struct buf line = BUF_INIT;

	if (ctl_ask(ctl, &msg, err) == -1 || ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS,
	    MSG_TYPE_OP, &msg, err) == -1)
		return -1;
	heading_format(&msg.op.op, &ctl->term, &line);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
	return 0;
}
