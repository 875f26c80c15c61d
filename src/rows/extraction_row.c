#include "rows/extraction_row.h"

#include "common/fields_codec.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct extraction_row, kind, member)
static const struct field fields[] = { EXTRACTION_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { EXTRACTION_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct extraction_row)
};

#define CID_BYTES	36

void
extraction_row_encode(struct buf *to, const struct extraction_row *row)
{
	fields_encode(to, &layout, row);
}

int
extraction_row_decode(struct bytes key, struct bytes value,
    struct extraction_row *row_out)
{
	struct extraction_row row;

	if (key.len == 0 || fields_decode(value, &layout, &row) == -1 ||
	    row.document.len != CID_BYTES)
		return -1;
	row.eprint_uri = (struct str){ (const char *)key.ptr, key.len };
	*row_out = row;
	return 0;
}
