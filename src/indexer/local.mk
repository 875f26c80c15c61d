# backfill-indexer: the only writer of records/.  All but main() is a library,
# for the unit tests.
noinst_LIBRARIES += libbfindexer.a
libbfindexer_a_SOURCES = \
	src/indexer/apply.c src/indexer/apply.h \
	src/indexer/indexer.c src/indexer/indexer.h \
	src/indexer/lane.c src/indexer/lane.h \
	src/indexer/peer.c src/indexer/peer.h \
	src/indexer/scan.c src/indexer/scan.h \
	src/indexer/stage.c src/indexer/stage.h \
	src/indexer/work.c src/indexer/work.h

pkglibexec_PROGRAMS += backfill-indexer
backfill_indexer_SOURCES = src/indexer/main.c
INDEXER_LIBS = libbfindexer.a libbfproto.a $(STORE_LIBS) $(MSGPACK_LIBS) $(EV_LIBS)
backfill_indexer_LDADD = $(INDEXER_LIBS)
