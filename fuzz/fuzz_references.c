/* The text of a document: its reference section, its references, their works. */
#include "fuzz/fuzz.h"

#include "citation/doi.h"
#include "citation/reference.h"
#include "citation/section.h"
#include "citation/split.h"
#include "citation/title.h"
#include "common/buf.h"
#include "common/utf8.h"

static void
on_reference(struct str reference, void *arg)
{
	struct works *works = arg;
	struct work *work = works_add(works, CITATION_FROM_PDF);
	char doi[DOI_SIZE];

	fuzz_require(work != NULL);
	reference_read(reference, work);
	for (int k = 0; k < WORK_TEXT_COUNT; k++) {
		struct str text = work_text(work, (enum work_text)k);

		fuzz_require(utf8_is_valid((const uint8_t *)text.ptr, text.len));
	}
	/* Normal forms are their own. */
	if (work_text(work, WORK_DOI).len > 0) {
		fuzz_require(doi_parse(work_text(work, WORK_DOI), doi));
		fuzz_require(str_eq(str_from(doi), work_text(work, WORK_DOI)));
	}
}

static void
check_title(struct str text)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;

	title_normal(text, &once);
	title_normal(buf_str(&once), &twice);
	fuzz_require(str_eq(buf_str(&once), buf_str(&twice)) ||
	    buf_len(&once) > 4096);
	buf_clear(&once);
	buf_clear(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct works works = WORKS_INIT;
	struct str text = fuzz_text(data, size), section;
	uint64_t looked;

	/* With and without a heading: most inputs have none. */
	if (!section_find_counting(text, &section, &looked))
		section = text;
	fuzz_require(looked <= 2 * text.len);
	fuzz_require(section.ptr >= text.ptr &&
	    section.ptr + section.len <= text.ptr + text.len);
	split_references(section, on_reference, &works);
	works_clear(&works);
	check_title(text);
	return 0;
}
