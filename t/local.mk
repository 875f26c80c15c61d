# Unit tests are cmocka programs with TAP output, one per module:
# t/unit/test_<module>.c.  Each adds itself to UNIT_TESTS, which `make check`
# builds and hands to prove together with t/*.t.

UNIT_LDADD_COMMON = libbfcommon.a $(CMOCKA_LIBS)

UNIT_TESTS += t/unit/test_common
t_unit_test_common_SOURCES = t/unit/test_common.c t/unit/unit.h
t_unit_test_common_LDADD = $(UNIT_LDADD_COMMON)

check_PROGRAMS += $(UNIT_TESTS)
EXTRA_DIST += t/unit/unit.h
