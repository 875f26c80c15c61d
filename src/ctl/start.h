/*
 * start.h - what the commands that start an operation share: trigger and retry.
 */
#ifndef BF_CTL_START_H
#define BF_CTL_START_H

#include "ctl/command.h"

/* Rows for the table of such a command's options. */
#define START_OPTIONS							\
	{ "wait", 0, NULL,						\
	    "return when it has ended, with the outcome as exit status" }, \
	{ "watch", 0, NULL, "the same, and show it live" }

/* Send a `trigger`; its answer, `op`, takes its place. */
int start_ask(struct ctl *ctl, struct msg *msg, struct err *err) BF_MUSTCHECK;

/* Print the operation's id and, if the options say so, wait for its end.  Returns
 * the exit status. */
int start_announce(struct ctl *ctl, const struct args *args, const struct op *op);

#endif
