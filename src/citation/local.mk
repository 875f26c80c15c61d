# libbfcitation.a: references in texts, and whose they are.  Pure.
noinst_LIBRARIES += libbfcitation.a
libbfcitation_a_CPPFLAGS = $(AM_CPPFLAGS) $(EXPAT_CFLAGS)
libbfcitation_a_SOURCES = \
	src/citation/doi.c src/citation/doi.h \
	src/citation/eprint.c src/citation/eprint.h \
	src/citation/match.c src/citation/match.h \
	src/citation/reference.c src/citation/reference.h \
	src/citation/section.c src/citation/section.h \
	src/citation/split.c src/citation/split.h \
	src/citation/tei.c src/citation/tei.h \
	src/citation/title.c src/citation/title.h \
	src/citation/work.c src/citation/work.h

# What a program that uses the library links, in this order.
CITATION_LIBS = libbfcitation.a $(EXPAT_LIBS) $(UNISTRING_LIBS) $(ATPROTO_LIBS)

UNIT_TESTS += t/unit/test_citation t/unit/test_references t/unit/test_eprint
t_unit_test_citation_SOURCES = t/unit/test_citation.c t/unit/unit.h t/unit/vectors.c \
	t/unit/vectors.h
t_unit_test_citation_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_citation_LDADD = $(CITATION_LIBS) $(UNIT_LIBS)
t_unit_test_references_SOURCES = t/unit/test_references.c t/unit/unit.h t/unit/vectors.c \
	t/unit/vectors.h
t_unit_test_references_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_references_LDADD = $(CITATION_LIBS) $(UNIT_LIBS)
t_unit_test_eprint_SOURCES = t/unit/test_eprint.c t/unit/unit.h
t_unit_test_eprint_LDADD = $(CITATION_LIBS) $(UNIT_LIBS)
