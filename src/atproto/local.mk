noinst_LIBRARIES += libbfatproto.a
libbfatproto_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SECP256K1_CFLAGS) $(CRYPTO_CFLAGS)
libbfatproto_a_SOURCES = \
	src/atproto/aturi.h \
	src/atproto/basex.h \
	src/atproto/car.h \
	src/atproto/cid.h \
	src/atproto/commit.h \
	src/atproto/dagcbor.h \
	src/atproto/dagcbor_json.h \
	src/atproto/dagcbor_write.h \
	src/atproto/datetime.h \
	src/atproto/did.h \
	src/atproto/diddoc.h \
	src/atproto/diff.h \
	src/atproto/fault.c src/atproto/fault.h src/atproto/fault.def \
	src/atproto/filter.h \
	src/atproto/handle.h \
	src/atproto/key.h \
	src/atproto/keypair.h \
	src/atproto/mst.h \
	src/atproto/nsid.h \
	src/atproto/repo.h \
	src/atproto/rkey.h \
	src/atproto/sha256.h \
	src/atproto/varint.h

# What a program that uses the library links, in this order.
ATPROTO_LIBS = libbfatproto.a libbfcommon.a $(JANSSON_LIBS) $(SECP256K1_LIBS) $(CRYPTO_LIBS)
