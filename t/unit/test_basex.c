/*
 * test_basex.c - varints, base32, base58, base64, CIDs.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/basex.h"
#include "atproto/cid.h"
#include "atproto/varint.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

static void
varint__survives_the_way_there_and_back(void **state BF_UNUSED)
{
	for (unsigned shift = 0; shift < 63; shift++) {
		uint64_t values[] = { (uint64_t)1 << shift, ((uint64_t)1 << shift) - 1 };

		for (size_t i = 0; i < BF_ARRAY_LEN(values); i++) {
			uint8_t bytes[VARINT_MAX_BYTES];
			size_t len = varint_pack(values[i], bytes);
			uint64_t back;

			assert_int_equal(varint_unpack((struct bytes){ bytes, len },
			    &back), len);
			assert_true(back == values[i]);
			for (size_t cut = 0; cut < len; cut++)
				assert_int_equal(varint_unpack((struct bytes){ bytes,
				    cut }, &back), 0);
		}
	}
}

static void
varint__is_refused_when_not_minimal_or_too_long(void **state BF_UNUSED)
{
	static const uint8_t padded[] = { 0x80, 0x00 },
	    padded_more[] = { 0xff, 0x80, 0x00 };
	static const uint8_t ten[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 1 };
	uint64_t value;

	assert_int_equal(varint_unpack((struct bytes){ padded, 2 }, &value), -1);
	assert_int_equal(varint_unpack((struct bytes){ padded_more, 3 }, &value), -1);
	assert_int_equal(varint_unpack((struct bytes){ ten, sizeof(ten) }, &value), -1);
	assert_int_equal(varint_unpack((struct bytes){ ten, 9 }, &value), -1);
}

/* Random bytes of every short length, written and read by one pair of functions. */
static void
check_round_trip(void encode(struct bytes, struct buf *),
    int decode(struct str, uint8_t *, size_t, size_t *))
{
	uint64_t random = 7;

	for (size_t len = 0; len <= 70; len++) {
		uint8_t bytes[70], back[70];
		struct buf text = BUF_INIT;
		size_t back_len;

		for (size_t i = 0; i < len; i++)
			bytes[i] = i < len / 4 ? 0 : (uint8_t)maker_random(&random);
		encode((struct bytes){ bytes, len }, &text);
		assert_int_equal(decode(buf_str(&text), back, sizeof(back), &back_len),
		    0);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, bytes, len);
		if (len > 0)
			assert_int_equal(decode(buf_str(&text), back, len - 1, &back_len),
			    -1);
		buf_clear(&text);
	}
}

static void
encode32(struct bytes bytes, struct buf *to)
{
	base32_encode(bytes, (char *)buf_reserve(to, BASE32_LEN(bytes.len) + 1));
	buf_added(to, BASE32_LEN(bytes.len));
}

static int
decode64_into(struct str text, uint8_t *to, size_t to_size, size_t *len_out)
{
	struct buf buf = BUF_INIT;
	int rc = base64_decode(text, &buf);

	if (rc == 0 && buf_len(&buf) > to_size)
		rc = -1;
	if (rc == 0)
		memcpy(to, buf_data(&buf), buf_len(&buf));
	*len_out = buf_len(&buf);
	buf_clear(&buf);
	return rc;
}

static void
bases__survive_the_way_there_and_back(void **state BF_UNUSED)
{
	check_round_trip(encode32, base32_decode);
	check_round_trip(base58_encode, base58_decode);
	check_round_trip(base64_encode, decode64_into);
}

