/*
 * test_references.c - src/citation: from the text of a document to its references, and
 * from a reference to the work.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "citation/reference.h"
#include "citation/section.h"
#include "citation/split.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "t/unit/vectors.h"

/* --- sections --- */

#define A_REFERENCE	"Ann Author. 2017. A title of some length. In Venue.\n"

static void
expect_section(const char *text, const char *expected)
{
	struct str section;

	if (expected == NULL) {
		assert_false(section_find(str_from(text), &section));
		return;
	}
	assert_true(section_find(str_from(text), &section));
	if (!str_eq(section, str_from(expected)))
		fail_msg("got \"%.*s\" instead of \"%s\"", STR_FMT(section), expected);
}

static void
section__begins_behind_a_heading_of_any_style(void **state BF_UNUSED)
{
	static const char *const headings[] = {
		"References", "REFERENCES", "7. References", "VII. REFERENCES",
		"7 Bibliography", "R EFERENCES", "\fReferences", "Works Cited",
		"References and Notes", "Literaturverzeichnis", "Références",
		"Список литературы", "参考文献", "참고문헌", "References:", "  LITERATURE CITED  ",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(headings); i++) {
		struct buf text = BUF_INIT;

		buf_printf(&text, "Some text with references.\n%s\n" A_REFERENCE "%c",
		    headings[i], '\0');
		expect_section((const char *)buf_data(&text), A_REFERENCE);
		buf_clear(&text);
	}
}

static void
section__is_the_last_one_that_has_a_year_soon(void **state BF_UNUSED)
{
	expect_section("Contents\nReferences . . . 45\n2017 was a year\nReferences\n"
	    A_REFERENCE, A_REFERENCE);
	expect_section("References\n" A_REFERENCE "Sources\nof nothing\n",
	    A_REFERENCE "Sources\nof nothing\n");
	expect_section("References\n[1] doi:10.1234/x\n", "[1] doi:10.1234/x\n");
}

static void
section__ends_at_what_cannot_be_part_of_it(void **state BF_UNUSED)
{
	expect_section("References\n" A_REFERENCE "Appendix A: proofs\nText of 2018.\n",
	    A_REFERENCE);
	expect_section("References\n" A_REFERENCE "Acknowledgements\nThanks.\n", A_REFERENCE);
}

static void
section__is_not_found_in_text_that_speaks_of_references(void **state BF_UNUSED)
{
	expect_section("The references of 2017 are many.\nReferences are good in 2017.\n",
	    NULL);
	expect_section("References\nno year at all\n", NULL);
	expect_section("References", NULL);
	expect_section("", NULL);
	expect_section("\f\f\n", NULL);
}

/* Bytes that are looked at for years and DOIs, in so many lines, of which none has any. */
static uint64_t
looked_at(const char *line, size_t lines)
{
	struct buf text = BUF_INIT;
	struct str section;
	uint64_t looked;

	for (size_t i = 0; i < lines; i++)
		buf_add_str(&text, str_from(line));
	(void)section_find_counting(buf_str(&text), &section, &looked);
	assert_true(looked <= 2 * buf_len(&text));
	buf_clear(&text);
	return looked;
}

/* Each of these lines is a heading, or looks like one, with thousands of bytes to look
 * at behind it. */
static void
section__is_found_in_a_time_by_the_length_of_the_text_alone(void **state BF_UNUSED)
{
	static const char *const lines[] = {
		"References\n", "References\n\f", "7\n", "References\n10.1000.1\n",
		"References\n20170\n", "References\n10.1000/\n", "参考文献\n",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(lines); i++) {
		uint64_t few = looked_at(lines[i], 2000), many = looked_at(lines[i], 20000);

		if (many > 10 * few + 1000)
			fail_msg("%s: %llu bytes, and %llu of ten times the text", lines[i],
			    (unsigned long long)few, (unsigned long long)many);
	}
}

