# Benchmarks.  `make bench-programs` builds them; `make bench` also runs them on
# repositories that it makes, of BENCH_RECORDS records each.  docs/performance.md has
# figures.

BENCH_RECORDS = 10000 20000 100000 1000000

EXTRA_PROGRAMS += bench/make-repo bench/repo-verify
CLEANFILES += bench/make-repo bench/repo-verify
bench_make_repo_SOURCES = bench/make_repo.c t/unit/maker.c t/unit/maker.h
bench_make_repo_LDADD = $(ATPROTO_LIBS)
bench_repo_verify_SOURCES = bench/repo_verify.c t/unit/maker.c t/unit/maker.h
bench_repo_verify_LDADD = $(ATPROTO_LIBS)
EXTRA_DIST += bench/compare docs/performance.md

.PHONY: bench bench-programs
bench-programs: bench/make-repo bench/repo-verify
bench: bench-programs
	@for records in $(BENCH_RECORDS); do \
		file=bench/records-$$records.car; \
		test -e $$file || bench/make-repo $$records >$$file 2>/dev/null || exit 1; \
		echo; bench/repo-verify $$file || exit 1; \
	done
	@if test -e $(top_srcdir)/t/net/node_modules/.installed; then \
		echo; $(top_srcdir)/bench/compare bench/records-20000.car; fi

# How fast a scan compares 100,000 repositories: see bench/pds-scan.
EXTRA_PROGRAMS += bench/list-floor
CLEANFILES += bench/list-floor
bench_list_floor_SOURCES = bench/list_floor.c
bench_list_floor_LDADD = libbfcommon.a
EXTRA_DIST += bench/pds-scan

.PHONY: bench-pds-scan-programs bench-pds-scan
bench-pds-scan-programs: all
	@$(MAKE) $(AM_MAKEFLAGS) bench/list-floor t/peer/fake-peer
bench-pds-scan: bench-pds-scan-programs
	@$(top_srcdir)/bench/pds-scan

# How fast the API answers, beside the least that libmicrohttpd costs: see bench/api.
EXTRA_PROGRAMS += bench/http-floor
CLEANFILES += bench/http-floor
bench_http_floor_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
bench_http_floor_SOURCES = bench/http_floor.c
bench_http_floor_LDADD = $(MICROHTTPD_LIBS)
EXTRA_DIST += bench/api

.PHONY: bench-api-programs bench-api
bench-api-programs: all
	@$(MAKE) $(AM_MAKEFLAGS) bench/http-floor t/unit/fill_ops
bench-api: bench-api-programs
	@$(top_srcdir)/bench/api

# What starting, cancelling and finishing operations costs: see bench/ops.
EXTRA_DIST += bench/ops
.PHONY: bench-ops-programs bench-ops
bench-ops-programs: all
	@$(MAKE) $(AM_MAKEFLAGS) t/workers/null-op
bench-ops: bench-ops-programs
	@$(top_srcdir)/bench/ops
