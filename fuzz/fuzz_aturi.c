/* Identifiers: an AT-URI is written as it was read; the other checks do not fall. */
#include "fuzz/fuzz.h"

#include "atproto/aturi.h"
#include "atproto/cid.h"
#include "atproto/datetime.h"
#include "atproto/did.h"
#include "atproto/handle.h"
#include "atproto/nsid.h"
#include "atproto/rkey.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = fuzz_text(data, size), collection, rkey;
	struct buf again = BUF_INIT;
	struct aturi uri;
	struct cid cid;
	int64_t wall_ms;

	if (aturi_parse(text, &uri) == 0) {
		aturi_format(&uri, &again);
		fuzz_require(str_eq(buf_str(&again), text));
		fuzz_require(at_identifier_is_valid(uri.authority));
	}
	fuzz_require(!did_is_atproto(text) || did_is_valid(text));
	fuzz_require(!nsid_is_valid(text) || nsid_pattern_is_valid(text));
	if (path_parse(text, &collection, &rkey) == 0)
		fuzz_require(nsid_is_valid(collection) && rkey_is_valid(rkey));
	if (cid_parse(text, &cid) == 0)
		fuzz_require(cid_syntax_is_valid(text));
	(void)!datetime_parse(text, &wall_ms);
	buf_clear(&again);
	return 0;
}
