/*
 * assets.h - the dashboard's files, in the binary; src/api/dashboard/embed makes them.
 */
#ifndef BF_API_ASSETS_H
#define BF_API_ASSETS_H

#include "common/str.h"

struct asset {
	const char *name;
	const char *content_type;
	struct bytes text;
};

extern const struct asset assets[];
extern const size_t assets_count;

#endif
