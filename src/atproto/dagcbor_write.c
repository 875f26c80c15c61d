#include "atproto/dagcbor_write.h"

#include "common/attr.h"

enum { MAJOR_UINT, MAJOR_NINT, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP,
    MAJOR_TAG };

/* A head: the major type and a number in its shortest form. */
static void
write_head(struct buf *to, unsigned major, uint64_t value)
{
	uint8_t head[9];
	unsigned bytes = value < 24 ? 0 : value < 1u << 8 ? 1 : value < 1u << 16 ? 2 :
	    value < 1ull << 32 ? 4 : 8;
	static const uint8_t info[] = { [1] = 24, [2] = 25, [4] = 26, [8] = 27 };

	head[0] = (uint8_t)(major << 5 | (bytes == 0 ? value : info[bytes]));
	for (unsigned i = 0; i < bytes; i++)
		head[1 + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	buf_add(to, head, 1 + bytes);
}

void
dagcbor_write_map(struct buf *to, uint64_t members)
{
	write_head(to, MAJOR_MAP, members);
}

void
dagcbor_write_array(struct buf *to, uint64_t values)
{
	write_head(to, MAJOR_ARRAY, values);
}

void
dagcbor_write_text(struct buf *to, struct str text)
{
	write_head(to, MAJOR_TEXT, text.len);
	buf_add_str(to, text);
}

void
dagcbor_write_bytes(struct buf *to, struct bytes bytes)
{
	write_head(to, MAJOR_BYTES, bytes.len);
	buf_add(to, bytes.ptr, bytes.len);
}

void
dagcbor_write_int(struct buf *to, int64_t value)
{
	if (value >= 0)
		write_head(to, MAJOR_UINT, (uint64_t)value);
	else
		write_head(to, MAJOR_NINT, ~(uint64_t)value);
}

void
dagcbor_write_bool(struct buf *to, bool value)
{
	buf_add_byte(to, value ? 0xf5 : 0xf4);
}

void
dagcbor_write_null(struct buf *to)
{
	buf_add_byte(to, 0xf6);
}

void
dagcbor_write_any_link(struct buf *to, struct bytes binary_cid)
{
	write_head(to, MAJOR_TAG, 42);
	write_head(to, MAJOR_BYTES, 1 + binary_cid.len);
	buf_add_byte(to, 0);	/* multibase's prefix for binary (DAG-CBOR, "Links") */
	buf_add(to, binary_cid.ptr, binary_cid.len);
}

void
dagcbor_write_link(struct buf *to, const struct cid *cid)
{
	dagcbor_write_any_link(to, (struct bytes){ cid->bytes, CID_BYTES });
}

int
dagcbor_key_cmp(struct str a, struct str b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len > 0 ? memcmp(a.ptr, b.ptr, a.len) : 0;
}
