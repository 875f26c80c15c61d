/*
 * follow.h - stay with one operation until it ends.
 */
#ifndef BF_CTL_FOLLOW_H
#define BF_CTL_FOLLOW_H

#include "ctl/ctl.h"

enum follow_how {
	FOLLOW_SILENTLY,	/* say nothing unless it does not complete */
	FOLLOW_LIVE,		/* a bar on a terminal, otherwise a line per change */
};

/*
 * The exit status is the outcome.  With --json each change is one line; silently,
 * only the last one is printed.  An interrupt (^C) ends backfillctl, never the
 * operation, and says so.  id is copied.
 */
int follow(struct ctl *ctl, struct str id, enum follow_how how);

#endif
