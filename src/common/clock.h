/*
 * clock.h - the time, for those who may not be given it as an argument.
 *
 * Durations and deadlines use the monotonic clock; what is stored or shown uses
 * the wall clock in milliseconds since 1970.  Pure code takes the time as a
 * parameter instead of calling these.
 */
#ifndef BF_COMMON_CLOCK_H
#define BF_COMMON_CLOCK_H

#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
double clock_mono_secs(void);	/* for timers; ev_now() is the wall clock */

#define DATETIME_SIZE	25	/* "2026-11-22T12:00:00.000Z" and a NUL */

/* The lexicon's datetime format, in UTC with milliseconds. */
void datetime_format(int64_t wall_ms, char text_out[DATETIME_SIZE]);

#endif
