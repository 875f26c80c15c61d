# backfill-resolver: DIDs for those who must not use the network.  All but main() is
# a library, for the unit tests.
noinst_LIBRARIES += libbfresolver.a
libbfresolver_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECP256K1_CFLAGS)
libbfresolver_a_SOURCES = \
	src/resolver/answer.c src/resolver/answer.h \
	src/resolver/lookup.c src/resolver/lookup.h \
	src/resolver/memory.c src/resolver/memory.h \
	src/resolver/peer.c src/resolver/peer.h \
	src/resolver/resolver.c src/resolver/resolver.h

pkglibexec_PROGRAMS += backfill-resolver
backfill_resolver_SOURCES = src/resolver/main.c
RESOLVER_LIBS = libbfresolver.a $(CONFINE_LIBS) libbfproto.a libbfop.a $(FETCH_LIBS)
backfill_resolver_LDADD = $(RESOLVER_LIBS)

UNIT_TESTS += t/unit/test_resolver
t_unit_test_resolver_SOURCES = t/unit/test_resolver.c \
	t/unit/fetch_server.c t/unit/fetch_server.h t/unit/unit.h
t_unit_test_resolver_CPPFLAGS = $(AM_CPPFLAGS) $(SECP256K1_CFLAGS)
t_unit_test_resolver_LDADD = $(RESOLVER_LIBS) $(UNIT_LIBS)
