/*
 * ctl.h - what every command of backfillctl is given, and how it ends.
 *
 * backfillctl is for people at a terminal and for scripts: with --json it
 * prints one JSON document, or one per line where there may be many.  Anything
 * else goes to standard error.  A command returns its exit status; when it is
 * not EXIT_OK, the reason has been printed by ctl_fail().
 */
#ifndef BF_CTL_CTL_H
#define BF_CTL_CTL_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/exitcode.h"
#include "ctl/args.h"
#include "ctl/term.h"
#include "proto/client.h"

#define CTL_DEFAULT_SOCKET	BF_RUNSTATEDIR "/backfilld/control.sock"

/* How long the daemon may take for an answer that needs no waiting. */
#define CTL_ANSWER_TIMEOUT_MS	30000

struct ctl {
	const char *command;		/* its name, for messages */
	const char *socket_path;
	bool is_json;
	struct term term;
	bool is_connected;
	struct client client;		/* while connected */
	uint64_t last_req;
};

/* Print "backfillctl: COMMAND: text" and what to do next, and return the exit
 * status that belongs to the error. */
int ctl_fail(const struct ctl *ctl, const struct err *err);

/* A command line that is wrong: EXIT_USAGE. */
int ctl_usage(const struct ctl *ctl, const char *fmt, ...) BF_PRINTF(2, 3);

/* The outcome of an operation as an exit status. */
int ctl_outcome(enum op_status status);

/*
 * Ask the daemon: connects at the first question and numbers it.  The request
 * number is the first member of every message from a client.
 */
int ctl_ask(struct ctl *ctl, struct msg *question, struct err *err) BF_MUSTCHECK;

/*
 * The next message that answers.  An `error` message becomes an err: its XRPC
 * name decides the code.  Text is valid until the next call.
 */
int ctl_answer(struct ctl *ctl, int timeout_ms, struct msg *answer_out,
    struct err *err) BF_MUSTCHECK;

/* ctl_answer() for the one type that is expected. */
int ctl_answer_with(struct ctl *ctl, int timeout_ms, enum msg_type type,
    struct msg *answer_out, struct err *err) BF_MUSTCHECK;

/* A message of another type than the question allows. */
int ctl_unexpected(const struct msg *msg, struct err *err);

/* Open a record channel through the daemon, ready for questions to the index. */
int ctl_open_records(struct ctl *ctl, struct client *records_out, struct err *err)
    BF_MUSTCHECK;

/* Operations are shown in the daemon's and the lexicon's record spelling. */
void ctl_print_json_op(const struct op *op);

#endif
