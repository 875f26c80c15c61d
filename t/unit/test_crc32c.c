/*
 * test_crc32c.c - src/store/crc32c: the vectors of RFC 3720 (B.4), and the two
 * versions against each other.
 */
#include "t/unit/unit.h"

#include <string.h>

#include "store/crc32c.h"

static void
crc32c__gives_the_values_of_rfc_3720(void **state BF_UNUSED)
{
	uint8_t data[32];

	memset(data, 0, sizeof(data));
	assert_true(crc32c(0, data, sizeof(data)) == 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_true(crc32c(0, data, sizeof(data)) == 0x62a8ab43);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	assert_true(crc32c(0, data, sizeof(data)) == 0x46dd794e);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(31 - i);
	assert_true(crc32c(0, data, sizeof(data)) == 0x113fdb5c);
	assert_true(crc32c(0, "123456789", 9) == 0xe3069283);
	assert_true(crc32c(0, NULL, 0) == 0);
}

static void
crc32c__is_the_same_by_instruction_and_by_table(void **state BF_UNUSED)
{
	uint8_t data[300];

	srand(7);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand();
	for (size_t start = 0; start < 9; start++)
		for (size_t len = 0; len + start <= sizeof(data); len++)
			assert_true(crc32c(5, data + start, len) ==
			    crc32c_portable(5, data + start, len));
}

static void
crc32c__of_pieces_is_that_of_the_whole(void **state BF_UNUSED)
{
	static const char text[] = "a checksum that can be taken up again";

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		uint32_t crc = crc32c(0, text, cut);

		assert_true(crc32c(crc, text + cut, sizeof(text) - cut) ==
		    crc32c(0, text, sizeof(text)));
	}
}

static const struct CMUnitTest checksum[] = {
	cmocka_unit_test(crc32c__gives_the_values_of_rfc_3720),
	cmocka_unit_test(crc32c__is_the_same_by_instruction_and_by_table),
	cmocka_unit_test(crc32c__of_pieces_is_that_of_the_whole),
};

UNIT_MAIN(checksum)
