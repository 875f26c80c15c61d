#include "rows/citation_row.h"

#include "common/fields_codec.h"
#include "common/number.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct citation_row, kind, member)
static const struct field fields[] = { CITATION_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { CITATION_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct citation_row)
};

#define PLACE_BYTES	4

const char *
citation_source_name(uint64_t source)
{
	switch (source) {
	case CITATION_FROM_PDF:
		return "pdf";
	case CITATION_FROM_GROBID:
		return "grobid";
	case CITATION_FROM_SEMANTIC_SCHOLAR:
		return "semantic-scholar";
	}
	return "unknown";
}

const char *
citation_method_name(uint64_t method)
{
	switch (method) {
	case CITATION_BY_DOI:
		return "doi";
	case CITATION_BY_TITLE:
		return "title";
	}
	return "";
}

unsigned
citation_confidence_percent(uint64_t method)
{
	switch (method) {
	case CITATION_BY_DOI:
		return 100;
	case CITATION_BY_TITLE:
		return 80;
	}
	return 0;
}

void
citation_row_prefix(struct buf *to, struct str eprint_uri)
{
	buf_add_str(to, eprint_uri);
	buf_add_byte(to, '\0');
}

void
citation_row_key(struct buf *to, struct str eprint_uri, uint32_t place)
{
	uint32_t big_endian = htobe32(place);

	citation_row_prefix(to, eprint_uri);
	buf_add(to, &big_endian, PLACE_BYTES);
}

void
citation_row_encode(struct buf *to, const struct citation_row *row)
{
	fields_encode(to, &layout, row);
}

int
citation_row_decode(struct bytes key, struct bytes value, struct citation_row *row_out)
{
	struct citation_row row;
	uint32_t big_endian;
	size_t uri;

	if (key.len < PLACE_BYTES + 2)
		return -1;
	uri = key.len - PLACE_BYTES - 1;
	if (key.ptr[uri] != '\0' || memchr(key.ptr, '\0', uri) != NULL ||
	    fields_decode(value, &layout, &row) == -1)
		return -1;
	memcpy(&big_endian, key.ptr + uri + 1, PLACE_BYTES);
	row.eprint_uri = (struct str){ (const char *)key.ptr, uri };
	row.place = be32toh(big_endian);
	*row_out = row;
	return 0;
}
