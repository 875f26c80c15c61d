/*
 * wire_text.h - text that may have come from a server, made fit for a message.
 *
 * The protocol takes UTF-8 only and its reader ends whoever sends anything else, so
 * what a server made us say must not get there as it is: each byte that is not of a
 * valid sequence becomes '?', and what is over LIMIT_OP_TEXT_BYTES is cut.
 */
#ifndef BF_WORKERS_WIRE_TEXT_H
#define BF_WORKERS_WIRE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include "common/limits.h"
#include "common/str.h"

/* The result is in `to`. */
struct str wire_text(const char *text, size_t len, char to[LIMIT_OP_TEXT_BYTES]);

/* The same of what vprintf(3) makes. */
struct str wire_text_format(char to[LIMIT_OP_TEXT_BYTES], const char *fmt, va_list ap);

#endif
