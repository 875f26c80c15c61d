# libFuzzer targets.  They need clang and
#
#	../configure CC=clang --enable-fuzzing --enable-sanitizers
#
# `make fuzz` builds them; `make fuzz-run` runs each for FUZZ_SECONDS over its seeds
# of fuzz/corpus/.  What they find is left in the build directory.

FUZZ_SECONDS = 10
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZ_TARGETS =

FUZZ_TARGETS += fuzz/car fuzz/dagcbor fuzz/dagcbor_json fuzz/diddoc fuzz/aturi fuzz/commit
fuzz_car_SOURCES = fuzz/fuzz_car.c fuzz/fuzz.h
fuzz_car_LDFLAGS = $(FUZZ_LINK)
fuzz_car_LDADD = $(ATPROTO_LIBS)
fuzz_dagcbor_SOURCES = fuzz/fuzz_dagcbor.c fuzz/fuzz.h
fuzz_dagcbor_LDFLAGS = $(FUZZ_LINK)
fuzz_dagcbor_LDADD = $(ATPROTO_LIBS)
fuzz_dagcbor_json_SOURCES = fuzz/fuzz_dagcbor_json.c fuzz/fuzz.h
fuzz_dagcbor_json_LDFLAGS = $(FUZZ_LINK)
fuzz_dagcbor_json_LDADD = $(ATPROTO_LIBS)
fuzz_diddoc_SOURCES = fuzz/fuzz_diddoc.c fuzz/fuzz.h
fuzz_diddoc_LDFLAGS = $(FUZZ_LINK)
fuzz_diddoc_LDADD = $(ATPROTO_LIBS)
fuzz_aturi_SOURCES = fuzz/fuzz_aturi.c fuzz/fuzz.h
fuzz_aturi_LDFLAGS = $(FUZZ_LINK)
fuzz_aturi_LDADD = $(ATPROTO_LIBS)
fuzz_commit_SOURCES = fuzz/fuzz_commit.c fuzz/fuzz.h
fuzz_commit_LDFLAGS = $(FUZZ_LINK)
fuzz_commit_LDADD = $(ATPROTO_LIBS)

FUZZ_TARGETS += fuzz/jwt
fuzz_jwt_SOURCES = fuzz/fuzz_jwt.c fuzz/fuzz.h
fuzz_jwt_LDFLAGS = $(FUZZ_LINK)
fuzz_jwt_LDADD = $(ATPROTO_LIBS)

FUZZ_TARGETS += fuzz/firehose fuzz/proof
EXTRA_PROGRAMS += fuzz/firehose fuzz/proof
fuzz_firehose_SOURCES = fuzz/fuzz_firehose.c fuzz/fuzz.h
fuzz_firehose_LDFLAGS = $(FUZZ_LINK)
fuzz_firehose_LDADD = $(ATPROTO_LIBS)
fuzz_proof_SOURCES = fuzz/fuzz_proof.c fuzz/fuzz.h
fuzz_proof_LDFLAGS = $(FUZZ_LINK)
fuzz_proof_LDADD = $(ATPROTO_LIBS)

FUZZ_TARGETS += fuzz/message
fuzz_message_SOURCES = fuzz/fuzz_message.c fuzz/fuzz.h
fuzz_message_LDFLAGS = $(FUZZ_LINK)
fuzz_message_LDADD = libbfproto.a libbfop.a libbfcommon.a $(EV_LIBS)

FUZZ_TARGETS += fuzz/channel fuzz/peer
EXTRA_PROGRAMS += fuzz/channel fuzz/peer
fuzz_channel_SOURCES = fuzz/fuzz_channel.c fuzz/fuzz_feed.c fuzz/fuzz_feed.h fuzz/fuzz.h
fuzz_channel_LDFLAGS = $(FUZZ_LINK)
fuzz_channel_LDADD = libbfproto.a libbfop.a libbfcommon.a $(EV_LIBS)
fuzz_peer_SOURCES = fuzz/fuzz_peer.c fuzz/fuzz_feed.c fuzz/fuzz_feed.h fuzz/fuzz.h
fuzz_peer_LDFLAGS = $(FUZZ_LINK)
fuzz_peer_LDADD = $(INDEXER_LIBS)

FUZZ_TARGETS += fuzz/supervisor
EXTRA_PROGRAMS += fuzz/supervisor
fuzz_supervisor_SOURCES = fuzz/fuzz_supervisor.c fuzz/fuzz_feed.c fuzz/fuzz_feed.h \
	fuzz/fuzz.h $(SUPERVISOR_SOURCES)
fuzz_supervisor_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
fuzz_supervisor_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=kill,--wrap=vfork
fuzz_supervisor_LDADD = $(SUPERVISOR_LIBS)

EXTRA_PROGRAMS += fuzz/car fuzz/dagcbor fuzz/dagcbor_json fuzz/diddoc fuzz/aturi \
	fuzz/commit fuzz/jwt fuzz/message
FUZZ_TARGETS += fuzz/tei fuzz/references
EXTRA_PROGRAMS += fuzz/tei fuzz/references
fuzz_tei_SOURCES = fuzz/fuzz_tei.c fuzz/fuzz.h
fuzz_tei_LDFLAGS = $(FUZZ_LINK)
fuzz_tei_LDADD = $(CITATION_LIBS)
fuzz_references_SOURCES = fuzz/fuzz_references.c fuzz/fuzz.h
fuzz_references_LDFLAGS = $(FUZZ_LINK)
fuzz_references_LDADD = $(CITATION_LIBS)

CLEANFILES += $(FUZZ_TARGETS)
EXTRA_DIST += fuzz/corpus

.PHONY: fuzz fuzz-run
if FUZZING
fuzz: $(FUZZ_TARGETS)
fuzz-run: fuzz
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p $$target.found && echo "$$target: $(FUZZ_SECONDS) s" && \
		$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
			-max_len=65536 -artifact_prefix=$$target.found/ $$target.found \
			$(top_srcdir)/fuzz/corpus/$$(basename $$target) \
			>$$target.log 2>&1 || { tail -n 40 $$target.log; exit 1; }; \
	done
else
fuzz fuzz-run:
	@echo 'configure with CC=clang --enable-fuzzing --enable-sanitizers' >&2; exit 1
endif
