# libbfworkers.a: what the types of operation share.  One executable per type.
noinst_LIBRARIES += libbfworkers.a
libbfworkers_a_SOURCES = \
	src/workers/assignment.c src/workers/assignment.h \
	src/workers/item_class.c src/workers/item_class.h \
	src/workers/met.c src/workers/met.h \
	src/workers/kill_plan.c src/workers/kill_plan.h \
	src/workers/scan.c src/workers/scan.h src/workers/scan_impl.h \
	src/workers/scan_checkpoint.c \
	src/workers/scan_file.c src/workers/scan_file.h \
	src/workers/scan_index.c src/workers/scan_index.h \
	src/workers/scan_listing.c src/workers/scan_listing.h \
	src/workers/scan_page.c \
	src/workers/scan_rest.c \
	src/workers/scan_retry.c src/workers/scan_retry.h \
	src/workers/host_memory.c src/workers/host_memory.h \
	src/workers/identity_memory.c src/workers/identity_memory.h \
	src/workers/graph_build.c src/workers/graph_build.h \
	src/workers/graph_build_impl.h \
	src/workers/graph_page.c \
	src/workers/graph_record.c src/workers/graph_record.h \
	src/workers/graph_rule.c src/workers/graph_rule.h \
	src/workers/graph_set.c src/workers/graph_set.h \
	src/workers/net_worker.c src/workers/net_worker.h \
	src/workers/pool_host.c src/workers/pool_host.h \
	src/workers/record_read.c src/workers/record_read.h \
	src/workers/records_lane.c \
	src/workers/records_link.c src/workers/records_link.h \
	src/workers/records_link_impl.h \
	src/workers/room.c src/workers/room.h \
	src/workers/rows_ask.c \
	src/workers/rows_link.c src/workers/rows_link.h \
	src/workers/row_writer.c src/workers/row_writer.h \
	src/workers/sync_check.c \
	src/workers/sync_env.c src/workers/sync_env.h \
	src/workers/sync_fetch.c \
	src/workers/sync_index.c \
	src/workers/sync_pool.c src/workers/sync_pool.h \
	src/workers/sync_repo.c src/workers/sync_repo.h src/workers/sync_repo_impl.h \
	src/workers/wire_text.c src/workers/wire_text.h \
	src/workers/worker.c src/workers/worker.h

WORKER_LDADD_COMMON = libbfworkers.a $(CONFINE_LIBS) libbfproto.a libbfop.a libbfcommon.a $(EV_LIBS)
SYNC_LDADD = libbfworkers.a libbfrows.a $(CONFINE_LIBS) libbfproto.a libbfop.a $(FETCH_LIBS)

pkglibexec_PROGRAMS += did-sync
did_sync_SOURCES = src/workers/did_sync.c
did_sync_LDADD = $(SYNC_LDADD)

pkglibexec_PROGRAMS += pds-scan full-sync freshness-scan
pds_scan_SOURCES = src/workers/pds_scan.c src/workers/pds_scan.h \
	src/workers/pds_empty.c src/workers/pds_gather.c src/workers/pds_host.c \
	src/workers/pds_wanted.c
pds_scan_LDADD = $(SYNC_LDADD)
full_sync_SOURCES = src/workers/full_sync.c \
	src/workers/relay_note.c src/workers/relay_note.h \
	src/workers/relay_stream.c src/workers/relay_stream.h
full_sync_LDADD = $(SYNC_LDADD)
freshness_scan_SOURCES = src/workers/freshness_scan.c
freshness_scan_LDADD = $(SYNC_LDADD)

pkglibexec_PROGRAMS += full-reindex
full_reindex_SOURCES = src/workers/full_reindex.c src/workers/reindex_file.c \
	src/workers/reindex_server.c src/workers/reindex_sink.h
full_reindex_LDADD = $(SYNC_LDADD) libbfsearch.a $(ATPROTO_LIBS) $(SQLITE_LIBS)

