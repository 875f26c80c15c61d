/*
 * test_citation.c - src/citation: identifiers, titles, and GROBID's TEI.
 */
#include "t/unit/unit.h"

#include <string.h>
#include <time.h>

#include "citation/doi.h"
#include "citation/tei.h"
#include "citation/title.h"
#include "common/buf.h"
#include "common/limits.h"
#include "t/unit/vectors.h"

/* --- identifiers --- */

/* Expected NULL: none. */
static void
expect_doi(const char *text, const char *expected)
{
	char doi[DOI_SIZE] = "";

	assert_int_equal(doi_find(str_from(text), doi), expected != NULL);
	assert_string_equal(doi, expected != NULL ? expected : "");
}

static void
doi_find__knows_where_it_ends(void **state BF_UNUSED)
{
	expect_doi("see https://doi.org/10.1145/3292500.3330701.", "10.1145/3292500.3330701");
	expect_doi("doi:10.1000/ABC-def_1;2, and", "10.1000/abc-def_1;2");
	expect_doi("(10.1016/S0140-6736(05)67889-7)", "10.1016/s0140-6736(05)67889-7");
	expect_doi("<10.1000/182>", "10.1000/182");
	expect_doi("10.1000.10/123", "10.1000.10/123");
	expect_doi("\xe2\x80\x9c" "10.1000/x\xe2\x80\x9d", "10.1000/x");
}

static void
doi_find__finds_none_in_what_only_looks_like_one(void **state BF_UNUSED)
{
	expect_doi("", NULL);
	expect_doi("10.1000", NULL);
	expect_doi("10.1000/", NULL);
	expect_doi("10.1000/...", NULL);
	expect_doi("10.12/3456789", NULL);
	expect_doi("210.1000/12", NULL);
	expect_doi("192.10.1000/12", NULL);
	expect_doi("10.1234567890/x", NULL);
}

static void
a_doi_of_257_bytes_is_not_taken(void **state BF_UNUSED)
{
	struct buf text = BUF_INIT;
	char doi[DOI_SIZE];

	buf_printf(&text, "10.1000/");
	while (buf_len(&text) < DOI_SIZE - 1)
		buf_add_byte(&text, 'x');
	assert_true(doi_find(buf_str(&text), doi));
	assert_int_equal(strlen(doi), DOI_SIZE - 1);
	buf_add_byte(&text, 'x');
	assert_false(doi_find(buf_str(&text), doi));
	buf_clear(&text);
}

/* Looking for the end of each of these from each of them would take long. */
static void
doi_find__is_soon_done_with_what_goes_on_and_on(void **state BF_UNUSED)
{
	static const char *const units[] = { "10.1234/", "10.1234..", "10.1234/)]" };

	for (size_t i = 0; i < BF_ARRAY_LEN(units); i++) {
		clock_t start = clock();
		struct buf text = BUF_INIT;
		char doi[DOI_SIZE];

		while (buf_len(&text) < 128 * 1024)
			buf_add_str(&text, str_from(units[i]));
		(void)doi_find(buf_str(&text), doi);
		assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
		buf_clear(&text);
	}
}

static void
doi_parse__takes_nothing_but_a_doi(void **state BF_UNUSED)
{
	char doi[DOI_SIZE];

	assert_true(doi_parse(STR("https://dx.doi.org/10.1000/ABC"), doi));
	assert_string_equal(doi, "10.1000/abc");
	assert_true(doi_parse(STR("DOI: 10.1000/abc"), doi));
	assert_false(doi_parse(STR("10.1000/abc and more"), doi));
	assert_false(doi_parse(STR("10.1000/abc."), doi));
	assert_false(doi_parse(STR(""), doi));
}

static void
expect_arxiv(const char *text, const char *expected)
{
	char id[ARXIV_SIZE] = "";

	assert_int_equal(arxiv_find(str_from(text), id), expected != NULL);
	assert_string_equal(id, expected != NULL ? expected : "");
}

