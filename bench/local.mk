# Benchmarks: `make bench` builds them and runs them on repositories that it makes.

EXTRA_PROGRAMS += bench/make-repo bench/repo-verify
CLEANFILES += bench/make-repo bench/repo-verify
bench_make_repo_SOURCES = bench/make_repo.c t/unit/maker.c t/unit/maker.h
bench_make_repo_LDADD = $(ATPROTO_LIBS)
bench_repo_verify_SOURCES = bench/repo_verify.c t/unit/maker.c t/unit/maker.h
bench_repo_verify_LDADD = $(ATPROTO_LIBS)
