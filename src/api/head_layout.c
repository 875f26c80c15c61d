#include "api/head_layout.h"

#include <string.h>

/* Step over a CRLF that became two NULs; blanks before it belong to nobody. */
static void
end_line(struct head_layout *layout, const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	if (at[0] != '\0' || at[1] != '\0')
		layout->is_odd = true;
	layout->next = at + 2;
}

void
head_layout_init(struct head_layout *layout, const char *target,
    size_t target_len, const char *version)
{
	layout->is_odd = target + target_len + 1 != version;
	if (!layout->is_odd)
		end_line(layout, version + strlen(version));
}

void
head_layout_line(struct head_layout *layout, const char *name, const char *value,
    size_t value_len)
{
	if (name != layout->next || value == NULL)
		layout->is_odd = true;
	/* Once odd, the texts may lie anywhere: nothing behind them is looked at. */
	if (!layout->is_odd)
		end_line(layout, value + value_len);
}

void
head_layout_end(struct head_layout *layout)
{
	if (!layout->is_odd)
		end_line(layout, layout->next);
}
