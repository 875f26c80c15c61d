/*
 * cid.h - content identifiers as AT Protocol uses them: version 1, codec
 * dag-cbor or raw, SHA-256.  36 bytes in binary, 59 characters as text.
 *
 * A struct cid is always of this kind.  Links inside record values may be of
 * any other; dagcbor.h hands those out as plain bytes.
 */
#ifndef BF_ATPROTO_CID_H
#define BF_ATPROTO_CID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "atproto/sha256.h"
#include "common/attr.h"
#include "common/str.h"

#define CID_BYTES	36
#define CID_TEXT_LEN	59			/* "bafyrei..." or "bafkrei..." */
#define CID_TEXT_SIZE	(CID_TEXT_LEN + 1)	/* with the final NUL */

enum cid_codec {
	CID_RAW = 0x55,			/* blobs */
	CID_DAG_CBOR = 0x71,		/* commits, tree nodes, records */
};

struct cid {
	uint8_t bytes[CID_BYTES];	/* 01, codec, 12 20, the digest */
};

static inline bool
cid_eq(const struct cid *a, const struct cid *b)
{
	return memcmp(a->bytes, b->bytes, CID_BYTES) == 0;
}

static inline enum cid_codec
cid_codec(const struct cid *cid)
{
	return (enum cid_codec)cid->bytes[1];
}

static inline const uint8_t *
cid_digest(const struct cid *cid)
{
	return cid->bytes + 4;
}

/* True if bytes, of which CID_BYTES can be read, begin with a CID of our kind. */
static inline bool
cid_is_ours(const uint8_t *bytes)
{
	return bytes[0] == 1 && (bytes[1] == CID_DAG_CBOR || bytes[1] == CID_RAW) &&
	    bytes[2] == 0x12 && bytes[3] == SHA256_BYTES;
}

int cid_unpack(struct bytes bytes, struct cid *cid_out) BF_MUSTCHECK;	/* 36 bytes */
int cid_parse(struct str text, struct cid *cid_out) BF_MUSTCHECK;	/* base32 alone */
void cid_format(const struct cid *cid, char text_out[CID_TEXT_SIZE]);

void cid_of(struct sha256 *sha, enum cid_codec codec, struct bytes data,
    struct cid *cid_out);

/* The loose syntax of the lexicon's "cid" format: any version 1 CID text. */
bool cid_syntax_is_valid(struct str text);

/*
 * The length in bytes of the binary CID of any kind that bytes start with: a
 * version 0 CID, or version 1 with any codec and hash.  0 if there is none.
 */
size_t cid_any_length(struct bytes bytes);

/* Exactly one binary CID of any kind; those of ours are seen at once. */
static inline bool
cid_is_any(struct bytes bytes)
{
	if (bytes.len == CID_BYTES && cid_is_ours(bytes.ptr))
		return true;
	return bytes.len > 0 && cid_any_length(bytes) == bytes.len;
}

#endif
