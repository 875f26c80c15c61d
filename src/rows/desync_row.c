#include "rows/desync_row.h"

#include "common/fields_codec.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct desync_row, kind, member)
static const struct field fields[] = { DESYNC_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { DESYNC_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct desync_row)
};

void
desync_row_encode(struct buf *to, const struct desync_row *row)
{
	fields_encode(to, &layout, row);
}

int
desync_row_decode(struct bytes key, struct bytes value, struct desync_row *row_out)
{
	struct desync_row row;

	if (key.len == 0 || fields_decode(value, &layout, &row) == -1)
		return -1;
	row.did = (struct str){ (const char *)key.ptr, key.len };
	*row_out = row;
	return 0;
}
