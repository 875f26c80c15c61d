#include "proto/wire.h"

#include <msgpack.h>

#include "common/utf8.h"

static int
append(void *buf, const char *data, size_t len)
{
	buf_add(buf, data, len);
	return 0;
}

static msgpack_packer
packer_to(struct buf *to)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, to, append);
	return packer;
}

void
wire_pack_array(struct buf *to, uint32_t count)
{
	msgpack_packer packer = packer_to(to);

	(void)msgpack_pack_array(&packer, count);
}

void
wire_pack_map(struct buf *to, uint32_t count)
{
	msgpack_packer packer = packer_to(to);

	(void)msgpack_pack_map(&packer, count);
}

void
wire_pack_u64(struct buf *to, uint64_t value)
{
	msgpack_packer packer = packer_to(to);

	(void)msgpack_pack_uint64(&packer, value);
}

void
wire_pack_bool(struct buf *to, bool value)
{
	msgpack_packer packer = packer_to(to);

	(void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void
wire_pack_text(struct buf *to, struct str text)
{
	msgpack_packer packer = packer_to(to);

	(void)msgpack_pack_str(&packer, text.len);
	(void)msgpack_pack_str_body(&packer, text.ptr, text.len);
}

void
wire_pack_bytes(struct buf *to, struct bytes bytes)
{
	msgpack_packer packer = packer_to(to);

	(void)msgpack_pack_bin(&packer, bytes.len);
	(void)msgpack_pack_bin_body(&packer, bytes.ptr, bytes.len);
}

/*
 * The head of a value: its first byte, and for the long forms a big-endian
 * number of 1, 2, 4 or 8 bytes behind it.  *after_out is where the body starts.
 */
static int
read_number(const struct wire_reader *r, unsigned width, uint64_t *number_out,
    const uint8_t **after_out)
{
	uint64_t number = 0;

	if ((size_t)(r->end - r->at) < 1 + width)
		return -1;
	for (unsigned i = 0; i < width; i++)
		number = number << 8 | r->at[1 + i];
	*number_out = number;
	*after_out = r->at + 1 + width;
	return 0;
}

/* Length-carrying kinds: one short form with the length in the first byte, and
 * up to three long forms in a row (8, 16, 32 bit), `first_width` wide at first. */
static int
read_length(const struct wire_reader *r, uint8_t short_tag, uint8_t short_mask,
    uint8_t long_tag, unsigned first_width, uint64_t *len_out,
    const uint8_t **after_out)
{
	uint8_t head;
	unsigned width;

	if (r->at == r->end)
		return -1;
	head = *r->at;
	if (short_mask != 0 && (head & ~short_mask) == short_tag) {
		*len_out = head & short_mask;
		*after_out = r->at + 1;
		return 0;
	}
	for (width = first_width; width <= 4; width *= 2, long_tag++)
		if (head == long_tag)
			return read_number(r, width, len_out, after_out);
	return -1;
}

static int
read_count(struct wire_reader *r, uint8_t short_tag, uint8_t long_tag,
    uint32_t *count_out)
{
	const uint8_t *after;
	uint64_t count;

	if (read_length(r, short_tag, 0x0f, long_tag, 2, &count, &after) == -1)
		return -1;
	/* Each element takes at least a byte: no count can be believed beyond. */
	if (count > (size_t)(r->end - after))
		return -1;
	r->at = after;
	*count_out = (uint32_t)count;
	return 0;
}

int
wire_read_array(struct wire_reader *r, uint32_t *count_out)
{
	return read_count(r, 0x90, 0xdc, count_out);
}

int
wire_read_map(struct wire_reader *r, uint32_t *count_out)
{
	return read_count(r, 0x80, 0xde, count_out);
}

int
wire_read_u64(struct wire_reader *r, uint64_t *value_out)
{
	const uint8_t *after;
	uint64_t value;
	uint8_t head;

	if (r->at == r->end)
		return -1;
	head = *r->at;
	if (head < 0x80) {
		*value_out = head;
		r->at++;
		return 0;
	}
	if (head < 0xcc || head > 0xcf ||
	    read_number(r, 1u << (head - 0xcc), &value, &after) == -1)
		return -1;
	r->at = after;
	*value_out = value;
	return 0;
}

int
wire_read_bool(struct wire_reader *r, bool *value_out)
{
	if (r->at == r->end || (*r->at != 0xc2 && *r->at != 0xc3))
		return -1;
	*value_out = *r->at++ == 0xc3;
	return 0;
}

int
wire_read_text(struct wire_reader *r, struct str *text_out)
{
	const uint8_t *after;
	uint64_t len;

	if (read_length(r, 0xa0, 0x1f, 0xd9, 1, &len, &after) == -1 ||
	    len > (size_t)(r->end - after) || !utf8_is_valid(after, len))
		return -1;
	*text_out = (struct str){ (const char *)after, len };
	r->at = after + len;
	return 0;
}

int
wire_read_bytes(struct wire_reader *r, struct bytes *bytes_out)
{
	const uint8_t *after;
	uint64_t len;

	if (read_length(r, 0, 0, 0xc4, 1, &len, &after) == -1 ||
	    len > (size_t)(r->end - after))
		return -1;
	*bytes_out = (struct bytes){ after, len };
	r->at = after + len;
	return 0;
}

int
wire_skip_plain(struct wire_reader *r)
{
	struct bytes bytes;
	struct str text;
	uint64_t number;
	bool flag;

	return wire_read_u64(r, &number) == 0 || wire_read_bool(r, &flag) == 0 ||
	    wire_read_text(r, &text) == 0 || wire_read_bytes(r, &bytes) == 0 ? 0 : -1;
}
