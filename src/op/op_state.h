/*
 * op_state.h - the life of an operation (docs/lifecycle.md).
 *
 *	          start              complete, fail, cancel
 *	queued ----------> running --------------------------> completed
 *	   |  ^               |                                failed
 *	   |  '---------------'                                cancelled
 *	   |      interrupt                                        ^
 *	   '--------------------------------------------------------'
 *	          cancel, fail
 *
 * A terminal state never changes again.  The store asks op_status_next() in the
 * transaction that writes the new state; nothing else decides what may follow
 * what.
 */
#ifndef BF_OP_OP_STATE_H
#define BF_OP_OP_STATE_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/str.h"

/* X(ENUM, number on disk and wire, the lexicon's word, is terminal) */
#define OP_STATUSES(X)				\
	X(QUEUED,	1, "queued",	false)	\
	X(RUNNING,	2, "running",	false)	\
	X(COMPLETED,	3, "completed",	true)	\
	X(FAILED,	4, "failed",	true)	\
	X(CANCELLED,	5, "cancelled",	true)

/* X(ENUM, number on disk, word in the event history) */
#define OP_EVENTS(X)					\
	X(TRIGGER,	1, "triggered")			\
	X(START,	2, "started")			\
	X(COMPLETE,	3, "completed")			\
	X(FAIL,		4, "failed")			\
	X(CANCEL,	5, "cancelled")			\
	X(INTERRUPT,	6, "interrupted")		\
	/* these change no state */			\
	X(CANCEL_ASKED,	7, "cancel-asked")		\
	X(KILL,		8, "killed")			\
	X(LOG,		9, "log")				\
	X(PAUSE,	10, "paused")	/* wanted; while it runs, it takes effect later */ \
	X(RESUME,	11, "resumed")

enum op_status {
#define X(name, number, word, terminal) OP_##name = number,
	OP_STATUSES(X)
#undef X
};

enum op_event {
#define X(name, number, word) OP_EVENT_##name = number,
	OP_EVENTS(X)
#undef X
};

#define OP_STATUS_COUNT	5

const char *op_status_word(enum op_status status);
int op_status_parse(struct str word, enum op_status *status_out) BF_MUSTCHECK;
bool op_status_is_valid(uint64_t number);
bool op_status_is_terminal(enum op_status status);

const char *op_event_word(enum op_event event);

/* The state that follows, or -1 if the event is not allowed in this state. */
int op_status_next(enum op_status status, enum op_event event,
    enum op_status *next_out) BF_MUSTCHECK;

#endif