/* What was found behind one heading counts for the next, if it is near enough. */
static void
section__needs_a_year_near_its_heading(void **state BF_UNUSED)
{
	char far[4000], text[9000];

	memset(far, 'x', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "References\n%s\nReferences\n" A_REFERENCE, far);
	expect_section(text, A_REFERENCE);
	(void)snprintf(text, sizeof(text), "References\n" A_REFERENCE "%s\nSources\n%s\n2017",
	    far, far);
	text[8000] = '\0';
	expect_section(text, text + strlen("References\n"));
	(void)snprintf(text, sizeof(text), "References\n%s\n2017 10.1234/x\n", far);
	expect_section(text, NULL);
}

static void
a_year_stands_alone(void **state BF_UNUSED)
{
	size_t at;

	assert_int_equal(section_find_year(STR("in 2017."), 0, &at), 2017);
	assert_int_equal(at, 3);
	assert_int_equal(section_find_year(STR("12017 20171 1234 2100"), 0, NULL), 0);
	assert_int_equal(section_find_year(STR("10.1000/2017 1706.2017"), 0, NULL), 0);
	assert_int_equal(section_find_year(STR("pp. 1999-2010"), 0, NULL), 0);
	assert_int_equal(section_find_year(STR("2017a"), 0, NULL), 2017);
}

/* --- splitting --- */

struct got {
	char *texts[64];
	size_t count;
};

static void
on_reference(struct str reference, void *arg)
{
	struct got *got = arg;

	assert_true(got->count < BF_ARRAY_LEN(got->texts));
	got->texts[got->count++] = xstrndup(reference.ptr, reference.len);
}

/* expected ends with NULL. */
static void
expect_split(const char *section, const char *const *expected)
{
	struct got got = { .count = 0 };
	size_t i;

	split_references(str_from(section), on_reference, &got);
	for (i = 0; expected[i] != NULL && i < got.count; i++)
		assert_string_equal(got.texts[i], expected[i]);
	assert_null(expected[i]);
	assert_int_equal(got.count, i);
	for (i = 0; i < got.count; i++)
		free(got.texts[i]);
}

#define EXPECT_SPLIT(section, ...) \
	expect_split(section, (const char *const []){ __VA_ARGS__, NULL })

static void
split__by_labels_in_brackets(void **state BF_UNUSED)
{
	EXPECT_SPLIT(
	    "[1] D. E. Knuth, \"Literate Programming,\" The Computer\n"
	    "Journal, vol. 27, 1984.\n"
	    "[2] L. Lamport. LaTeX: A Document Preparation Sys-\n"
	    "tem. Addison-Wesley, 1986.\n"
	    "see also [1].\n"
	    "[10] A. Turing. On computable numbers. 1936.\n",
	    "[1] D. E. Knuth, \"Literate Programming,\" The Computer Journal, vol. 27, 1984.",
	    "[2] L. Lamport. LaTeX: A Document Preparation System. Addison-Wesley, 1986. "
	    "see also [1].",
	    "[10] A. Turing. On computable numbers. 1936.");
	EXPECT_SPLIT("[Knu84] D. E. Knuth. Literate Programming. 1984.\n"
	    "[AB+17a] A. Author et al. A title of some length. 2017.\n",
	    "[Knu84] D. E. Knuth. Literate Programming. 1984.",
	    "[AB+17a] A. Author et al. A title of some length. 2017.");
}

static void
split__by_numbers_that_count_up(void **state BF_UNUSED)
{
	EXPECT_SPLIT(
	    "1. Watson JD, Crick FH. Molecular structure of nucleic acids. Nature\n"
	    "171. 1953:737-8.\n"
	    "2. Sanger F. The free amino groups of insulin. Biochem J. 1945;39:507-\n"
	    "15.\n"
	    "\n"
	    "3. Franklin RE, Gosling RG. Molecular configuration. Nature. 1953.\n",
	    "1. Watson JD, Crick FH. Molecular structure of nucleic acids. Nature 171. "
	    "1953:737-8.",
	    "2. Sanger F. The free amino groups of insulin. Biochem J. 1945;39:507-15.",
	    "3. Franklin RE, Gosling RG. Molecular configuration. Nature. 1953.");
}

