# libbfworkers.a: what the types of operation share.  One executable per type.
noinst_LIBRARIES += libbfworkers.a
libbfworkers_a_SOURCES = \
	src/workers/records_link.c src/workers/records_link.h \
	src/workers/worker.c src/workers/worker.h

WORKER_LDADD_COMMON = libbfworkers.a libbfproto.a libbfop.a libbfcommon.a $(EV_LIBS)

# A worker that misbehaves on demand, for the tests of the daemon.
check_PROGRAMS += t/workers/null-op
t_workers_null_op_SOURCES = t/workers/null_op.c
t_workers_null_op_LDADD = $(WORKER_LDADD_COMMON)

UNIT_TESTS += t/unit/test_worker t/unit/test_records_link
t_unit_test_worker_SOURCES = t/unit/test_worker.c t/unit/worker_rig.c t/unit/worker_rig.h
t_unit_test_worker_LDADD = $(WORKER_LDADD_COMMON) $(UNIT_LIBS)
t_unit_test_records_link_SOURCES = t/unit/test_records_link.c \
	t/unit/worker_rig.c t/unit/worker_rig.h
t_unit_test_records_link_LDADD = $(WORKER_LDADD_COMMON) $(UNIT_LIBS)
