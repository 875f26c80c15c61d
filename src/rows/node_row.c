#include "rows/node_row.h"

#include "common/fields_codec.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct node_row, kind, member)
static const struct field fields[] = { NODE_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { NODE_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct node_row)
};

void
node_row_encode(struct buf *to, const struct node_row *row)
{
	fields_encode(to, &layout, row);
}

int
node_row_decode(struct bytes key, struct bytes value, struct node_row *row_out)
{
	struct node_row row;

	if (key.len == 0 || fields_decode(value, &layout, &row) == -1 ||
	    str_is_empty(row.id))
		return -1;
	row.uri = (struct str){ (const char *)key.ptr, key.len };
	*row_out = row;
	return 0;
}
