/*
 * progress.h - what workers report, written for all of them at once.
 *
 * What a worker says only changes its struct child; a timer writes what is new of
 * all of them as one group, a few times a second however many there are.  A
 * checkpoint replaces the one before it, so only the latest is written.  What cannot be
 * written, on a full disk, is kept and written later, once.
 */
#ifndef BF_SUPERVISOR_PROGRESS_H
#define BF_SUPERVISOR_PROGRESS_H

#include "supervisor/child.h"

void progress_init(struct supervisor *sup);

/* The child has something new to write. */
void progress_mark(struct child *child);

/* Write a child's last checkpoint and notes now: before its outcome, which carries
 * all else.  -1: not now; they are kept for the next try. */
int progress_write_last(struct child *child, struct err *err) BF_MUSTCHECK;

/* Write all that waits, now. */
int progress_write_now(struct supervisor *sup, struct err *err) BF_MUSTCHECK;

#endif
