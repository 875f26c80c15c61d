/* A block: what passes the check can be read and skipped to its end, and is written
 * again as it was. */
#include "fuzz/fuzz.h"

#include "atproto/dagcbor.h"
#include "atproto/dagcbor_write.h"

/* Checked blocks are nested no deeper than LIMIT_CBOR_DEPTH. */
static void
rewrite(struct dagcbor *from, struct buf *to)
{
	struct dagcbor_item item = dagcbor_next(from);
	uint64_t values = 0;

	switch (item.type) {
	case DAGCBOR_INT:
		dagcbor_write_int(to, item.integer);
		break;
	case DAGCBOR_BYTES:
		dagcbor_write_bytes(to, item.bytes);
		break;
	case DAGCBOR_TEXT:
		dagcbor_write_text(to, item.text);
		break;
	case DAGCBOR_ARRAY:
		dagcbor_write_array(to, item.count);
		values = item.count;
		break;
	case DAGCBOR_MAP:
		dagcbor_write_map(to, item.count);
		values = 2 * item.count;
		break;
	case DAGCBOR_LINK:
		dagcbor_write_any_link(to, item.bytes);
		break;
	case DAGCBOR_BOOL:
		dagcbor_write_bool(to, item.boolean);
		break;
	case DAGCBOR_NULL:
		dagcbor_write_null(to);
		break;
	}
	while (values-- > 0)
		rewrite(from, to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes block = { data, size };
	struct dagcbor from = dagcbor_read(block), value;
	struct buf again = BUF_INIT;
	struct fault fault;

	if (dagcbor_check(block, &fault) < 0) {
		fuzz_require(fault.code != FAULT_NONE && fault.offset <= size);
		return 0;
	}
	dagcbor_skip(&from);
	fuzz_require(dagcbor_at_end(&from));
	(void)dagcbor_find(dagcbor_read(block), STR("$type"), &value);
	from = dagcbor_read(block);
	rewrite(&from, &again);
	fuzz_require(bytes_eq(buf_bytes(&again), block));
	buf_clear(&again);
	return 0;
}
