/*
 * html.h - writing HTML: what is ours as it is, everything else through one function.
 */
#ifndef BF_API_HTML_H
#define BF_API_HTML_H

#include <stdint.h>

#include "common/buf.h"
#include "common/str.h"

/* Markup, as it is. */
#define html(to, markup)	buf_add_str(to, STR(markup))

/* Any text, escaped: right between tags and in a quoted attribute's value, and nowhere
 * else.  Bytes that are not UTF-8, and control characters, become U+FFFD. */
void html_text(struct buf *to, struct str text);

/* A number as people read it: "20,000". */
void html_count(struct buf *to, uint64_t number);

/* How many failed: one that is not 0 stands out. */
void html_failed(struct buf *to, uint64_t number);

/* The moment as <time>: how long ago it was, with the exact time as its title; the
 * script keeps it true. */
void html_ago(struct buf *to, int64_t then_ms, int64_t now_ms);

/* A name or a value in a query, percent-encoded. */
void html_query(struct buf *to, struct str text);

#endif
