#include "atproto/cid.h"

#include "atproto/ascii.h"
#include "atproto/basex.h"
#include "atproto/varint.h"

#define CID_SYNTAX_MIN	8
#define CID_SYNTAX_MAX	256

int
cid_unpack(struct bytes bytes, struct cid *cid_out)
{
	if (bytes.len != CID_BYTES || !cid_is_ours(bytes.ptr))
		return -1;
	memcpy(cid_out->bytes, bytes.ptr, CID_BYTES);
	return 0;
}

int
cid_parse(struct str text, struct cid *cid_out)
{
	uint8_t bytes[CID_BYTES];
	size_t len;

	if (text.len != CID_TEXT_LEN || text.ptr[0] != 'b' ||
	    multibase_decode(text, bytes, sizeof(bytes), &len) < 0)
		return -1;
	return cid_unpack((struct bytes){ bytes, len }, cid_out);
}

void
cid_format(const struct cid *cid, char text_out[CID_TEXT_SIZE])
{
	text_out[0] = 'b';
	base32_encode((struct bytes){ cid->bytes, CID_BYTES }, text_out + 1);
	text_out[CID_TEXT_LEN] = '\0';
}

void
cid_of(struct sha256 *sha, enum cid_codec codec, struct bytes data, struct cid *cid_out)
{
	memcpy(cid_out->bytes, (uint8_t[]){ 1, (uint8_t)codec, 0x12, SHA256_BYTES }, 4);
	sha256_digest(sha, data, cid_out->bytes + 4);
}

bool
cid_syntax_is_valid(struct str text)
{
	if (text.len < CID_SYNTAX_MIN || text.len > CID_SYNTAX_MAX ||
	    str_starts_with(text, STR("Qmb")))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '+' &&
		    text.ptr[i] != '=')
			return false;
	return true;
}

size_t
cid_any_length(struct bytes bytes)
{
	uint64_t fields[4];	/* version, codec, hash function, digest length */
	size_t at = 0;

	if (bytes.len >= 2 && bytes.ptr[0] == 0x12 && bytes.ptr[1] == SHA256_BYTES)
		return bytes.len >= 2 + SHA256_BYTES ? 2 + SHA256_BYTES : 0;
	for (size_t i = 0; i < BF_ARRAY_LEN(fields); i++) {
		int n = varint_unpack((struct bytes){ bytes.ptr + at, bytes.len - at },
		    &fields[i]);

		if (n <= 0)
			return 0;
		at += (size_t)n;
	}
	if (fields[0] != 1 || fields[3] > bytes.len - at)
		return 0;
	return at + (size_t)fields[3];
}
