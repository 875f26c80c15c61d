#include "op/op_met.h"

#include "common/attr.h"
#include "op/op.h"

static const struct {
	const char *word;
	size_t offset;			/* in struct op */
} rows[OP_MET_COUNT] = {
#define X(F, number, NAME, member, word) \
	[OP_MET_##NAME] = { word, offsetof(struct op, met_##member) },
	OP_MET(X, )
#undef X
};

const char *
op_met_word(enum op_met what)
{
	return rows[what].word;
}

enum op_met
op_met_parse(struct str word)
{
	for (int i = 0; i < OP_MET_COUNT; i++)
		if (str_eq(word, str_from(rows[i].word)))
			return (enum op_met)i;
	return OP_MET_OTHER;
}

void
op_met_get(const struct op *op, uint64_t met_out[OP_MET_COUNT])
{
	for (int i = 0; i < OP_MET_COUNT; i++)
		met_out[i] = *(const uint64_t *)(const void *)((const char *)op +
		    rows[i].offset);
}

void
op_met_set(struct op *op, const uint64_t met[OP_MET_COUNT])
{
	for (int i = 0; i < OP_MET_COUNT; i++)
		*(uint64_t *)(void *)((char *)op + rows[i].offset) = met[i];
}