static void
arxiv_find__in_every_spelling(void **state BF_UNUSED)
{
	expect_arxiv("arXiv preprint arXiv:1706.03762v5, 2017", "1706.03762");
	expect_arxiv("https://arxiv.org/abs/0704.0001", "0704.0001");
	expect_arxiv("http://arxiv.org/pdf/hep-th/9901001v2.pdf", "hep-th/9901001");
	expect_arxiv("arXiv: math.GT/0309136", "math.gt/0309136");
	expect_arxiv("CoRR, abs/1412.6980, 2014", "1412.6980");
	expect_arxiv("https://doi.org/10.48550/arXiv.2101.00001", "2101.00001");
	expect_arxiv("pages 1706.03762", NULL);
	expect_arxiv("arXiv 2017", NULL);
	expect_arxiv("arXiv:1706.037", NULL);
	expect_arxiv("arXiv:1706.0376212", NULL);
}

/* --- titles --- */

static void
expect_same_title(const char *a, const char *b, bool are_same)
{
	struct buf x = BUF_INIT, y = BUF_INIT;

	title_normal(str_from(a), &x);
	title_normal(str_from(b), &y);
	if (str_eq(buf_str(&x), buf_str(&y)) != are_same)
		fail_msg("\"%s\" and \"%s\": \"%.*s\" and \"%.*s\"", a, b,
		    STR_FMT(buf_str(&x)), STR_FMT(buf_str(&y)));
	assert_int_equal(title_hash(buf_str(&x)) == title_hash(buf_str(&y)), are_same);
	buf_clear(&x);
	buf_clear(&y);
}

static void
titles__are_the_same_but_for_case_blanks_accents_and_punctuation(void **state BF_UNUSED)
{
	expect_same_title("A meta-analysis: Part 1", "a  Metaanalysis part\n1.", true);
	expect_same_title("Über die Größe", "UBER DIE GROSSE", true);
	expect_same_title("Émile, ou De l’éducation", "Emile, ou de l'education", true);
	expect_same_title("e\xcc\x81tude", "\xc3\xa9tude", true);
	expect_same_title("e\xef\xac\x83" "cient", "efficient", true);
	expect_same_title("\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\xa3 \xef\xbc\x91", "abc 1", true);
	expect_same_title("Теория ёлки", "ТЕОРИЯ ЕЛКИ", true);
	expect_same_title("ΟΔΥΣΣΕΥΣ", "Οδυσσεύς", true);
	expect_same_title("深層学習、入門", "深層学習 入門", true);
	expect_same_title("العَرَبِيَّة", "العربية", true);
}

static void
titles__of_other_works_stay_apart(void **state BF_UNUSED)
{
	expect_same_title("Deep learning I", "Deep learning II", false);
	expect_same_title("深層学習", "機械学習", false);
	expect_same_title("かき", "がき", false);
	expect_same_title("कमल", "कमाल", false);
	expect_same_title("Теория", "Теорема", false);
}

/* What is all ASCII goes another way to the same form. */
static void
titles__of_ascii_are_the_same_as_among_other_letters(void **state BF_UNUSED)
{
	struct buf alone = BUF_INIT, among = BUF_INIT;

	for (int c = 0; c < 0x80; c++) {
		char title[] = { 'a', (char)c, 'Z', '\0' };
		char mixed[] = { '\xc3', '\xa9', 'a', (char)c, 'Z', '\0' };

		buf_reset(&alone);
		buf_reset(&among);
		title_normal((struct str){ title, 3 }, &alone);
		title_normal((struct str){ mixed, 5 }, &among);
		buf_consume(&among, 1);		/* the e */
		assert_true(str_eq(buf_str(&alone), buf_str(&among)));
	}
	buf_clear(&alone);
	buf_clear(&among);
}

static void
titles__that_are_no_utf8_or_nothing_do_no_harm(void **state BF_UNUSED)
{
	struct buf normal = BUF_INIT;

	title_normal(STR("\xff\xfe" "a\xc3" "b\0c"), &normal);
	assert_true(str_eq(buf_str(&normal), STR("abc")));
	buf_reset(&normal);
	title_normal(STR_NONE, &normal);
	title_normal(STR(" \xe2\x80\x94 ..."), &normal);
	assert_int_equal(buf_len(&normal), 0);
	buf_clear(&normal);
}

/* --- works --- */

