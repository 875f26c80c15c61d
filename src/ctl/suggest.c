#include "ctl/suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX	40

struct suggest
suggest_for(const char *word)
{
	return (struct suggest){ word, NULL, SIZE_MAX };
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
suggest_distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= a_len; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t replace = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			d[i][j] = least(replace, 1 + least(d[i - 1][j], d[i][j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_len][b_len];
}

void
suggest_offer(struct suggest *suggest, const char *candidate)
{
	size_t typed = strlen(suggest->word);
	size_t distance = suggest_distance(suggest->word, candidate);

	/* An unfinished word is the likeliest slip. */
	if (typed >= 2 && strncmp(suggest->word, candidate, typed) == 0)
		distance = 0;
	if (distance < suggest->best_distance && distance <= 1 + typed / 4) {
		suggest->best = candidate;
		suggest->best_distance = distance;
	}
}