static void
split__by_names_with_and_without_blank_lines(void **state BF_UNUSED)
{
	EXPECT_SPLIT(
	    "Chandra Bhagavatula, Sergey Feldman, Russell Power,\n"
	    "and Waleed Ammar. 2018. Content-based citation\n"
	    "recommendation. In NAACL.\n"
	    "Chandra Bhagavatula, Thanapon Noraset, and Doug\n"
	    "Downey. 2015. TabEL: entity linking in web tables.\n"
	    "In ISWC.\n"
	    "\n"
	    "Srinivasan Iyer and Luke S.\n"
	    "Zettlemoyer. 2017. Learning a neural parser.\n",
	    "Chandra Bhagavatula, Sergey Feldman, Russell Power, and Waleed Ammar. 2018. "
	    "Content-based citation recommendation. In NAACL.",
	    "Chandra Bhagavatula, Thanapon Noraset, and Doug Downey. 2015. TabEL: entity "
	    "linking in web tables. In ISWC.",
	    "Srinivasan Iyer and Luke S. Zettlemoyer. 2017. Learning a neural parser.");
	EXPECT_SPLIT(
	    "Müller, K., & Østergård, P. (2010). Über die Grenzen. Springer.\n"
	    "van der Berg, J. (2011). Een titel van enige lengte. Elsevier.\n"
	    "Žižek, S. (1989). The Sublime Object of Ideology. Verso.\n",
	    "Müller, K., & Østergård, P. (2010). Über die Grenzen. Springer.",
	    "van der Berg, J. (2011). Een titel van enige lengte. Elsevier.",
	    "Žižek, S. (1989). The Sublime Object of Ideology. Verso.");
}

static void
split__drops_running_heads_and_page_numbers(void **state BF_UNUSED)
{
	EXPECT_SPLIT(
	    "[1] A. Author. The first title of them all. 2001.\n"
	    "90\n"
	    "\n"
	    "\fAuthor et al. 91\n"
	    "[2] B. Author. The second title, which goes on\n"
	    "91\n"
	    "\fAuthor et al. 92\n"
	    "over the page. 2002.\n"
	    "92\n"
	    "\f",
	    "[1] A. Author. The first title of them all. 2001.",
	    "[2] B. Author. The second title, which goes on over the page. 2002.");
}

static void
split__puts_addresses_together(void **state BF_UNUSED)
{
	EXPECT_SPLIT(
	    "[1] A. Author. A title of some length. 2001. https://doi.org/10.1145/\n"
	    "3292500.3330701\n"
	    "[2] B. Author. Another one. 2002. doi:10.1000/abc-\n"
	    "def. Accessed 2020.\n"
	    "[3] C. Author. A third one. 2003. doi:10.1000/xyz.\n"
	    "Accessed 2021.\n",
	    "[1] A. Author. A title of some length. 2001. "
	    "https://doi.org/10.1145/3292500.3330701",
	    "[2] B. Author. Another one. 2002. doi:10.1000/abc-def. Accessed 2020.",
	    "[3] C. Author. A third one. 2003. doi:10.1000/xyz. Accessed 2021.");
}

static void
count_reference(struct str reference BF_UNUSED, void *arg)
{
	++*(size_t *)arg;
}

static void
split__ends_at_LIMIT_CITATIONS(void **state BF_UNUSED)
{
	struct buf text = BUF_INIT;
	size_t count = 0;

	for (int i = 1; i <= LIMIT_CITATIONS + 10; i++)
		buf_printf(&text, "[%d] A. Author. Title number %d. 2001.\n", i, i);
	split_references(buf_str(&text), count_reference, &count);
	assert_int_equal(count, LIMIT_CITATIONS);
	buf_clear(&text);
}