static void
a_work_has_clean_text_up_to_LIMIT_CITATION_TEXT_BYTES(void **state BF_UNUSED)
{
	struct works works = WORKS_INIT;
	struct work *work = works_add(&works, CITATION_FROM_PDF);
	struct buf text = BUF_INIT;

	work_set(work, WORK_TITLE, STR(" a\n\t b\xff\x01" "c\0d "));
	assert_string_equal(work->texts[WORK_TITLE], "a b c d");
	for (size_t i = 0; i < LIMIT_CITATION_TEXT_BYTES; i++)
		buf_printf(&text, "\xc3\xa9");
	work_set(work, WORK_TITLE, buf_str(&text));
	assert_int_equal(work_text(work, WORK_TITLE).len, LIMIT_CITATION_TEXT_BYTES);
	work_set(work, WORK_TITLE, STR(" "));
	assert_null(work->texts[WORK_TITLE]);
	for (size_t i = 1; i < LIMIT_CITATIONS; i++)
		assert_non_null(works_add(&works, CITATION_FROM_PDF));
	assert_null(works_add(&works, CITATION_FROM_PDF));
	buf_clear(&text);
	works_clear(&works);
}

/* --- TEI --- */

/* In pieces of so many bytes. */
static int
read_tei(struct str xml, size_t piece, struct works *works, struct err *err)
{
	struct tei *tei = tei_new(works);
	int result = 0;

	for (size_t i = 0; i < xml.len && result == 0; i += piece)
		result = tei_add(tei, (struct bytes){ (const uint8_t *)xml.ptr + i,
		    xml.len - i < piece ? xml.len - i : piece }, err);
	if (result == 0)
		result = tei_end(tei, err);
	tei_free(&tei);
	return result;
}

#define TEI(inside)							\
	"<?xml version=\"1.0\"?><TEI xmlns=\"http://www.tei-c.org/ns/1.0\"><teiHeader>" \
	"<biblStruct><analytic><title>The paper itself</title></analytic></biblStruct>" \
	"</teiHeader><text><back><listBibl>" inside "</listBibl></back></text></TEI>"

static void
tei__of_a_real_paper(void **state BF_UNUSED)
{
	struct buf xml;
	struct works works = WORKS_INIT;
	struct err err;

	vectors_need();
	xml = vectors_read("s2orc-doc2json/tests/pdf/N18-3011.tei.xml");
	for (size_t piece = 1; piece < 100000; piece = piece * 10 + 7) {
		assert_int_equal(read_tei(buf_str(&xml), piece, &works, &err), 0);
		assert_int_equal(works.count, 27);
		works_clear(&works);
	}
	assert_int_equal(read_tei(buf_str(&xml), 4096, &works, &err), 0);
	assert_string_equal(works.list[0].texts[WORK_TITLE], "The ai2 system at "
	    "semeval-2017 task 10 (scienceie): semi-supervised end-to-end entity and "
	    "relation extraction");
	assert_string_equal(works.list[0].texts[WORK_AUTHORS],
	    "Waleed Ammar; Matthew E Peters; Chandra Bhagavatula; Russell Power");
	assert_string_equal(works.list[0].texts[WORK_VENUE], "ACL workshop (SemEval)");
	assert_int_equal(works.list[0].year, 2017);
	assert_int_equal(works.list[0].source, CITATION_FROM_GROBID);
	for (size_t i = 0; i < works.count; i++)
		assert_true(work_text(&works.list[i], WORK_RAW).len > 40);
	works_clear(&works);
	buf_clear(&xml);
}

static void
tei__every_field(void **state BF_UNUSED)
{
	struct works works = WORKS_INIT;
	const struct work *work;
	struct err err;

	assert_int_equal(read_tei(STR(TEI("<biblStruct xml:id=\"b0\"><analytic>"
	    "<title level=\"a\">A &amp; <hi>B</hi></title><author><persName>"
	    "<forename>Ann</forename><surname>Author</surname></persName></author>"
	    "<idno type=\"DOI\">10.1000/ABC</idno>"
	    "<idno type=\"arXiv\">arXiv:1706.03762[cs.CL]</idno>"
	    "</analytic><monogr><title level=\"j\">Journal</title><imprint>"
	    "<biblScope unit=\"volume\">12</biblScope><biblScope unit=\"issue\">3</biblScope>"
	    "<biblScope unit=\"page\" from=\"7\" to=\"19\" /><date when=\"2017-05\" />"
	    "</imprint></monogr><note>other</note></biblStruct>"
	    "<biblStruct><monogr><title level=\"m\">A whole book</title>"
	    "<imprint><date>in May 1999</date></imprint></monogr>"
	    "<note type=\"raw_reference\">A whole book, arXiv:hep-th/9901001</note>"
	    "</biblStruct><biblStruct><monogr><imprint/></monogr></biblStruct>")),
	    11, &works, &err), 0);
	assert_int_equal(works.count, 2);
	work = &works.list[0];
	assert_string_equal(work->texts[WORK_TITLE], "A & B");
	assert_string_equal(work->texts[WORK_AUTHORS], "Ann Author");
	assert_string_equal(work->texts[WORK_DOI], "10.1000/abc");
	assert_string_equal(work->texts[WORK_ARXIV], "1706.03762");
	assert_string_equal(work->texts[WORK_VENUE], "Journal");
	assert_string_equal(work->texts[WORK_VOLUME], "12");
	assert_string_equal(work->texts[WORK_ISSUE], "3");
	assert_string_equal(work->texts[WORK_PAGES], "7-19");
	assert_int_equal(work->year, 2017);
	work = &works.list[1];
	assert_string_equal(work->texts[WORK_TITLE], "A whole book");
	assert_null(work->texts[WORK_VENUE]);
	assert_string_equal(work->texts[WORK_ARXIV], "hep-th/9901001");
	assert_int_equal(work->year, 1999);
	works_clear(&works);
}

