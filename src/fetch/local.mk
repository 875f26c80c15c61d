# libbffetch.a: HTTP, DID resolution and the XRPC queries of the workers.
noinst_LIBRARIES += libbffetch.a
libbffetch_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(WEBSOCKETS_CFLAGS) $(JANSSON_CFLAGS) $(SECP256K1_CFLAGS)
libbffetch_a_SOURCES = \
	src/fetch/describe_repo.c src/fetch/describe_repo.h \
	src/fetch/crossref.c src/fetch/crossref.h \
	src/fetch/fetch_error.c src/fetch/fetch_error.h \
	src/fetch/get_blob.c src/fetch/get_blob.h \
	src/fetch/get_repo.c src/fetch/get_repo.h \
	src/fetch/grobid.c src/fetch/grobid.h \
	src/fetch/guard.c src/fetch/guard.h \
	src/fetch/http.c src/fetch/http.h \
	src/fetch/http_clock.c \
	src/fetch/http_error.c src/fetch/http_error.h \
	src/fetch/http_impl.h \
	src/fetch/http_loop.c \
	src/fetch/http_transfer.c \
	src/fetch/http_turn.c \
	src/fetch/http_upload.c \
	src/fetch/identity.c src/fetch/identity.h \
	src/fetch/json_get.c src/fetch/json_get.h \
	src/fetch/latest_commit.c src/fetch/latest_commit.h \
	src/fetch/list_page.c src/fetch/list_page.h \
	src/fetch/polite.c src/fetch/polite.h \
	src/fetch/resolve.c src/fetch/resolve.h \
	src/fetch/retry_after.c src/fetch/retry_after.h \
	src/fetch/search_bulk.c \
	src/fetch/search_server.c src/fetch/search_server.h \
	src/fetch/search_server_impl.h \
	src/fetch/subscribe.c src/fetch/subscribe.h src/fetch/subscribe_impl.h \
	src/fetch/subscribe_stream.c \
	src/fetch/scholar.c src/fetch/scholar.h \
	src/fetch/url.c src/fetch/url.h \
	src/fetch/xrpc.c src/fetch/xrpc.h

# What a program that uses the library links, in this order.
FETCH_LIBS = libbffetch.a $(CURL_LIBS) $(WEBSOCKETS_LIBS) $(EV_LIBS) $(ATPROTO_LIBS)

# Their server and the fixture; their own limits on time are in fetch_fixture.c.
FETCH_TEST_FIXTURE = t/unit/fetch_fixture.c t/unit/fetch_fixture.h \
	t/unit/fetch_server.c t/unit/fetch_server.h t/unit/unit.h

UNIT_TESTS += t/unit/test_fetch_http
t_unit_test_fetch_http_SOURCES = t/unit/test_fetch_http.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_http_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_wire
t_unit_test_fetch_wire_SOURCES = t/unit/test_fetch_wire.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_wire_LDADD = $(FETCH_LIBS) -lz $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_hosts
t_unit_test_fetch_hosts_SOURCES = t/unit/test_fetch_hosts.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_hosts_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_xrpc
t_unit_test_fetch_xrpc_SOURCES = t/unit/test_fetch_xrpc.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_xrpc_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SECP256K1_CFLAGS)
t_unit_test_fetch_xrpc_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_identity
t_unit_test_fetch_identity_SOURCES = t/unit/test_fetch_identity.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_identity_CPPFLAGS = $(AM_CPPFLAGS) $(SECP256K1_CFLAGS)
t_unit_test_fetch_identity_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_polite
t_unit_test_fetch_polite_SOURCES = t/unit/test_fetch_polite.c t/unit/unit.h
t_unit_test_fetch_polite_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_list
t_unit_test_fetch_list_SOURCES = t/unit/test_fetch_list.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_list_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_pure
t_unit_test_fetch_pure_SOURCES = t/unit/test_fetch_pure.c t/unit/unit.h
t_unit_test_fetch_pure_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
t_unit_test_fetch_pure_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_names
t_unit_test_fetch_names_SOURCES = t/unit/test_fetch_names.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_names_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_tls
t_unit_test_fetch_tls_SOURCES = t/unit/test_fetch_tls.c t/unit/tls_context.c \
	t/unit/tls_context.h $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_fetch_tls_LDADD = $(FETCH_LIBS) -lssl -lcrypto $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_blob
t_unit_test_fetch_blob_SOURCES = t/unit/test_fetch_blob.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_blob_CPPFLAGS = $(AM_CPPFLAGS) $(SECP256K1_CFLAGS)
t_unit_test_fetch_blob_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

SUBSCRIBE_RIG = t/unit/subscribe_rig.c t/unit/subscribe_rig.h t/unit/ws_server.c \
	t/unit/ws_server.h t/unit/unit.h

UNIT_TESTS += t/unit/test_subscribe_tls
t_unit_test_subscribe_tls_SOURCES = t/unit/test_subscribe_tls.c t/unit/tls_context.c \
	t/unit/tls_context.h t/unit/tls_front.c t/unit/tls_front.h $(SUBSCRIBE_RIG)
t_unit_test_subscribe_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_subscribe_tls_LDADD = $(FETCH_LIBS) -lssl -lcrypto $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_subscribe
t_unit_test_subscribe_SOURCES = t/unit/test_subscribe.c $(SUBSCRIBE_RIG)
t_unit_test_subscribe_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_subscribe_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)

UNIT_TESTS += t/unit/test_fetch_services
t_unit_test_fetch_services_SOURCES = t/unit/test_fetch_services.c $(FETCH_TEST_FIXTURE)
t_unit_test_fetch_services_LDADD = $(FETCH_LIBS) $(UNIT_LIBS)
