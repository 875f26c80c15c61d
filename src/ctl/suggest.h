/*
 * suggest.h - "did you mean ...?": the nearest of some words to a mistyped one.
 */
#ifndef BF_CTL_SUGGEST_H
#define BF_CTL_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word;	/* borrowed: what was typed */
	const char *best;	/* borrowed: the nearest so far, or NULL */
	size_t best_distance;
};

struct suggest suggest_for(const char *word);
void suggest_offer(struct suggest *suggest, const char *candidate);

/* Letters to add, drop, replace or swap with their neighbour to get from a to b
 * (optimal string alignment); words over 40 letters are as far as can be. */
size_t suggest_distance(const char *a, const char *b);

#endif
