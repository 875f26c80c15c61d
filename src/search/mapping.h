/*
 * mapping.h - which member of a record goes into which field of the search index.
 *
 * The setting search_mapping, a list: a collection, then what its records give.
 *
 *	pub.chive.eprint.submission title=title authors=authors.name,authors.orcid
 *	app.bsky.feed.post abstract=text
 *
 * A path is names of members with dots between; an array on the way stands for
 * all its items.  What several paths find is put one after the other.  Process:
 * the full-reindex worker.
 */
#ifndef BF_SEARCH_MAPPING_H
#define BF_SEARCH_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"
#include "search/field.h"

/* What goes where, for one collection. */
struct mapping_path {
	enum search_field field;
	struct str path;		/* "authors.name"; borrowed from the mapping */
};

struct mapping_row {
	struct str collection;
	struct mapping_path *paths;	/* owned */
	size_t paths_count;
};

struct mapping;

/* ERR_INVALID names the item that is wrong; an empty list is wrong as well. */
int mapping_parse(struct str list, struct mapping **mapping_out, struct err *err)
    BF_MUSTCHECK;
void mapping_free(struct mapping **mapping);

size_t mapping_count(const struct mapping *mapping);
const struct mapping_row *mapping_row(const struct mapping *mapping, size_t n);

/* NULL: records of this collection are not searched. */
const struct mapping_row *mapping_find(const struct mapping *mapping,
    struct str collection);

#endif
