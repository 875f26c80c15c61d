/* A DID document of one DID. */
#include "fuzz/fuzz.h"

#include "atproto/diddoc.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diddoc doc;
	struct err err;

	if (diddoc_parse((struct bytes){ data, size },
	    STR("did:plc:ewvi7nxzyoun6zhxrhs64oiz"), true, &doc, &err) < 0)
		return 0;
	if (doc.has_key) {
		struct buf text = BUF_INIT;
		struct key again;

		key_format_did_key(&doc.key, &text);
		fuzz_require(key_parse_did_key(buf_str(&text), &again) == 0);
		fuzz_require(key_eq(&doc.key, &again));
		buf_clear(&text);
	}
	diddoc_clear(&doc);
	return 0;
}