static void
split__cuts_a_reference_at_LIMIT_CITATION_TEXT_BYTES(void **state BF_UNUSED)
{
	struct got got = { .count = 0 };
	struct buf text = BUF_INIT;

	buf_printf(&text, "[1] A. Author. Title. 2001. ");
	while (buf_len(&text) < 2 * LIMIT_CITATION_TEXT_BYTES)
		buf_add_byte(&text, 'x');
	split_references(buf_str(&text), on_reference, &got);
	assert_int_equal(got.count, 1);
	assert_int_equal(strlen(got.texts[0]), LIMIT_CITATION_TEXT_BYTES);
	free(got.texts[0]);
	buf_clear(&text);
}

static void
split__takes_anything(void **state BF_UNUSED)
{
	const char *const odd[] = {
		"", "\n", "\f", "[", "[1", "1", "(1", "-\n-\na", "\xff\xfe\n[1]\xc3",
		"[1] \n[2] \n", "10.\n10./\n", "A", "A,\n", "\f\f\f1\n\f1\n\f1\n",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(odd); i++) {
		size_t count = 0;

		split_references(str_from(odd[i]), count_reference, &count);
		assert_int_equal(count, 0);
	}
}

/* --- single references --- */

static void
expect_work(const char *reference, const char *title, unsigned year, const char *doi,
    const char *arxiv)
{
	struct works works = WORKS_INIT;
	struct work *work = works_add(&works, CITATION_FROM_PDF);

	reference_read(str_from(reference), work);
	if (!str_eq(work_text(work, WORK_TITLE), str_from(title)))
		fail_msg("title of \"%s\": \"%s\"", reference, work->texts[WORK_TITLE]);
	if (work->year != year)
		fail_msg("year of \"%s\": %u", reference, work->year);
	assert_true(str_eq(work_text(work, WORK_DOI), str_from(doi)));
	assert_true(str_eq(work_text(work, WORK_ARXIV), str_from(arxiv)));
	works_clear(&works);
}

static void
reference__styles(void **state BF_UNUSED)
{
	expect_work("[3] D. E. Knuth, “Literate programming,” Comput. J., vol. 27, no. 2, "
	    "pp. 97–111, 1984, doi: 10.1093/comjnl/27.2.97.",
	    "Literate programming", 1984, "10.1093/comjnl/27.2.97", "");
	expect_work("Gmytrasiewicz, P. J., Durfee, E. H., & Wehe, D. K. (1991a). A decision "
	    "theoretic approach to coordinating multiagent interaction. In Proceedings "
	    "of the Twelfth IJCAI, pp. 62-68 Sydney, Australia.",
	    "A decision theoretic approach to coordinating multiagent interaction", 1991,
	    "", "");
	expect_work("Chandra Bhagavatula, Thanapon Noraset, and Doug Downey. 2015. TabEL: "
	    "entity linking in web tables. In ISWC.",
	    "TabEL: entity linking in web tables", 2015, "", "");
	expect_work("A. Cau, R. Kuiper, and W.-P. de Roever. Formalising Dijkstra's "
	    "development strategy within Stark's formalism. In C. B. Jones, editor, "
	    "Proc. 5th. BCS-FACS Refinement Workshop, 1992.",
	    "Formalising Dijkstra's development strategy within Stark's formalism", 1992,
	    "", "");
	expect_work("12. Watson JD, Crick FH. Molecular structure of nucleic acids: a "
	    "structure for deoxyribose nucleic acid. Nature. 1953;171:737-8.",
	    "Molecular structure of nucleic acids: a structure for deoxyribose nucleic "
	    "acid", 1953, "", "");
	expect_work("Ashish Vaswani et al. Attention is all you need. arXiv preprint "
	    "arXiv:1706.03762v5, 2017.", "Attention is all you need", 2017, "",
	    "1706.03762");
	expect_work("Wie wir lesen. In: Müller, „Das Buch als solches“, 1999.",
	    "Das Buch als solches", 1999, "", "");
	expect_work("Bookstein and Klein, Detecting words, Proceedings of SIGIR (1990) 12",
	    "", 1990, "", "");
	expect_work("Is it so? Yes. https://example.org/2019/x", "", 0, "", "");
}

