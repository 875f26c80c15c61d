/*
 * mem.h - allocation that does not fail.
 *
 * Running out of memory aborts, in every process: an operation's state is in
 * the store, so the restart that follows is safe and an error path for every
 * allocation would be code that never runs.  Sizes that come from a peer are
 * checked against limits.h before they get here.
 */
#ifndef BF_COMMON_MEM_H
#define BF_COMMON_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);	/* zeroed */
void *xrealloc(void *ptr, size_t size);
void *xmemdup(const void *from, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);	/* adds the final NUL */

#endif
