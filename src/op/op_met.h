/*
 * op_met.h - what an operation met on its way and lives with: answers 429, and items
 * that could not be done, by the class of their failure.
 *
 * A worker says how often (proto: met), the record keeps the sum of all attempts, and
 * /metrics counts by it.  An item that fails in two attempts was met twice, though it is
 * one failed item.  The words are a bounded set, since each becomes a label: whatever
 * else a worker says is "other".
 */
#ifndef BF_OP_OP_MET_H
#define BF_OP_OP_MET_H

#include <stdint.h>

#include "common/str.h"

/*
 * X(F, number of its field in OP_FIELDS, ENUM, member, word).  Words of failed items are
 * those of workers/item_class.h and, for PDFs, workers/pdf_run.h.  New ones go to the end.
 */
#define OP_MET(X, F)							\
	X(F, 40, ANSWERS_429, answers_429, "429")			\
	X(F, 41, OTHER, other, "other")					\
	X(F, 42, RATE_LIMITED, rate_limited, "rate-limited")		\
	X(F, 43, UNREACHABLE, unreachable, "unreachable")		\
	X(F, 44, TIMEOUT, timeout, "timeout")				\
	X(F, 45, INVALID, invalid, "invalid")				\
	X(F, 46, TOO_LARGE, too_large, "too-large")			\
	X(F, 47, GONE, gone, "gone")					\
	X(F, 48, DEACTIVATED, deactivated, "deactivated")		\
	X(F, 49, BLOCKED, blocked, "blocked")				\
	X(F, 50, REFUSED, refused, "refused")				\
	X(F, 51, BUSY, busy, "busy")					\
	X(F, 52, NO_SERVER, no_server, "no-server")			\
	X(F, 53, INDEX, index, "index")					\
	X(F, 54, UNREADABLE, unreadable, "unreadable")			\
	X(F, 55, NOT_READABLE, not_readable, "not-readable")		\
	X(F, 56, PROTECTED, protected, "protected")			\
	X(F, 57, NO_TOOL, no_tool, "no-tool")				\
	X(F, 58, CRASHED, crashed, "crashed")

/* As rows F(number, KIND, member) of a list of fields. */
#define OP_MET_FIELD(F, number, NAME, member, word) F(number, U64, met_##member)

enum op_met {
#define X(F, number, NAME, member, word) OP_MET_##NAME,
	OP_MET(X, )
#undef X
	OP_MET_COUNT
};

struct op;

const char *op_met_word(enum op_met what);

/* OP_MET_OTHER for a word that has no row. */
enum op_met op_met_parse(struct str word);

/* All that an operation has met, by enum op_met. */
void op_met_get(const struct op *op, uint64_t met_out[OP_MET_COUNT]);
void op_met_set(struct op *op, const uint64_t met[OP_MET_COUNT]);

#endif
