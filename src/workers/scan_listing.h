/*
 * scan_listing.h - the pages of a server's list of repositories, for a source.
 *
 * One page at a time, tried again when the server asks to wait or fails for a
 * moment; what cannot be had in the end cuts the source.
 */
#ifndef BF_WORKERS_SCAN_LISTING_H
#define BF_WORKERS_SCAN_LISTING_H

#include "workers/scan.h"

struct scan_listing;

/* origin, nsid, collection are copied.  is_trusted as in struct http_get. */
struct scan_listing *scan_listing_new(const struct sync_env *env, const char *origin,
    const char *nsid, struct str collection, bool is_trusted);
void scan_listing_free(struct scan_listing **listing);	/* stops it; NULL is fine */

/* Serves a source's read(). */
void scan_listing_read(struct scan_listing *listing, struct scan_source *source,
    struct bytes cursor);

#endif
