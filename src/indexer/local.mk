# backfill-indexer: the only writer of records/.  All but main() is a library,
# for the unit tests.
noinst_LIBRARIES += libbfindexer.a
libbfindexer_a_SOURCES = \
	src/indexer/apply.c src/indexer/apply.h \
	src/indexer/indexer.c src/indexer/indexer.h \
	src/indexer/lane.c src/indexer/lane.h \
	src/indexer/peer.c src/indexer/peer.h src/indexer/peer_impl.h \
	src/indexer/peer_ask.c \
	src/indexer/peer_rows.c \
	src/indexer/peer_write.c \
	src/indexer/scan.c src/indexer/scan.h src/indexer/scan_impl.h \
	src/indexer/scan_rows.c \
	src/indexer/stage.c src/indexer/stage.h \
	src/indexer/work.c src/indexer/work.h

pkglibexec_PROGRAMS += backfill-indexer
backfill_indexer_SOURCES = src/indexer/main.c
INDEXER_LIBS = libbfindexer.a $(CONFINE_LIBS) libbfproto.a $(STORE_LIBS) $(EV_LIBS)
backfill_indexer_LDADD = $(INDEXER_LIBS)

UNIT_TESTS += t/unit/test_indexer t/unit/test_indexer_faults \
	t/unit/test_indexer_protocol t/unit/test_indexer_rows \
	t/unit/test_indexer_asks t/unit/test_stage
INDEXER_TEST_LDADD = libbfproto.a $(STORE_LIBS) $(EV_LIBS) $(UNIT_LIBS)
t_unit_test_indexer_SOURCES = t/unit/test_indexer.c \
	t/unit/indexer_unit.c t/unit/indexer_unit.h
t_unit_test_indexer_LDADD = $(INDEXER_TEST_LDADD)
t_unit_test_indexer_faults_SOURCES = t/unit/test_indexer_faults.c \
	t/unit/indexer_unit.c t/unit/indexer_unit.h
t_unit_test_indexer_faults_LDADD = $(INDEXER_TEST_LDADD)
t_unit_test_indexer_protocol_SOURCES = t/unit/test_indexer_protocol.c \
	t/unit/indexer_unit.c t/unit/indexer_unit.h
t_unit_test_indexer_protocol_LDADD = $(INDEXER_TEST_LDADD)
t_unit_test_indexer_rows_SOURCES = t/unit/test_indexer_rows.c \
	t/unit/indexer_unit.c t/unit/indexer_unit.h
t_unit_test_indexer_rows_LDADD = $(INDEXER_TEST_LDADD)
t_unit_test_indexer_asks_SOURCES = t/unit/test_indexer_asks.c \
	t/unit/indexer_unit.c t/unit/indexer_unit.h
t_unit_test_indexer_asks_LDADD = $(INDEXER_TEST_LDADD)
t_unit_test_stage_SOURCES = t/unit/test_stage.c
t_unit_test_stage_LDADD = libbfcommon.a $(UNIT_LIBS)
