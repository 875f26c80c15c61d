/* A block: its JSON is JSON.  And as JSON: what is taken is canonical. */
#include "fuzz/fuzz.h"

#include <jansson.h>

#include "atproto/dagcbor.h"
#include "atproto/dagcbor_json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes block = { data, size };
	struct buf out = BUF_INIT;
	struct fault fault;

	if (dagcbor_check(block, &fault) == 0) {
		json_error_t error;
		json_t *json;

		dagcbor_to_json(block, &out);
		json = json_loadb((const char *)buf_data(&out), buf_len(&out),
		    JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
		/* jansson has no names with a NUL in them; JSON has. */
		fuzz_require(json != NULL ||
		    json_error_code(&error) == json_error_null_byte_in_key);
		json_decref(json);
	}
	buf_reset(&out);
	if (dagcbor_from_json(fuzz_text(data, size), &out, &fault) == 0)
		fuzz_require(dagcbor_check(buf_bytes(&out), &fault) == 0);
	else
		fuzz_require(buf_len(&out) == 0);
	buf_clear(&out);
	return 0;
}
