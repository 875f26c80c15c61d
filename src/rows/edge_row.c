#include "rows/edge_row.h"

#include "common/fields_codec.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct edge_row, kind, member)
static const struct field fields[] = { EDGE_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { EDGE_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct edge_row)
};

const char *
edge_absent_name(uint64_t absent)
{
	switch (absent) {
	case EDGE_LACKS_SOURCE:
		return "source";
	case EDGE_LACKS_TARGET:
		return "target";
	case EDGE_LACKS_SOURCE | EDGE_LACKS_TARGET:
		return "both";
	}
	return "none";
}

void
edge_row_encode(struct buf *to, const struct edge_row *row)
{
	fields_encode(to, &layout, row);
}

int
edge_row_decode(struct bytes key, struct bytes value, struct edge_row *row_out)
{
	struct edge_row row;

	if (key.len == 0 || fields_decode(value, &layout, &row) == -1 ||
	    str_is_empty(row.source_uri) || str_is_empty(row.target_uri))
		return -1;
	row.uri = (struct str){ (const char *)key.ptr, key.len };
	*row_out = row;
	return 0;
}