static void
reference__year_is_none_of_a_doi_or_a_page(void **state BF_UNUSED)
{
	expect_work("A. Author. A title of some length. https://doi.org/10.1000/2019.2020",
	    "A title of some length", 0, "10.1000/2019.2020", "");
	expect_work("A. Author. A title of some length. J. 7 (2003) 1999-2010.",
	    "A title of some length", 2003, "", "");
}

static void
reference__takes_anything(void **state BF_UNUSED)
{
	const char *const odd[] = {
		"", " ", ".", "[", "[]", "[1]", "1.", "(1)", "(2017)", "2017", "2017.",
		"\"\"", "\"", "“", "(2017", "A. (2017)", ". . . .", "\xff", "10.1000/",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(odd); i++) {
		struct works works = WORKS_INIT;

		reference_read(str_from(odd[i]), works_add(&works, CITATION_FROM_PDF));
		works_clear(&works);
	}
}

/* --- vectors: what comes of real references --- */

static struct {
	unsigned lines, titles, years;
} seen;

static void
read_line(struct str line, void *arg BF_UNUSED)
{
	struct works works = WORKS_INIT;
	struct work *work = works_add(&works, CITATION_FROM_PDF);

	reference_read(line, work);
	seen.lines++;
	seen.titles += work_text(work, WORK_TITLE).len > 0;
	seen.years += work->year != 0;
	works_clear(&works);
}

static void
reference_vectors__nearly_all_have_a_year_and_most_a_title(void **state BF_UNUSED)
{
	vectors_need();
	vectors_lines("grobid_client_python/resources/test_txt/reference-strings-1.txt",
	    read_line, NULL);
	print_message("# %u references, %u with a title, %u with a year\n", seen.lines,
	    seen.titles, seen.years);
	assert_true(seen.lines > 400);
	assert_true(seen.years * 100 > seen.lines * 95);
	assert_true(seen.titles * 100 > seen.lines * 70);
}

static const struct CMUnitTest references_tests[] = {
	cmocka_unit_test(section__begins_behind_a_heading_of_any_style),
	cmocka_unit_test(section__is_the_last_one_that_has_a_year_soon),
	cmocka_unit_test(section__ends_at_what_cannot_be_part_of_it),
	cmocka_unit_test(section__is_not_found_in_text_that_speaks_of_references),
	cmocka_unit_test(section__is_found_in_a_time_by_the_length_of_the_text_alone),
	cmocka_unit_test(section__needs_a_year_near_its_heading),
	cmocka_unit_test(a_year_stands_alone),
	cmocka_unit_test(split__by_labels_in_brackets),
	cmocka_unit_test(split__by_numbers_that_count_up),
	cmocka_unit_test(split__by_names_with_and_without_blank_lines),
	cmocka_unit_test(split__drops_running_heads_and_page_numbers),
	cmocka_unit_test(split__puts_addresses_together),
	cmocka_unit_test(split__ends_at_LIMIT_CITATIONS),
	cmocka_unit_test(split__cuts_a_reference_at_LIMIT_CITATION_TEXT_BYTES),
	cmocka_unit_test(split__takes_anything),
	cmocka_unit_test(reference__styles),
	cmocka_unit_test(reference__year_is_none_of_a_doi_or_a_page),
	cmocka_unit_test(reference__takes_anything),
	cmocka_unit_test(reference_vectors__nearly_all_have_a_year_and_most_a_title),
};

UNIT_MAIN(references_tests)
