/*
 * row_writer.h - rows and `checked` marks of one worker, written now and then.
 *
 * What operations note beside repositories (identities, hosts, what was found
 * unchanged) comes in small pieces.  They are collected and written together,
 * about every two seconds; nothing waits for a single one.  A note that is lost
 * with the worker is found out again by the next.
 */
#ifndef BF_WORKERS_ROW_WRITER_H
#define BF_WORKERS_ROW_WRITER_H

#include <ev.h>
#include <stdbool.h>

#include "common/str.h"
#include "rows/row_table.h"

struct records_link;
struct row_writer;

/* Everything that was noted before the flush is written, or was refused. */
typedef void row_writer_cb(void *arg);

struct row_writer *row_writer_new(struct ev_loop *loop, struct records_link *link);
void row_writer_free(struct row_writer **writer);	/* what is not sent is lost */

/* Copied. */
void row_writer_put(struct row_writer *writer, enum row_table table, struct bytes key,
    struct bytes value);
void row_writer_checked(struct row_writer *writer, struct str did, int64_t at_ms);

/* Write all now; once at a time.  Never calls back from inside. */
void row_writer_flush(struct row_writer *writer, row_writer_cb *cb, void *arg);

/* The first refusal since the start; empty: none. */
const char *row_writer_error(const struct row_writer *writer);

#endif
