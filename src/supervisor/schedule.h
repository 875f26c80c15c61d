/*
 * schedule.h - operations that are triggered by the clock.
 *
 * The configuration has sections
 *
 *	schedule "nightly scan" { type = "pds-scan" daily = "03:00" }
 *
 * Each turn triggers one operation, by "schedule NAME".  When the next one is due
 * is in the store, and written in the transaction that makes the operation, so
 * that a restart neither loses nor doubles a turn; turns that passed while the
 * daemon was down are made up for by one.  If the operation of an earlier turn has
 * not ended, the turn is skipped, and that is noted in that operation's history,
 * once.
 */
#ifndef BF_SUPERVISOR_SCHEDULE_H
#define BF_SUPERVISOR_SCHEDULE_H

#include "supervisor/control.h"
#include "supervisor/schedule_rule.h"

struct schedule {
	char *name;			/* owned; unique */
	char *type, *did, *pds_url, *uri, *tier;	/* owned; type in kebab spelling */
	uint64_t batch_size;
	struct schedule_rule rule;

	/* while it is in use */
	int64_t planned_ms;		/* the next turn, as the rule has it */
	int64_t next_ms;		/* the same, or another try after a failure */
	int64_t last_ms, skipped_ms;	/* 0: never */
	char last_id[TID_SIZE];
	char noted_id[TID_SIZE];	/* in whose history a skip is noted */
};

struct schedules {
	struct schedule *list;		/* owned */
	size_t count;
};

#define SCHEDULE_NAME_MAX	64	/* "schedule NAME" is in started_by */

void schedules_clear(struct schedules *schedules);

/* Take the configured ones over, in place of those before.  Those that are new, or
 * have another rule, begin now; the others go on. */
void schedule_take(struct supervisor *sup, struct schedules *schedules);

void schedule_init(struct supervisor *sup);

/* The answer to `schedules`. */
void schedule_send_all(struct control_client *client, uint64_t req);

#endif
