/*
 * notes.h - what a worker says for the history of its operation: log lines and
 * failed items, kept until progress.c writes them with all else.
 */
#ifndef BF_SUPERVISOR_NOTES_H
#define BF_SUPERVISOR_NOTES_H

#include <sys/queue.h>

#include "common/err.h"
#include "store/ops.h"

struct note;
STAILQ_HEAD(notes, note);	/* in the order in which they were said */

void notes_init(struct notes *notes);
void notes_clear(struct notes *notes);

/* Both copy what they are given. */
void notes_add_log(struct notes *notes, int64_t at_ms, struct str text);
void notes_add_item(struct notes *notes, const struct ops_item *item);

/*
 * Write them all, inside the caller's part of a group, which has to be aborted if this
 * fails.  They stay until notes_clear(), which
 * follows once the group is on disk.
 */
int notes_write(const struct notes *notes, struct ops *ops, struct str id,
    struct err *err) BF_MUSTCHECK;

#endif
