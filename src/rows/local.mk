# libbfrows.a: what the index's rows mean.
noinst_LIBRARIES += libbfrows.a
libbfrows_a_SOURCES = \
	src/rows/citation_row.c src/rows/citation_row.h \
	src/rows/cursor_row.c src/rows/cursor_row.h \
	src/rows/edge_row.c src/rows/edge_row.h \
	src/rows/extraction_row.c src/rows/extraction_row.h \
	src/rows/desync_row.c src/rows/desync_row.h \
	src/rows/host_row.c src/rows/host_row.h \
	src/rows/identity_row.c src/rows/identity_row.h \
	src/rows/node_row.c src/rows/node_row.h \
	src/rows/resume_row.c src/rows/resume_row.h \
	src/rows/row_table.c src/rows/row_table.h

UNIT_TESTS += t/unit/test_rows
t_unit_test_rows_SOURCES = t/unit/test_rows.c
t_unit_test_rows_LDADD = libbfrows.a $(UNIT_LDADD_COMMON)
