/*
 * schedule_rule.h - when a scheduled operation has its turns.
 *
 * Pure, but for the time zone of the process.  A rule is "every 30 min" (s, min,
 * h, d) or "daily 03:00", local time.
 */
#ifndef BF_SUPERVISOR_SCHEDULE_RULE_H
#define BF_SUPERVISOR_SCHEDULE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

#define SCHEDULE_RULE_SIZE	40

struct schedule_rule {
	uint64_t every_ms;		/* 0: daily */
	unsigned hour, minute;
	char text[SCHEDULE_RULE_SIZE];	/* as a person would write it */
};

/* "30 min": 1 s to 366 d.  "03:00".  ERR_INVALID says what is allowed. */
int schedule_rule_every(struct str value, struct schedule_rule *rule_out,
    struct err *err) BF_MUSTCHECK;
int schedule_rule_daily(struct str value, struct schedule_rule *rule_out,
    struct err *err) BF_MUSTCHECK;

/*
 * The first turn after now_ms.  planned_ms is the turn before it, whose rhythm is
 * kept however late it came (0: there was none).
 */
int64_t schedule_rule_next(const struct schedule_rule *rule, int64_t planned_ms,
    int64_t now_ms);

/* No rule leads from now to a turn so far away: the clock was set back since it was
 * planned. */
bool schedule_rule_is_off(const struct schedule_rule *rule, int64_t planned_ms,
    int64_t now_ms);

#endif