static void
expect_refused(struct str xml, enum err_code code, const char *text)
{
	struct works works = WORKS_INIT;
	struct err err;

	assert_int_equal(read_tei(xml, 1000, &works, &err), -1);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, text));
	works_clear(&works);
}

static void
tei__has_no_entities_no_document_type_and_ends(void **state BF_UNUSED)
{
	expect_refused(STR("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"
	    "<x>&b;</x>"), ERR_LIMIT, "document type");
	expect_refused(STR("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>"), ERR_LIMIT,
	    "document type");
	expect_refused(STR("<TEI>&unknown;</TEI>"), ERR_INVALID, "entity");
	expect_refused(STR("<TEI>Bad gateway"), ERR_INVALID, "line 1");
	expect_refused(STR("<html/>"), ERR_INVALID, "no TEI");
	expect_refused(STR("<html><body>Bad gateway</body></html>"), ERR_INVALID,
	    "no TEI");
	expect_refused(STR(""), ERR_INVALID, "no element");
	expect_refused(STR("\x1f\x8b\x08"), ERR_INVALID, "line 1");
}

static void
tei__is_no_deeper_than_LIMIT_TEI_DEPTH(void **state BF_UNUSED)
{
	struct buf xml = BUF_INIT;
	struct works works = WORKS_INIT;
	struct err err;

	for (int i = 0; i < LIMIT_TEI_DEPTH; i++)
		buf_printf(&xml, "<TEI>");
	for (int i = 0; i < LIMIT_TEI_DEPTH; i++)
		buf_printf(&xml, "</TEI>");
	assert_int_equal(read_tei(buf_str(&xml), 100, &works, &err), 0);
	buf_reset(&xml);
	for (int i = 0; i <= LIMIT_TEI_DEPTH; i++)
		buf_printf(&xml, "<TEI>");
	expect_refused(buf_str(&xml), ERR_LIMIT, "too deeply");
	buf_clear(&xml);
}

static const struct CMUnitTest citation_tests[] = {
	cmocka_unit_test(doi_find__knows_where_it_ends),
	cmocka_unit_test(doi_find__finds_none_in_what_only_looks_like_one),
	cmocka_unit_test(a_doi_of_257_bytes_is_not_taken),
	cmocka_unit_test(doi_find__is_soon_done_with_what_goes_on_and_on),
	cmocka_unit_test(doi_parse__takes_nothing_but_a_doi),
	cmocka_unit_test(arxiv_find__in_every_spelling),
	cmocka_unit_test(titles__are_the_same_but_for_case_blanks_accents_and_punctuation),
	cmocka_unit_test(titles__of_other_works_stay_apart),
	cmocka_unit_test(titles__of_ascii_are_the_same_as_among_other_letters),
	cmocka_unit_test(titles__that_are_no_utf8_or_nothing_do_no_harm),
	cmocka_unit_test(a_work_has_clean_text_up_to_LIMIT_CITATION_TEXT_BYTES),
	cmocka_unit_test(tei__of_a_real_paper),
	cmocka_unit_test(tei__every_field),
	cmocka_unit_test(tei__has_no_entities_no_document_type_and_ends),
	cmocka_unit_test(tei__is_no_deeper_than_LIMIT_TEI_DEPTH),
};

UNIT_MAIN(citation_tests)
