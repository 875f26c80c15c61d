/*
 * section.h - where in the text of a document its references stand.
 */
#ifndef BF_CITATION_SECTION_H
#define BF_CITATION_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

/*
 * Find the reference section: what follows the last line that is nothing but such a
 * heading ("References", "7. BIBLIOGRAPHY", "R EFERENCES", "Literatur", ...) and is
 * followed by a year or a DOI soon, up to a heading that cannot be part of it ("Appendix A",
 * "Acknowledgements", ...).  text is UTF-8 with a form feed behind each page.  A slice
 * of text; false if there is none.
 */
bool section_find(struct str text, struct str *section_out);

/* The same, and how many bytes it has looked at for years and DOIs: never more than
 * twice the text, whatever that is. */
bool section_find_counting(struct str text, struct str *section_out,
    uint64_t *looked_out);

/* Walk lines: the next one without its end; false behind the last.  A form feed in
 * front of it is dropped, and told if new_page_out is not NULL. */
bool section_next_line(struct str *rest, struct str *line_out, bool *new_page_out);

/* A year from 1500 to 2099 that stands alone; 0 if there is none from `from` on.
 * at_out, unless NULL, is where it was found. */
unsigned section_find_year(struct str text, size_t from, size_t *at_out);

#endif
