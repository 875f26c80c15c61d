/*
 * notes.h - what a worker says for the history of its operation: log lines, failed
 * items and which of them work after all, kept until progress.c writes them with all
 * else.
 */
#ifndef BF_SUPERVISOR_NOTES_H
#define BF_SUPERVISOR_NOTES_H

#include <sys/queue.h>

#include "common/err.h"
#include "store/ops.h"

struct note;
struct notes {
	STAILQ_HEAD(, note) list;	/* in the order in which they were said; owned */
	struct note *last;		/* NULL: there is none */
	struct note *mark;		/* the last one before a checkpoint; NULL: none is */
};

void notes_init(struct notes *notes);
void notes_clear(struct notes *notes);

bool notes_are_empty(const struct notes *notes);

/* These copy what they are given. */
void notes_add_log(struct notes *notes, int64_t at_ms, struct str text);
void notes_add_item(struct notes *notes, const struct ops_item *item);
void notes_add_works(struct notes *notes, int64_t at_ms, struct str item);

/* A checkpoint came: what was said up to now was said before it. */
void notes_mark(struct notes *notes);

/*
 * Write those before the mark, or those behind it, inside the caller's part of a group,
 * which has to be aborted if this fails.  They stay until notes_clear(), which follows
 * once the group is on disk.
 */
enum notes_part { NOTES_BEFORE_MARK, NOTES_BEHIND_MARK };
int notes_write(const struct notes *notes, enum notes_part part, struct ops *ops,
    struct str id, struct err *err) BF_MUSTCHECK;

#endif
