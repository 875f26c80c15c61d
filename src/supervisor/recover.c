#include "supervisor/recover.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"

/* What is to be done with the one operation that was found. */
struct found {
	bool any;
	char id[TID_SIZE];
	bool cancel_asked;
	uint64_t crashes;	/* so far, without this one */
};

static bool
take_first(const struct op *op, void *arg)
{
	struct found *found = arg;

	found->any = true;
	(void)str_copy(found->id, sizeof(found->id), op->id);
	found->cancel_asked = op->cancel_asked_ms != 0;
	found->crashes = op->crashes;
	return false;
}

static int
find_running(struct supervisor *sup, struct found *found_out, struct err *err)
{
	struct ops_filter filter = { .status = OP_RUNNING };
	struct ops_read *read;
	int rc;

	found_out->any = false;
	if (ops_read_begin(sup->ops, &read, err) == -1)
		return -1;
	rc = ops_list(read, &filter, take_first, found_out, err);
	ops_read_end(&read);
	return rc;
}

static void
edit_stopped(struct op *op, void *arg)
{
	const char *failure = arg;

	op->crashes++;
	op->worker_pid = 0;
	op->rate_milli = 0;
	op->stage = STR_NONE;
	if (failure != NULL) {
		op->error_class = STR("attempts");
		op->error_text = str_from(failure);
	}
}

static int
settle(struct supervisor *sup, const struct found *found, struct err *err)
{
	enum op_event event = OP_EVENT_INTERRUPT;
	char text[128];
	char *failure = NULL;

	(void)snprintf(text, sizeof(text), "the daemon went away; it goes on from its "
	    "checkpoint");
	if (found->cancel_asked) {
		event = OP_EVENT_CANCEL;
		(void)snprintf(text, sizeof(text), "the daemon went away while cancelling");
	} else if (found->crashes + 1 >= sup->settings.max_attempts) {
		event = OP_EVENT_FAIL;
		(void)snprintf(text, sizeof(text), "the daemon or the indexer went away "
		    "during %llu attempts (setting max_attempts)",
		    (unsigned long long)found->crashes + 1);
		failure = text;
	}
	log_warn("op %s: %s: %s", found->id, op_event_word(event), text);
	return ops_change(sup->ops, str_from(found->id), event, str_from(text),
	    clock_wall_ms(), edit_stopped, failure, NULL, err);
}

int
recover(struct supervisor *sup, struct err *err)
{
	struct found found;

	do {
		if (find_running(sup, &found, err) == -1 ||
		    (found.any && settle(sup, &found, err) == -1))
			return err_wrap(err, "recovery");
	} while (found.any);
	return 0;
}
