#include "rows/identity_row.h"

#include "common/fields_codec.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct identity_row, kind, member)
static const struct field fields[] = { IDENTITY_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { IDENTITY_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct identity_row)
};

const char *
identity_status_name(uint64_t status)
{
	switch (status) {
	case IDENTITY_OK:
		return "ok";
	case IDENTITY_TOMBSTONED:
		return "tombstoned";
	case IDENTITY_GONE:
		return "gone";
	}
	return "unknown";
}

void
identity_row_encode(struct buf *to, const struct identity_row *row)
{
	fields_encode(to, &layout, row);
}

int
identity_row_decode(struct bytes key, struct bytes value, struct identity_row *row_out)
{
	struct identity_row row;

	if (key.len == 0 || fields_decode(value, &layout, &row) == -1 ||
	    (row.doc_hash.len != 0 && row.doc_hash.len != IDENTITY_HASH_BYTES))
		return -1;
	row.did = (struct str){ (const char *)key.ptr, key.len };
	*row_out = row;
	return 0;
}
