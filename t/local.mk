# Unit tests are cmocka programs with TAP output, one per module:
# t/unit/test_<module>.c.  Each adds itself to UNIT_TESTS, which `make check`
# builds and hands to prove together with t/*.t (t/run says how to run some).

check_LIBRARIES = libbfunit.a
libbfunit_a_SOURCES = t/unit/unit.c t/unit/unit.h
UNIT_LIBS = libbfunit.a $(CMOCKA_LIBS)
UNIT_LDADD_COMMON = libbfcommon.a $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_common
t_unit_test_common_SOURCES = t/unit/test_common.c t/unit/unit.h
t_unit_test_common_LDADD = $(UNIT_LDADD_COMMON)

check_PROGRAMS += $(UNIT_TESTS)
EXTRA_DIST += t/unit/unit.h

# Everything that the tests need, without running them.
.PHONY: check-programs
check-programs: all
	@$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS)

check-local:
	BF_SRCDIR='$(abs_top_srcdir)' BF_BUILDDIR='$(abs_top_builddir)' \
		'$(top_srcdir)/t/run' $(UNIT_TESTS)

EXTRA_DIST += t/run t/lib/guard t/lib/fake-pds t/lib/Backfilld/Account.pm \
	t/lib/fake-relay t/lib/Backfilld/FakeRelay.pm t/lib/Backfilld/Scans.pm \
	t/lib/Backfilld/FakePDS.pm t/lib/Backfilld/FakePeer.pm t/lib/Backfilld/Net.pm \
	t/lib/Backfilld/Process.pm t/lib/Backfilld/Test.pm

EXTRA_DIST += t/31-account-goes.t t/47-crash-points.t t/78-clock.t t/79-init-systems.t t/79-permissions.t t/79-pid-reuse.t t/78-log-reader.t t/78-store-readers.t
EXTRA_DIST += t/46-kill-reindex.t t/38-no-room.t t/44-reindex-leftovers.t
EXTRA_DIST += t/48-soak.t t/76-odd-moments.t t/77-random-frames.t
EXTRA_DIST += t/45-reindex-server.t t/lib/fake-search
EXTRA_DIST += t/44-full-reindex.t t/lib/Backfilld/WriteOp.pm
EXTRA_DIST += t/01-lint.t t/03-private-network.t t/04-fake-pds.t t/05-fake-peer.t
EXTRA_DIST += t/net/README.md t/net/install t/net/package.json t/net/package-lock.json \
	t/net/.npmrc t/net/net.mjs t/net/seed.mjs t/net/tokens.mjs t/net/clients.mjs t/net/lib/migrate.mjs \
	t/net/lib/pds.mjs t/net/lib/plc.mjs t/net/lib/port.mjs t/net/lib/records.mjs \
	t/net/lib/rotate.mjs t/net/lib/xrpc.mjs
EXTRA_DIST += t/lib/Backfilld/NullOp.pm t/20-daemon-life.t t/21-worker-outcomes.t \
	t/22-cancel.t t/23-crash-recovery.t t/24-queue.t t/25-many-operations.t \
	t/26-control-socket.t t/27-odd-workers.t t/28-full-disk.t t/60-fuzz.t t/32-kill-mid-sync.t \
	t/34-pds-scan.t t/35-freshness-scan.t t/36-full-sync.t t/37-hostile-peers.t \
	t/38-kill-scans.t t/74-many-repositories.t

# Do the tests notice faults?  Some minutes; not a part of `make check`.
EXTRA_DIST += t/mutation/mutants.pm t/mutation/run
.PHONY: mutation
mutation:
	'$(top_srcdir)/t/mutation/run'

# What is loaded into processes of a test: built as it is, without sanitizers.
check_PROGRAMS += t/shim/clock.so
t_shim_clock_so_SOURCES = t/shim/clock.c
t_shim_clock_so_CFLAGS = -std=gnu11 -Wall -Wextra -fPIC
t_shim_clock_so_LDFLAGS = -shared

check_PROGRAMS += t/shim/net.so
t_shim_net_so_SOURCES = t/shim/net.c
t_shim_net_so_CFLAGS = -std=gnu11 -Wall -Wextra -fPIC
t_shim_net_so_LDFLAGS = -shared
EXTRA_DIST += t/37-http2.t t/lib/h2-front.mjs t/lib/Backfilld/H2Front.pm \
	t/37-cut-transfers.t t/37-hostile-network.t t/lib/Backfilld/PdfBombs.pm t/lib/Backfilld/ShimNet.pm \
	t/lib/Backfilld/TlsFront.pm
