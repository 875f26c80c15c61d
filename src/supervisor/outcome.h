/*
 * outcome.h - what a worker's end means for its operation.
 *
 * A pure function of what the worker said, what was asked of it and how the
 * process ended.  Called by child_end.c once for each worker; nothing else decides
 * between completed, failed, cancelled and interrupted.
 */
#ifndef BF_SUPERVISOR_OUTCOME_H
#define BF_SUPERVISOR_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "op/op_state.h"

/* Of STOP_ASSIGN: another attempt may read it, or none ever will. */
#define CLASS_STORE	"store"
#define CLASS_DAMAGED	"damaged"

#define OUTCOME_CLASS_SIZE	48
#define OUTCOME_TEXT_SIZE	1024

/* Why the supervisor wants a worker gone; the first reason is kept. */
enum stop_reason {
	STOP_NONE,
	STOP_CANCEL,		/* somebody asked */
	STOP_SHUTDOWN,		/* the daemon stops; the operation goes on later */
	STOP_HELLO_TIMEOUT,	/* it never said hello */
	STOP_PROTOCOL,		/* it broke the protocol; fail_text says how */
	STOP_STORE,		/* its start could not be written */
	STOP_SILENT,		/* it closed its channel and did not end */
	STOP_TIMEOUT,		/* it is over the time of its type */
	STOP_HUNG,		/* it does not answer pings */
	STOP_ASSIGN,		/* what it is to do could not be read; fail_text says why */
};

/* What is known of a worker that has ended. */
struct worker_end {
	enum stop_reason stop_reason;
	bool said_done;
	bool said_fail;
	bool said_paused;		/* as we had asked it to */
	char fail_class[OUTCOME_CLASS_SIZE];	/* of `fail`, or of STOP_ASSIGN */
	char fail_text[OUTCOME_TEXT_SIZE];
	bool was_killed;		/* we had to send SIGKILL */
	bool has_checkpoint;		/* of this attempt or one before */
	bool is_last_try;		/* one crash more is the end (max_attempts) */
	bool ran_out;			/* its cgroup was killed for want of memory */
	uint64_t time_limit_ms;		/* of STOP_TIMEOUT */
	int wait_status;		/* wait(2) */
};

struct outcome {
	enum op_event event;		/* complete, fail, cancel or interrupt */
	bool by_hand;			/* a cancel that came from kill(1) */
	bool is_crash;			/* an interrupt that counts for max_attempts */
	char class[OUTCOME_CLASS_SIZE];	/* of a failure */
	char text[OUTCOME_TEXT_SIZE];	/* a sentence; empty for a plain success */
};

struct outcome outcome_of(const struct worker_end *end);

/* "exited with status 3", "was killed by signal 11 (Segmentation fault)". */
void outcome_describe_exit(int wait_status, char *text_out, size_t size);

#endif
