/*
 * scan_impl.h - the inside of scan.h: scan.c has repositories and records,
 * scan_rows.c rows and answers of one message.
 */
#ifndef BF_INDEXER_SCAN_IMPL_H
#define BF_INDEXER_SCAN_IMPL_H

#include "indexer/scan.h"

/* One step at work. */
struct step {
	struct scan *scan;
	struct records_read *read;
	unsigned rows;		/* left */
	struct str did;		/* of the repository being read */
	struct repo_row repo;	/* found by find_repo() */
	bool has_repo;
};

/* Another row may be sent in this step. */
bool scan_may_go_on(const struct step *step);
void scan_count_row(struct step *step);

/* Each does one step of its kind, as scan_step(). */
int scan_rows(struct step *step, bool *is_done_out, struct err *err) BF_MUSTCHECK;
int scan_row(struct step *step, bool *is_done_out, struct err *err) BF_MUSTCHECK;
int scan_state(struct step *step, bool *is_done_out, struct err *err) BF_MUSTCHECK;
int scan_tally(struct step *step, bool *is_done_out, struct err *err) BF_MUSTCHECK;
int scan_counts(struct step *step, bool *is_done_out, struct err *err) BF_MUSTCHECK;

#endif
