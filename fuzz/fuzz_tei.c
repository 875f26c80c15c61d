/* An answer of GROBID, in pieces whose size the first byte says. */
#include "fuzz/fuzz.h"

#include "citation/tei.h"
#include "common/limits.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct works works = WORKS_INIT;
	struct tei *tei = tei_new(&works);
	size_t piece = size > 0 ? data[0] + 1u : 1;
	struct err err;
	int result = 0;

	for (size_t i = 1; i < size && result == 0; i += piece)
		result = tei_add(tei, (struct bytes){ data + i,
		    size - i < piece ? size - i : piece }, &err);
	if (result == 0 && tei_end(tei, &err) == -1)
		fuzz_require(err.text[0] != '\0');
	fuzz_require(works.count <= LIMIT_CITATIONS);
	for (size_t i = 0; i < works.count; i++) {
		for (int k = 0; k < WORK_TEXT_COUNT; k++)
			fuzz_require(work_text(&works.list[i], (enum work_text)k).len <=
			    LIMIT_CITATION_TEXT_BYTES);
	}
	tei_free(&tei);
	works_clear(&works);
	return 0;
}
