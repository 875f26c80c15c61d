/*
 * field.h - the fields of a searchable document, once.
 *
 * F(NAME, name, weight): the column's name in the index, in `title:word` of a
 * query and in the setting search_mapping; the weight is bm25()'s.
 */
#ifndef BF_SEARCH_FIELD_H
#define BF_SEARCH_FIELD_H

#define SEARCH_FIELDS(F)		\
	F(TITLE, title, 10.0)		\
	F(ABSTRACT, abstract, 1.0)	\
	F(KEYWORDS, keywords, 5.0)	\
	F(AUTHORS, authors, 4.0)	\
	F(FIELDS, fields, 2.0)

enum search_field {
#define F(NAME, name, weight)	SEARCH_##NAME,
	SEARCH_FIELDS(F)
#undef F
	SEARCH_FIELDS_COUNT,
};

extern const char *const search_field_names[SEARCH_FIELDS_COUNT];

#endif
