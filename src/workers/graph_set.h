/*
 * graph_set.h - which nodes there are, and which identifiers are taken: a compact
 * set of texts.
 *
 * Only a keyed digest of 8 bytes is kept of each text, so a million of them takes 8
 * to 16 MB.  Two texts have the same digest by a chance of one in 2^64 for each pair;
 * the key is random and the set's own, so nobody can look for such texts.  Process:
 * workers.
 */
#ifndef BF_WORKERS_GRAPH_SET_H
#define BF_WORKERS_GRAPH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

struct sha256;

/* What the text is: the same text of two kinds is two members. */
enum graph_member {
	GRAPH_NODE_URI = 'n',
	GRAPH_NODE_ID = 'i',
	GRAPH_EDGE_ID = 'e',
};

#define GRAPH_SALT_BYTES	16

struct graph_set {
	/* owned */
	uint64_t *slots;	/* 0: free */
	struct sha256 *sha;

	size_t size, count;	/* of slots, a power of two; of members */
	uint8_t salt[GRAPH_SALT_BYTES];
};

void graph_set_init(struct graph_set *set);
void graph_set_clear(struct graph_set *set);	/* free all; also after only zeroes */

/* A text as the set sees it; never 0. */
uint64_t graph_set_digest(struct graph_set *set, enum graph_member kind,
    struct str text);

bool graph_set_has(const struct graph_set *set, uint64_t digest);

/* False if it was there.  The caller bounds how many there are. */
bool graph_set_add(struct graph_set *set, uint64_t digest);

#endif
