/*
 * repo_print.h - what `backfillctl repo` writes: a verdict, a list, an export.
 *
 * All but the verdict goes to standard output record by record, so memory does not
 * grow with the repository.  They return an exit status.
 */
#ifndef BF_CTL_REPO_PRINT_H
#define BF_CTL_REPO_PRINT_H

#include "atproto/fault.h"
#include "ctl/repo_session.h"

void repo_print_invalid(struct repo_session *s, const struct fault *fault);
int repo_print_valid(struct repo_session *s);	/* and each bad record */
int repo_print_list(struct repo_session *s);	/* key, CID and size, tabs between */
int repo_print_export(struct repo_session *s);	/* a line of JSON per record */

/* Write what is held back. */
void repo_print_flush(struct repo_session *s);

#endif
