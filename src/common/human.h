/*
 * human.h - numbers, times and durations as people read them.
 *
 * Pure: the present time is a parameter.  All results are ASCII.
 */
#ifndef BF_COMMON_HUMAN_H
#define BF_COMMON_HUMAN_H

#include <stdbool.h>
#include <stdint.h>

#define HUMAN_SIZE	40	/* room for each of these texts */

/* "850 ms", "12 s", "3 min 05 s", "2 h 05 min", "3 d 04 h" */
void human_duration(int64_t ms, char text_out[HUMAN_SIZE]);

/* For a line that is redrawn: "0:09", "12:34", "1:02:03", "3d 04h" */
void human_clock(uint64_t secs, char text_out[HUMAN_SIZE]);

/* "just now", "12 s ago", "3 d ago": the largest unit alone.  A time that is
 * not past is "just now": clocks differ. */
void human_ago(int64_t then_ms, int64_t now_ms, char text_out[HUMAN_SIZE]);

/* "2026-11-22 12:00:00" in the local time zone */
void human_time(int64_t wall_ms, char text_out[HUMAN_SIZE]);

/* "20,000" */
void human_count(uint64_t number, char text_out[HUMAN_SIZE]);

/* "512 B", "12.3 KiB", "4.0 GiB" */
void human_bytes(uint64_t bytes, char text_out[HUMAN_SIZE]);

/* From records per 1000 s: "1,234/s", "12.3/s"; below one per second "0.05/s" */
void human_rate(uint64_t rate_milli, char text_out[HUMAN_SIZE]);

#endif
