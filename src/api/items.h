/*
 * items.h - the failed items of an operation in its page: by class, then one by one.
 */
#ifndef BF_API_ITEMS_H
#define BF_API_ITEMS_H

#include "common/attr.h"
#include "store/ops.h"

struct page;

int items_write(struct page *page, struct ops_read *read, const struct op *op,
    struct err *err) BF_MUSTCHECK;

#endif
