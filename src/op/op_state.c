#include "op/op_state.h"

const char *
op_status_word(enum op_status status)
{
	switch (status) {
#define X(name, number, word, terminal) case OP_##name: return word;
	OP_STATUSES(X)
#undef X
	}
	return "?";
}

int
op_status_parse(struct str word, enum op_status *status_out)
{
#define X(name, number, text, terminal)			\
	if (str_eq(word, STR(text))) {			\
		*status_out = OP_##name;		\
		return 0;				\
	}
	OP_STATUSES(X)
#undef X
	return -1;
}

bool
op_status_is_valid(uint64_t number)
{
	return number >= OP_QUEUED && number <= OP_CANCELLED;
}

bool
op_status_is_terminal(enum op_status status)
{
	switch (status) {
#define X(name, number, word, terminal) case OP_##name: return terminal;
	OP_STATUSES(X)
#undef X
	}
	return false;
}

const char *
op_event_word(enum op_event event)
{
	switch (event) {
#define X(name, number, word) case OP_EVENT_##name: return word;
	OP_EVENTS(X)
#undef X
	}
	return "?";
}

/*
 * Every legal transition.  An interrupted operation goes back to the queue and
 * keeps its checkpoint; a queued one can fail when its worker cannot be started
 * at all, and is cancelled without ever starting.
 */
static const struct {
	enum op_status from;
	enum op_event event;
	enum op_status to;
} transitions[] = {
	{ OP_QUEUED,	OP_EVENT_START,		OP_RUNNING },
	{ OP_QUEUED,	OP_EVENT_CANCEL,	OP_CANCELLED },
	{ OP_QUEUED,	OP_EVENT_FAIL,		OP_FAILED },
	{ OP_RUNNING,	OP_EVENT_COMPLETE,	OP_COMPLETED },
	{ OP_RUNNING,	OP_EVENT_FAIL,		OP_FAILED },
	{ OP_RUNNING,	OP_EVENT_CANCEL,	OP_CANCELLED },
	{ OP_RUNNING,	OP_EVENT_INTERRUPT,	OP_QUEUED },
};

int
op_status_next(enum op_status status, enum op_event event,
    enum op_status *next_out)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(transitions); i++) {
		if (transitions[i].from == status && transitions[i].event == event) {
			*next_out = transitions[i].to;
			return 0;
		}
	}
	return -1;
}
