#include "workers/met.h"

#include "workers/item_class.h"

void
met_item(struct met *met, const char *error_class)
{
	met->counts[op_met_parse(str_from(item_class_of(error_class)))]++;
}

void
met_tell(struct met *met, struct channel *to)
{
	for (int i = 0; i < OP_MET_COUNT; i++) {
		if (met->counts[i] == 0)
			continue;
		channel_send(to, &(struct msg){ .type = MSG_TYPE_MET,
		    .met = { .what = str_from(op_met_word((enum op_met)i)),
		    .count = met->counts[i] } });
		met->counts[i] = 0;
	}
}
