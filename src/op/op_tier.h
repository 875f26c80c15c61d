/*
 * op_tier.h - tiers of repositories, by how lately they changed.
 *
 * A freshness-scan looks after those that change often more often (the settings
 * freshness_TIER_ms), and can be asked for those of one tier alone.
 */
#ifndef BF_OP_OP_TIER_H
#define BF_OP_OP_TIER_H

#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

#define OP_TIER_HOUR_MS	(60ll * 60 * 1000)

/* X(ENUM, word, it changed less than so many ms ago), in rising order */
#define OP_TIERS(X)							\
	X(URGENT, "urgent", 6 * OP_TIER_HOUR_MS)			\
	X(RECENT, "recent", 24 * OP_TIER_HOUR_MS)			\
	X(NORMAL, "normal", 7 * 24 * OP_TIER_HOUR_MS)			\
	X(BACKGROUND, "background", INT64_MAX)

enum op_tier {
#define X(NAME, word, idle_ms) OP_TIER_##NAME,
	OP_TIERS(X)
#undef X
};

#define OP_TIER_WORDS	"urgent, recent, normal or background"

/* idle_ms: since its last change. */
enum op_tier op_tier_of(int64_t idle_ms);

/* -1: no such word. */
int op_tier_parse(struct str word, enum op_tier *tier_out) BF_MUSTCHECK;

#endif
