#include "op/gap.h"

#include <stddef.h>

#include "common/attr.h"

static const struct {
	const char *op_type, *force_word;
} gap_rows[] = {
	[GAP_NONE] = { NULL, NULL },
	[GAP_CATCH_UP] = { "catch-up", "catch_up" },
	[GAP_FULL_SYNC] = { "full-sync", "full_sync" },
};

enum gap
gap_decide(const struct gap_facts *facts)
{
	if (!facts->has_position || facts->index_is_empty)
		return GAP_FULL_SYNC;
	/* Not now - position: a hostile relay's event time may be any number. */
	if (facts->position_ms < facts->now_ms - facts->max_age_ms)
		return GAP_CATCH_UP;
	return GAP_NONE;
}

const char *
gap_op_type(enum gap gap)
{
	return gap_rows[gap].op_type;
}

bool
gap_parse_force(struct str word, enum gap *gap_out)
{
	for (size_t i = GAP_CATCH_UP; i < BF_ARRAY_LEN(gap_rows); i++) {
		if (str_eq(word, str_from(gap_rows[i].force_word))) {
			*gap_out = (enum gap)i;
			return true;
		}
	}
	return false;
}

const char *
gap_force_word(enum gap gap)
{
	return gap_rows[gap].force_word;
}
