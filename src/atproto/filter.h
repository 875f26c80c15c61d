/*
 * filter.h - which collections of a repository are wanted, as ranges of keys.
 *
 * Keys are "COLLECTION/RKEY" in bytewise order, so a pattern is one range of
 * keys; a walk uses that to leave out whole subtrees.
 */
#ifndef BF_ATPROTO_FILTER_H
#define BF_ATPROTO_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attr.h"
#include "common/str.h"

struct filter;

/* Nothing is wanted until a pattern is added.  A NULL filter wants everything. */
struct filter *filter_new(void);
void filter_free(struct filter **filter);

/* Add a pattern of nsid.h, which is copied.  -1 if it is not one. */
int filter_add(struct filter *filter, struct str pattern) BF_MUSTCHECK;

bool filter_wants(const struct filter *filter, struct str collection);
bool filter_wants_path(const struct filter *filter, struct str path);

/*
 * May a key strictly between two others be wanted?  after is empty for "from the
 * first key on"; before is empty for "to the last".
 */
bool filter_wants_between(const struct filter *filter, struct str after,
    struct str before);

#endif
