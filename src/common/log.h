/*
 * log.h - one line on standard error for each thing an operator should know.
 *
 * A line is "<n>program: text" with the syslog priority in front, which
 * systemd, s6-log and syslog pipes understand; on a terminal it is time and a
 * coloured level instead.  Lines begin with the object they are about:
 * "op 3kabc worker 4711: ...".  Writing never blocks: a line that standard
 * error does not take at once is dropped and counted, and the count is told
 * with the next line that goes through.  Text from a peer is escaped.
 *
 * The level and the name are the only process-wide state of this library; main()
 * sets them once with log_init().
 */
#ifndef BF_COMMON_LOG_H
#define BF_COMMON_LOG_H

#include "common/attr.h"

enum log_level {		/* syslog priorities (RFC 5424, 6.2.1) */
	LOG_LEVEL_ERROR = 3,	/* an operator has to act */
	LOG_LEVEL_WARN = 4,	/* something failed and was dealt with */
	LOG_LEVEL_AUDIT = 5,	/* who did what; written whatever the level */
	LOG_LEVEL_INFO = 6,	/* life-cycle events */
	LOG_LEVEL_DEBUG = 7,
};

/* Name is borrowed for the life of the process. */
void log_init(const char *name, enum log_level level);
void log_set_level(enum log_level level);

void log_error(const char *fmt, ...) BF_PRINTF(1, 2);
void log_warn(const char *fmt, ...) BF_PRINTF(1, 2);
void log_audit(const char *fmt, ...) BF_PRINTF(1, 2);
void log_info(const char *fmt, ...) BF_PRINTF(1, 2);
void log_debug(const char *fmt, ...) BF_PRINTF(1, 2);
void log_at(enum log_level level, const char *fmt, ...) BF_PRINTF(2, 3);

/* "error", "warn", "info", "debug" -> level; -1 on another word. */
int log_level_parse(const char *word, enum log_level *level_out) BF_MUSTCHECK;

#endif