pkglibexec_PROGRAMS += citation-extraction
citation_extraction_SOURCES = \
	src/workers/citation_enrich.c \
	src/workers/citation_env.c src/workers/citation_env.h \
	src/workers/citation_extract.c \
	src/workers/citation_extraction.c \
	src/workers/citation_fetch.c \
	src/workers/citation_job.c src/workers/citation_job.h \
	src/workers/citation_job_impl.h \
	src/workers/citation_match.c src/workers/citation_match.h \
	src/workers/citation_queue.c src/workers/citation_queue.h \
	src/workers/citation_sweep.c \
	src/workers/citation_table.c src/workers/citation_table.h \
	src/workers/citation_write.c \
	src/workers/pdf_run.c src/workers/pdf_run.h
citation_extraction_LDADD = libbfrows.a libbfcitation.a $(EXPAT_LIBS) $(UNISTRING_LIBS) \
	$(SYNC_LDADD)

UNIT_TESTS += t/unit/test_pdf_run
t_unit_test_pdf_run_SOURCES = t/unit/test_pdf_run.c src/workers/pdf_run.c \
	src/workers/pdf_run.h t/unit/unit.h
t_unit_test_pdf_run_LDADD = libbfcommon.a $(EV_LIBS) $(UNIT_LIBS)
pkglibexec_PROGRAMS += catch-up
catch_up_SOURCES = \
	src/workers/catch_up.c src/workers/catch_up_impl.h \
	src/workers/catch_up_apply.c \
	src/workers/catch_up_compare.c \
	src/workers/catch_up_event.c src/workers/catch_up_event.h \
	src/workers/catch_up_resync.c \
	src/workers/catch_up_save.c \
	src/workers/catch_up_tell.c \
	src/workers/relay.c src/workers/relay.h \
	src/workers/relay_stream.c src/workers/relay_stream.h \
	src/workers/replay_total.c src/workers/replay_total.h \
	src/workers/replay_window.c src/workers/replay_window.h
catch_up_LDADD = $(SYNC_LDADD)

UNIT_TESTS += t/unit/test_replay_total
t_unit_test_replay_total_SOURCES = t/unit/test_replay_total.c t/unit/unit.h \
	src/workers/replay_total.c src/workers/replay_total.h
t_unit_test_replay_total_LDADD = $(UNIT_LDADD_COMMON)

UNIT_TESTS += t/unit/test_replay_window
t_unit_test_replay_window_SOURCES = t/unit/test_replay_window.c t/unit/unit.h \
	src/workers/replay_window.c src/workers/replay_window.h
t_unit_test_replay_window_LDADD = $(UNIT_LDADD_COMMON)

pkglibexec_PROGRAMS += governance-sync
governance_sync_SOURCES = src/workers/governance_sync.c
governance_sync_LDADD = $(SYNC_LDADD)

# A worker that misbehaves on demand, for the tests of the daemon.
check_PROGRAMS += t/workers/null-op
t_workers_null_op_SOURCES = t/workers/null_op.c \
	t/workers/null_items.c t/workers/null_items.h \
	t/workers/null_raw.c t/workers/null_raw.h
t_workers_null_op_LDADD = $(WORKER_LDADD_COMMON)

# Holds snapshots of a store's readers table, for as long as a test wants.
check_PROGRAMS += t/workers/hold-readers
t_workers_hold_readers_SOURCES = t/workers/hold_readers.c
t_workers_hold_readers_LDADD = $(STORE_LIBS)

# One that tries what a worker must not be able to, confined as did-sync is.
check_PROGRAMS += t/workers/hostile
t_workers_hostile_SOURCES = t/workers/hostile.c
t_workers_hostile_LDADD = $(WORKER_LDADD_COMMON)

