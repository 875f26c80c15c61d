#include "op/op_tier.h"

static const struct {
	const char *word;
	int64_t idle_ms;
} tiers[] = {
#define X(NAME, word, idle_ms) { word, idle_ms },
	OP_TIERS(X)
#undef X
};

enum op_tier
op_tier_of(int64_t idle_ms)
{
	enum op_tier tier = OP_TIER_URGENT;

	while (tier < OP_TIER_BACKGROUND && idle_ms >= tiers[tier].idle_ms)
		tier++;
	return tier;
}

int
op_tier_parse(struct str word, enum op_tier *tier_out)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(tiers); i++) {
		if (str_eq(word, str_from(tiers[i].word))) {
			*tier_out = (enum op_tier)i;
			return 0;
		}
	}
	return -1;
}
