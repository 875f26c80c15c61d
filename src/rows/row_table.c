#include "rows/row_table.h"

#include "common/attr.h"
#include "common/settings.h"

static const struct {
	uint8_t number;
	const char *writers;
} tables[] = {
#define X(NAME, number, name, writers) { number, writers },
	ROW_TABLES(X)
#undef X
};

static bool
has_word(const char *list, struct str word)
{
	struct str rest = str_from(list), item;

	while (!str_is_empty(item = settings_next_item(&rest)))
		if (str_eq(item, word))
			return true;
	return false;
}

size_t
row_table_writable(struct str type, bool is_ours, uint8_t numbers_out[LIMIT_ROW_TABLES])
{
	size_t count = 0;

	if (!is_ours)
		for (unsigned number = ROW_OWN_FIRST; number <= LIMIT_ROW_TABLES; number++)
			numbers_out[count++] = (uint8_t)number;
	else
		for (size_t i = 0; i < BF_ARRAY_LEN(tables); i++)
			if (has_word(tables[i].writers, type))
				numbers_out[count++] = tables[i].number;
	return count;
}