UNIT_TESTS += t/unit/test_worker t/unit/test_records_link
t_unit_test_worker_SOURCES = t/unit/test_worker.c t/unit/worker_rig.c t/unit/worker_rig.h
t_unit_test_worker_LDADD = $(WORKER_LDADD_COMMON) $(UNIT_LIBS)
t_unit_test_records_link_SOURCES = t/unit/test_records_link.c \
	t/unit/worker_rig.c t/unit/worker_rig.h
t_unit_test_records_link_LDADD = $(WORKER_LDADD_COMMON) $(UNIT_LIBS)

ACCOUNT_TEST_RIG = t/unit/fake_account.c t/unit/fake_account.h \
	t/unit/fetch_server.c t/unit/fetch_server.h t/unit/vectors.c t/unit/vectors.h
FAKE_INDEXER = t/unit/fake_indexer.c t/unit/fake_indexer.h \
	t/unit/fake_rows.c t/unit/fake_rows.h
SYNC_TEST_RIG = $(ACCOUNT_TEST_RIG) t/unit/sync_bench.c t/unit/sync_bench.h \
	$(FAKE_INDEXER)

UNIT_TESTS += t/unit/test_scan
t_unit_test_scan_SOURCES = t/unit/test_scan.c
t_unit_test_scan_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_sync_pool
t_unit_test_sync_pool_SOURCES = t/unit/test_sync_pool.c $(SYNC_TEST_RIG)
t_unit_test_sync_pool_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_graph_record t/unit/test_graph_build
t_unit_test_graph_record_SOURCES = t/unit/test_graph_record.c
t_unit_test_graph_record_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)
t_unit_test_graph_build_SOURCES = t/unit/test_graph_build.c \
	t/unit/graph_bench.c t/unit/graph_bench.h $(FAKE_INDEXER)
t_unit_test_graph_build_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_rows_link
t_unit_test_rows_link_SOURCES = t/unit/test_rows_link.c $(FAKE_INDEXER)
t_unit_test_rows_link_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_sync_repo t/unit/test_sync_bad t/unit/test_sync_stop t/unit/test_sync_memory \
	t/unit/test_did_sync
t_unit_test_sync_repo_SOURCES = t/unit/test_sync_repo.c $(SYNC_TEST_RIG)
t_unit_test_sync_repo_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)
t_unit_test_sync_bad_SOURCES = t/unit/test_sync_bad.c $(SYNC_TEST_RIG)
t_unit_test_sync_bad_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)
t_unit_test_sync_memory_SOURCES = t/unit/test_sync_memory.c $(SYNC_TEST_RIG)
t_unit_test_sync_memory_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)
t_unit_test_sync_stop_SOURCES = t/unit/test_sync_stop.c $(SYNC_TEST_RIG)
t_unit_test_sync_stop_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)
t_unit_test_did_sync_SOURCES = t/unit/test_did_sync.c $(ACCOUNT_TEST_RIG) \
	t/unit/worker_rig.c t/unit/worker_rig.h
t_unit_test_did_sync_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)

EXTRA_DIST += t/30-did-sync.t t/31-did-sync-faults.t t/33-citation-extraction.t \
	t/35-citation-faults.t t/36-kill-citation.t t/lib/Backfilld/Pdf.pm

# Runs the executable: check_PROGRAMS are made after the others.
UNIT_TESTS += t/unit/test_catch_up
t_unit_test_catch_up_SOURCES = t/unit/test_catch_up.c $(FAKE_INDEXER) \
	t/unit/fetch_server.c t/unit/fetch_server.h t/unit/vectors.c t/unit/vectors.h \
	t/unit/worker_rig.c t/unit/worker_rig.h t/unit/ws_server.c t/unit/ws_server.h
t_unit_test_catch_up_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
t_unit_test_catch_up_LDADD = $(SYNC_LDADD) $(UNIT_LIBS)

EXTRA_DIST += t/38-catch-up-faults.t t/38-kill-catch-up.t \
	t/lib/Backfilld/CatchUp.pm t/39-catch-up.t
EXTRA_DIST += t/35-governance-sync.t t/37-kill-governance.t t/lib/Backfilld/Graph.pm
