# libbfconfine.a: what each of our processes gives up once it is set up.
noinst_LIBRARIES += libbfconfine.a
libbfconfine_a_SOURCES = \
	src/confine/calls.c src/confine/calls.h \
	src/confine/confine.c src/confine/confine.h

# Before libbfproto.a, which it uses.
CONFINE_LIBS = libbfconfine.a $(SANDBOX_LIBS)

UNIT_TESTS += t/unit/test_confine
t_unit_test_confine_SOURCES = t/unit/test_confine.c t/unit/unit.h
t_unit_test_confine_LDADD = $(CONFINE_LIBS) libbfproto.a libbfop.a $(EV_LIBS) \
	$(UNIT_LDADD_COMMON)

EXTRA_DIST += t/73-containment.t t/74-doctor.t
