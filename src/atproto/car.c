#include "atproto/car.h"

#include "atproto/dagcbor.h"
#include "atproto/dagcbor_write.h"
#include "atproto/varint.h"
#include "common/limits.h"

/* The length in front of a header or block, and what it measures. */
static enum car_step
take_length(const struct car *car, struct bytes bytes, uint64_t limit,
    enum fault_code over_limit, size_t *head_out, size_t *len_out, struct fault *fault)
{
	uint64_t len;
	int n = varint_unpack(bytes, &len);

	if (n == 0)
		return CAR_MORE;
	if (n < 0)
		return (enum car_step)fault_set(fault, FAULT_CAR_VARINT, car->offset);
	if (len > limit)
		return (enum car_step)fault_set(fault, over_limit, car->offset);
	if (len > bytes.len - (size_t)n)
		return CAR_MORE;
	*head_out = (size_t)n;
	*len_out = (size_t)len;
	return CAR_BLOCK;
}

/* {roots: [link, ...], version: 1} and nothing else. */
static int
read_header(struct bytes header, uint64_t offset, struct cid *root_out,
    struct fault *fault)
{
	struct fault cbor;
	struct dagcbor map;
	struct dagcbor roots;
	struct dagcbor_item item;

	if (dagcbor_check(header, &cbor) < 0)
		return fault_set_detail(fault, FAULT_CAR_HEADER, offset + cbor.offset,
		    str_from(fault_text(cbor.code)));
	map = dagcbor_read(header);
	if (!dagcbor_find_item(map, STR("version"), DAGCBOR_INT, &item))
		return fault_set(fault, FAULT_CAR_HEADER, offset);
	if (item.integer != 1)
		return fault_set(fault, FAULT_CAR_VERSION, offset);
	if (dagcbor_next(&map).count != 2 ||
	    !dagcbor_find(dagcbor_read(header), STR("roots"), &roots))
		return fault_set(fault, FAULT_CAR_HEADER, offset);
	item = dagcbor_next(&roots);
	if (item.type != DAGCBOR_ARRAY)
		return fault_set(fault, FAULT_CAR_HEADER, offset);
	if (item.count == 0)
		return fault_set(fault, FAULT_CAR_ROOT, offset);
	item = dagcbor_next(&roots);
	if (item.type != DAGCBOR_LINK || cid_unpack(item.bytes, root_out) < 0 ||
	    cid_codec(root_out) != CID_DAG_CBOR)
		return fault_set(fault, FAULT_CAR_ROOT, offset);
	return 0;
}

static enum car_step
take_header(struct car *car, struct bytes bytes, struct fault *fault)
{
	size_t head, len;
	enum car_step step = take_length(car, bytes, LIMIT_CAR_HEADER_BYTES,
	    FAULT_CAR_HEADER_SIZE, &head, &len, fault);

	if (step != CAR_BLOCK)
		return step;
	if (read_header((struct bytes){ bytes.ptr + head, len }, car->offset + head,
	    &car->root, fault) < 0)
		return CAR_FAILED;
	car->has_root = true;
	car->offset += head + len;
	return CAR_HEADER;
}

enum car_step
car_next(struct car *car, struct bytes bytes, struct car_block *block_out,
    struct fault *fault)
{
	size_t head, len, cid_len;
	enum car_step step;

	if (!car->has_root)
		return take_header(car, bytes, fault);
	step = take_length(car, bytes, LIMIT_CAR_BLOCK_BYTES, FAULT_CAR_BLOCK_SIZE, &head,
	    &len, fault);
	if (step != CAR_BLOCK)
		return step;
	if (len >= CID_BYTES && cid_is_ours(bytes.ptr + head))
		cid_len = CID_BYTES;
	else
		cid_len = cid_any_length((struct bytes){ bytes.ptr + head, len });
	if (cid_len == 0)
		return (enum car_step)fault_set(fault, FAULT_BLOCK_CID, car->offset);
	block_out->offset = car->offset;
	block_out->data_offset = car->offset + head + cid_len;
	block_out->cid = (struct bytes){ bytes.ptr + head, cid_len };
	block_out->data = (struct bytes){ bytes.ptr + head + cid_len, len - cid_len };
	car->offset += head + len;
	return CAR_BLOCK;
}

int
car_end(const struct car *car, uint64_t rest_bytes, struct fault *fault)
{
	if (rest_bytes > 0 || !car->has_root)
		return fault_set(fault, FAULT_CAR_TRUNCATED, car->offset + rest_bytes);
	return 0;
}

static void
write_length(struct buf *to, uint64_t len)
{
	uint8_t varint[VARINT_MAX_BYTES];

	buf_add(to, varint, varint_pack(len, varint));
}

void
car_write_header(struct buf *to, const struct cid *root)
{
	struct buf header = BUF_INIT;

	dagcbor_write_map(&header, 2);
	dagcbor_write_text(&header, STR("roots"));
	dagcbor_write_array(&header, 1);
	dagcbor_write_link(&header, root);
	dagcbor_write_text(&header, STR("version"));
	dagcbor_write_int(&header, 1);
	write_length(to, buf_len(&header));
	buf_add(to, buf_data(&header), buf_len(&header));
	buf_clear(&header);
}

void
car_write_block(struct buf *to, const struct cid *cid, struct bytes data)
{
	write_length(to, CID_BYTES + data.len);
	buf_add(to, cid->bytes, CID_BYTES);
	buf_add(to, data.ptr, data.len);
}
