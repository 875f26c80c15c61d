# libbfsearch.a: the search index: made by full-reindex, read by the API and ctl.
noinst_LIBRARIES += libbfsearch.a
libbfsearch_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
libbfsearch_a_SOURCES = \
	src/search/document.c src/search/document.h \
	src/search/field.h \
	src/search/index_file.c src/search/index_file.h \
	src/search/mapping.c src/search/mapping.h \
	src/search/match.c src/search/match.h \
	src/search/search.c src/search/search.h \
	src/search/sqlite_err.c src/search/sqlite_err.h

SEARCH_LIBS = libbfsearch.a $(ATPROTO_LIBS) $(SQLITE_LIBS)

UNIT_TESTS += t/unit/test_search_text t/unit/test_search_index
t_unit_test_search_text_SOURCES = t/unit/test_search_text.c t/unit/search_unit.h
t_unit_test_search_text_LDADD = $(SEARCH_LIBS) $(UNIT_LIBS)
t_unit_test_search_index_SOURCES = t/unit/test_search_index.c t/unit/search_unit.h \
	t/unit/tempdir.h
t_unit_test_search_index_LDADD = $(SEARCH_LIBS) $(UNIT_LIBS)
