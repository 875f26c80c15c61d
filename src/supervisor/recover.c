#include "supervisor/recover.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/log.h"
#include "supervisor/leftovers.h"

/* What is to be done with the one operation that was found. */
struct found {
	char id[TID_SIZE];	/* empty: none was */
	bool is_damaged;
	bool cancel_asked;
	uint64_t crashes;	/* so far, without this one */
};

static int
look_at(struct ops_read *read, struct found *found, struct err *err)
{
	struct op op;

	if (ops_first_id(read, OP_RUNNING, found->id, err) == -1)
		return -1;
	if (found->id[0] == '\0')
		return 0;
	if (ops_get(read, str_from(found->id), &op, err) == -1) {
		found->is_damaged = err->code == ERR_CORRUPT || err->code == ERR_NOT_FOUND;
		return found->is_damaged ? 0 : -1;
	}
	found->cancel_asked = op.cancel_asked_ms != 0;
	found->crashes = op.crashes;
	return 0;
}

static int
find_running(struct supervisor *sup, struct found *found_out, struct err *err)
{
	struct ops_read *read;
	int rc;

	*found_out = (struct found){ 0 };
	if (ops_read_begin(sup->ops, &read, err) == -1)
		return -1;
	rc = look_at(read, found_out, err);
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

	if (found->is_damaged)
		return supervisor_mend(sup, found->id) == 0 ? 0 :
		    err_set(err, ERR_CORRUPT, "op %s is damaged", found->id);
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
	if (event != OP_EVENT_INTERRUPT)
		leftovers_remove(sup, found->id);
	return ops_change(sup->ops, str_from(found->id), event, str_from(text),
	    clock_wall_ms(), edit_stopped, failure, NULL, err);
}

int
recover(struct supervisor *sup, struct err *err)
{
	struct found found;

	do {
		if (find_running(sup, &found, err) == -1 ||
		    (found.id[0] != '\0' && settle(sup, &found, err) == -1))
			return err_wrap(err, "recovery");
		if (found.id[0] != '\0')
			crashpoint(CRASHPOINT_RECOVERED_ONE);
	} while (found.id[0] != '\0');
	return 0;
}
