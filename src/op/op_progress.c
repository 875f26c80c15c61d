#include "op/op_progress.h"

struct op_progress
op_progress(const struct op *op)
{
	bool is_of_stage = op_status(op) == OP_RUNNING &&
	    (op->stage_done > 0 || op->stage_total > 0);

	return is_of_stage ?
	    (struct op_progress){ op->stage_done, op->stage_total, true } :
	    (struct op_progress){ op->records_processed, op->records_total, false };
}

bool
op_percent(const struct op *op, unsigned *percent_out)
{
	struct op_progress is = op_progress(op);
	unsigned percent;

	if (is.total == 0)
		return false;
	percent = is.done < is.total ?
	    (unsigned)((double)is.done / (double)is.total * 100) : 100;
	/* A double rounds the last records of a very large total away. */
	if (percent == 100 && is.done < is.total)
		percent = 99;
	*percent_out = percent;
	return true;
}

bool
op_eta_secs(const struct op *op, uint64_t *secs_out)
{
	struct op_progress is = op_progress(op);
	uint64_t left, secs;

	if (op_status(op) != OP_RUNNING || is.total == 0 || op->rate_milli == 0)
		return false;
	left = is.done < is.total ? is.total - is.done : 0;
	if (left > UINT64_MAX / 1000 - 1)
		return false;
	secs = left * 1000 / op->rate_milli + (left * 1000 % op->rate_milli != 0);
	if (secs > OP_ETA_MAX_SECS)
		return false;
	*secs_out = secs;
	return true;
}

bool
op_is_being_cancelled(const struct op *op)
{
	return op->cancel_asked_ms != 0 && !op_status_is_terminal(op_status(op));
}

bool
op_is_paused(const struct op *op)
{
	return op->paused_ms != 0 && !op_status_is_terminal(op_status(op));
}

const char *
op_condition(const struct op *op)
{
	if (op_is_being_cancelled(op))
		return "cancelling";
	if (op_is_paused(op))
		return op_status(op) == OP_RUNNING ? "pausing" : "paused";
	return op_status_word(op_status(op));
}
