#include "common/fields_codec.h"

#include <assert.h>

#include "common/number.h"

#define HEAD_BYTES	3

static void
encode_field(struct buf *to, uint8_t number, const void *content, size_t len)
{
	uint8_t head[HEAD_BYTES] = { number };

	assert(len <= UINT16_MAX);
	if (len == 0)
		return;
	u16_encode(head + 1, (uint16_t)len);
	buf_add(to, head, sizeof(head));
	buf_add(to, content, len);
}

static void
encode_u64(struct buf *to, uint8_t number, uint64_t value)
{
	uint8_t wide[sizeof(value)];
	size_t zeros = 0;

	u64_encode(wide, value);
	while (zeros < sizeof(wide) && wide[zeros] == 0)
		zeros++;
	encode_field(to, number, wide + zeros, sizeof(wide) - zeros);
}

void
fields_encode(struct buf *to, const struct fields_layout *layout, const void *record)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		uint8_t number = layout->numbers[i];
		const struct str *text;
		const struct bytes *bytes;

		switch (field->kind) {
		case FIELD_U64:
			encode_u64(to, number, *FIELD_AT_CONST(uint64_t, record, field));
			break;
		case FIELD_BOOL:
			encode_u64(to, number, *FIELD_AT_CONST(bool, record, field));
			break;
		case FIELD_TEXT:
			text = FIELD_AT_CONST(struct str, record, field);
			encode_field(to, number, text->ptr, text->len);
			break;
		case FIELD_BYTES:
			bytes = FIELD_AT_CONST(struct bytes, record, field);
			encode_field(to, number, bytes->ptr, bytes->len);
			break;
		}
	}
}

static int
decode_u64(struct bytes content, uint64_t *value_out)
{
	uint64_t value = 0;

	if (content.len > sizeof(value))
		return -1;
	for (size_t i = 0; i < content.len; i++)
		value = value << 8 | content.ptr[i];
	*value_out = value;
	return 0;
}

static int
decode_field(const struct field *field, struct bytes content, void *record)
{
	switch (field->kind) {
	case FIELD_U64:
		return decode_u64(content, FIELD_AT(uint64_t, record, field));
	case FIELD_BOOL:
		if (content.len != 1 || content.ptr[0] != 1)
			return -1;
		*FIELD_AT(bool, record, field) = true;
		return 0;
	case FIELD_TEXT:
		*FIELD_AT(struct str, record, field) =
		    (struct str){ (const char *)content.ptr, content.len };
		return 0;
	case FIELD_BYTES:
		*FIELD_AT(struct bytes, record, field) = content;
		return 0;
	}
	return -1;
}

/* Fields come in the order of the table, so the search goes on where it was;
 * count if there is none. */
static size_t
find_field(const struct fields_layout *layout, size_t from, uint8_t number)
{
	for (size_t i = from; i < layout->count; i++)
		if (layout->numbers[i] == number)
			return i;
	return layout->count;
}

int
fields_decode(struct bytes from, const struct fields_layout *layout, void *record_out)
{
	size_t next = 0;

	memset(record_out, 0, layout->struct_bytes);
	while (from.len > 0) {
		struct bytes content;
		size_t at;

		if (from.len < HEAD_BYTES)
			return -1;
		content = (struct bytes){ from.ptr + HEAD_BYTES, u16_decode(from.ptr + 1) };
		if (content.len > from.len - HEAD_BYTES)
			return -1;
		at = find_field(layout, next, from.ptr[0]);
		if (at < layout->count) {
			if (decode_field(&layout->fields[at], content, record_out) == -1)
				return -1;
			next = at + 1;
		}
		from.ptr += HEAD_BYTES + content.len;
		from.len -= HEAD_BYTES + content.len;
	}
	return 0;
}