static void
bases__refuse_what_stands_for_nothing(void **state BF_UNUSED)
{
	uint8_t to[64];
	size_t len;
	struct buf buf = BUF_INIT;

	assert_int_equal(base32_decode(STR("a"), to, sizeof(to), &len), -1);
	assert_int_equal(base32_decode(STR("ab"), to, sizeof(to), &len), -1);	/* spare bits */
	assert_int_equal(base32_decode(STR("AA"), to, sizeof(to), &len), -1);
	assert_int_equal(base32_decode(STR("a1"), to, sizeof(to), &len), -1);
	assert_int_equal(base58_decode(STR("0"), to, sizeof(to), &len), -1);
	assert_int_equal(base58_decode(STR("l"), to, sizeof(to), &len), -1);
	assert_int_equal(base58_decode(STR("a\0b"), to, sizeof(to), &len), -1);
	assert_int_equal(base64_decode(STR("A"), &buf), -1);
	assert_int_equal(base64_decode(STR("AB"), &buf), -1);
	assert_int_equal(base64_decode(STR("AA=="), &buf), 0);
	assert_int_equal(base64_decode(STR("AA="), &buf), -1);
	assert_int_equal(base64_decode(STR("AA==="), &buf), -1);
	assert_int_equal(base64_decode(STR("-_"), &buf), -1);
	assert_int_equal(base64url_decode(STR("-_8"), &buf), 0);
	assert_int_equal(base64url_decode(STR("AA=="), &buf), -1);
	assert_int_equal(base64url_decode(STR("+/8"), &buf), -1);
	assert_int_equal(multibase_decode(STR("b"), to, sizeof(to), &len), -1);
	assert_int_equal(multibase_decode(STR("f00"), to, sizeof(to), &len), -1);
	buf_clear(&buf);
}

static void
base58__refuses_a_number_longer_than_its_limit(void **state BF_UNUSED)
{
	char text[BASE58_MAX_BYTES * 2];
	uint8_t to[BASE58_MAX_BYTES * 2];
	size_t len;

	memset(text, 'z', sizeof(text));
	assert_int_equal(base58_decode((struct str){ text, sizeof(text) }, to, sizeof(to),
	    &len), -1);
}

static void
cid__is_the_hash_of_its_bytes(void **state BF_UNUSED)
{
	static const uint8_t empty_node[] = { 0xa2, 0x61, 0x65, 0x80, 0x61, 0x6c, 0xf6 };
	struct sha256 *sha = sha256_new();
	char text[CID_TEXT_SIZE];
	struct cid cid, back;

	cid_of(sha, CID_DAG_CBOR, (struct bytes){ empty_node, sizeof(empty_node) }, &cid);
	cid_format(&cid, text);
	assert_string_equal(text,
	    "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm");
	assert_int_equal(cid_parse(str_from(text), &back), 0);
	assert_true(cid_eq(&cid, &back));
	sha256_free(&sha);
}

static void
cid__of_another_kind_is_refused(void **state BF_UNUSED)
{
	static const char *const bad[] = { "",
	    "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR",	/* version 0 */
	    "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",	/* dag-pb */
	    "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hp",
	    "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpn",	/* spare bits */
	    "Bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm" };
	struct cid cid;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		assert_int_equal(cid_parse(str_from(bad[i]), &cid), -1);
}

static void
cid__of_any_kind_is_delimited(void **state BF_UNUSED)
{
	static const struct {
		const char *hex;
		size_t length;
	} cases[] = {
		{ "01711220", 0 },		/* the digest is cut off */
		{ "0155000548656c6c6f2121", 9 },	/* identity, 5 bytes */
		{ "02711220", 0 },
		{ "0171", 0 },
		{ "", 0 },
	};
	uint8_t version0[34] = { 0x12, 0x20 };

	assert_int_equal(cid_any_length((struct bytes){ version0, 34 }), 34);
	assert_int_equal(cid_any_length((struct bytes){ version0, 33 }), 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct buf bytes = vectors_hex(str_from(cases[i].hex));

		assert_int_equal(cid_any_length(buf_bytes(&bytes)), cases[i].length);
		buf_clear(&bytes);
	}
}

static const struct CMUnitTest basex_tests[] = {
	cmocka_unit_test(varint__survives_the_way_there_and_back),
	cmocka_unit_test(varint__is_refused_when_not_minimal_or_too_long),
	cmocka_unit_test(bases__survive_the_way_there_and_back),
	cmocka_unit_test(bases__refuse_what_stands_for_nothing),
	cmocka_unit_test(base58__refuses_a_number_longer_than_its_limit),
	cmocka_unit_test(cid__is_the_hash_of_its_bytes),
	cmocka_unit_test(cid__of_another_kind_is_refused),
	cmocka_unit_test(cid__of_any_kind_is_delimited),
};

UNIT_MAIN(basex_tests)
