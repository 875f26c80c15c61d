/*
 * vectors.h - the test vectors, which are not part of the source.
 *
 * They are looked for in $BACKFILLD_VECTORS, else beside the source tree.  A test
 * calls vectors_need() first: without vectors it is skipped, and says why.
 */
#ifndef BF_T_UNIT_VECTORS_H
#define BF_T_UNIT_VECTORS_H

#include <stdbool.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/str.h"

void vectors_need(void);

/* A whole file; the path is relative to the vectors.  Fails the test if it is not
 * there.  The caller clears the buffer. */
struct buf vectors_read(const char *path);

json_t *vectors_json(const char *path);		/* the caller drops the reference */

/* Call fn for each value of a file of lines: comments and empty lines left out. */
typedef void vectors_line_fn(struct str line, void *arg);
void vectors_lines(const char *path, vectors_line_fn *fn, void *arg);

/* Call fn with the path, relative to the vectors, of each file of a directory that
 * ends so; in the order of names. */
typedef void vectors_file_fn(const char *path, void *arg);
void vectors_files(const char *dir, const char *ending, vectors_file_fn *fn, void *arg);

/* Text members. */
struct str vectors_member(const json_t *object, const char *name);

/* Decode hexadecimal digits. */
struct buf vectors_hex(struct str hex);

#endif
