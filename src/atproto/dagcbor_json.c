#include "atproto/dagcbor_json.h"

#include "atproto/basex.h"
#include "atproto/dagcbor.h"
#include "common/json.h"
#include "common/limits.h"

/* A container that is being written. */
struct level {
	uint64_t left;
	bool is_map;
};

/* A multibase text: what every CID of ours is, and every other one can be. */
static void
write_link(struct json *json, struct bytes cid)
{
	struct buf *to = json->to;

	json_object_begin(json);
	json_name(json, STR("$link"));
	buf_add_str(to, STR("\"b"));
	base32_encode(cid, (char *)buf_reserve(to, BASE32_LEN(cid.len)));
	buf_added(to, BASE32_LEN(cid.len));
	buf_add_byte(to, '"');
	json_object_end(json);
}

static void
write_bytes(struct json *json, struct bytes bytes)
{
	json_object_begin(json);
	json_name(json, STR("$bytes"));
	buf_add_byte(json->to, '"');
	base64_encode(bytes, json->to);
	buf_add_byte(json->to, '"');
	json_object_end(json);
}

static void
write_item(struct json *json, const struct dagcbor_item *item)
{
	switch (item->type) {
	case DAGCBOR_INT:
		json_i64(json, item->integer);
		break;
	case DAGCBOR_BYTES:
		write_bytes(json, item->bytes);
		break;
	case DAGCBOR_TEXT:
		json_str(json, item->text);
		break;
	case DAGCBOR_ARRAY:
		json_array_begin(json);
		break;
	case DAGCBOR_MAP:
		json_object_begin(json);
		break;
	case DAGCBOR_LINK:
		write_link(json, item->bytes);
		break;
	case DAGCBOR_BOOL:
		json_bool(json, item->boolean);
		break;
	case DAGCBOR_NULL:
		json_null(json);
		break;
	}
}

void
dagcbor_to_json(struct bytes checked, struct buf *to)
{
	struct json json = json_to(to);
	struct dagcbor from = dagcbor_read(checked);
	struct level levels[LIMIT_CBOR_DEPTH];
	size_t depth = 0;

	do {
		struct dagcbor_item item;

		if (depth > 0 && levels[depth - 1].is_map)
			json_name(&json, dagcbor_next(&from).text);
		item = dagcbor_next(&from);
		write_item(&json, &item);
		if (item.type == DAGCBOR_ARRAY || item.type == DAGCBOR_MAP) {
			/* One more, for the end of the container itself. */
			levels[depth++] = (struct level){ item.count + 1,
			    item.type == DAGCBOR_MAP };
		}
		while (depth > 0 && --levels[depth - 1].left == 0) {
			depth--;
			if (levels[depth].is_map)
				json_object_end(&json);
			else
				json_array_end(&json);
		}
	} while (depth > 0);
}
