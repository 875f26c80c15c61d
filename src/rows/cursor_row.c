#include "rows/cursor_row.h"

#include "common/fields_codec.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct cursor_row, kind, member)
static const struct field fields[] = { CURSOR_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { CURSOR_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct cursor_row)
};

void
cursor_row_relay_key(struct buf *to, struct str relay_url)
{
	while (relay_url.len > 0 && relay_url.ptr[relay_url.len - 1] == '/')
		relay_url.len--;
	buf_add_str(to, STR("relay "));
	buf_add_str(to, relay_url);
}

void
cursor_row_encode(struct buf *to, const struct cursor_row *row)
{
	fields_encode(to, &layout, row);
}

int
cursor_row_decode(struct bytes key, struct bytes value, struct cursor_row *row_out)
{
	struct cursor_row row;

	if (key.len == 0 || fields_decode(value, &layout, &row) == -1)
		return -1;
	row.service = (struct str){ (const char *)key.ptr, key.len };
	*row_out = row;
	return 0;
}
