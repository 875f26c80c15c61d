/*
 * building.h - the name of a search index that is not complete yet.
 *
 * Below state_dir/search: full-reindex makes it (search/index_file.h) and goes on with
 * it in every attempt; the supervisor removes it when the operation has ended and is
 * gone on with no more (supervisor/leftovers.h).
 */
#ifndef BF_COMMON_BUILDING_H
#define BF_COMMON_BUILDING_H

#define BUILDING_PREFIX		"building-"
#define BUILDING_SUFFIX		".db"
#define BUILDING_JOURNAL	"-journal"	/* SQLite's, behind the name */

#endif
