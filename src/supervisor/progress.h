/*
 * progress.h - what workers report, written for all of them at once.
 *
 * Reports only change struct child; a timer writes those that have changed in one
 * transaction, a few times a second however many workers there are.  A checkpoint
 * replaces the one before it, so only the latest is written, in one of its own.
 */
#ifndef BF_SUPERVISOR_PROGRESS_H
#define BF_SUPERVISOR_PROGRESS_H

#include "supervisor/child.h"

void progress_init(struct supervisor *sup);

/* The child has something new to write. */
void progress_mark(struct child *child);

/* Write a child's last checkpoint now: before its outcome, which carries all else. */
void progress_write_checkpoint(struct child *child);

#endif
