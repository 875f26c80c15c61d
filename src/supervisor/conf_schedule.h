/*
 * conf_schedule.h - the `schedule` sections of the configuration file.
 *
 * Part of conffile.c, which owns the parser and the report of errors.
 */
#ifndef BF_SUPERVISOR_CONF_SCHEDULE_H
#define BF_SUPERVISOR_CONF_SCHEDULE_H

#include <confuse.h>

#include "supervisor/schedule.h"

/* The grammar of one section; ends with CFG_END. */
extern cfg_opt_t conf_schedule_options[];

/* Read one section that has been parsed, and put it behind the others.
 * ERR_INVALID says what is wrong with it. */
int conf_schedule_take(cfg_t *section, struct schedules *schedules, struct err *err)
    BF_MUSTCHECK;

#endif
