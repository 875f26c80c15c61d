# backfill-api: HTTP in, messages to the supervisor, reads from operations/.
#
# What needs no server is a library, so that unit tests can link it.
noinst_LIBRARIES += libbfapi.a
libbfapi_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SECP256K1_CFLAGS)
libbfapi_a_SOURCES = \
	src/api/address.c src/api/address.h \
	src/api/auth.c src/api/auth.h \
	src/api/chart.c src/api/chart.h \
	src/api/caller.c src/api/caller.h \
	src/api/cors.c src/api/cors.h \
	src/api/feed.c src/api/feed.h \
	src/api/head.c src/api/head.h \
	src/api/head_layout.c src/api/head_layout.h \
	src/api/html.c src/api/html.h \
	src/api/input.c src/api/input.h \
	src/api/op_query.c src/api/op_query.h \
	src/api/params.c src/api/params.h \
	src/api/password.c src/api/password.h \
	src/api/replay.c src/api/replay.h \
	src/api/prom.c src/api/prom.h \
	src/api/reply.c src/api/reply.h \
	src/api/resolver_link.c src/api/resolver_link.h \
	src/api/samples.c src/api/samples.h \
	src/api/session.c src/api/session.h \
	src/api/supervisor_link.c src/api/supervisor_link.h \
	src/api/type_info.c src/api/type_info.h \
	src/api/throttle.c src/api/throttle.h \
	src/api/xrpc_error.c src/api/xrpc_error.def src/api/xrpc_error.h

pkglibexec_PROGRAMS += backfill-api
backfill_api_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(MICROHTTPD_CFLAGS) $(SECP256K1_CFLAGS)
backfill_api_SOURCES = \
	src/api/answer.c src/api/answer.h \
	src/api/assets.h \
	src/api/api.c src/api/api.h \
	src/api/h_asset.c \
	src/api/audit.c src/api/audit.h \
	src/api/h_atbb.c \
	src/api/h_cancel.c \
	src/api/h_did.c \
	src/api/h_pause.c \
	src/api/h_events.c \
	src/api/h_forms.c src/api/h_forms.h \
	src/api/h_health.c \
	src/api/h_metrics.c \
	src/api/h_home.c \
	src/api/h_operation.c \
	src/api/h_search.c \
	src/api/h_session.c src/api/h_session.h \
	src/api/h_status.c \
	src/api/h_trigger.c src/api/h_trigger.h \
	src/api/handlers.h \
	src/api/head_read.c src/api/head_read.h \
	src/api/http.c src/api/http.h \
	src/api/items.c src/api/items.h \
	src/api/main.c \
	src/api/index_metrics.c src/api/index_metrics.h \
	src/api/metrics.c src/api/metrics.h \
	src/api/page.c src/api/page.h \
	src/api/request.c src/api/request.h \
	src/api/route.c src/api/route.h
nodist_backfill_api_SOURCES = src/api/assets.c

# The dashboard's files, as they are, in the binary.
DASHBOARD_FILES = src/api/dashboard/app.js src/api/dashboard/icon.svg \
	src/api/dashboard/style.css
EXTRA_DIST += $(DASHBOARD_FILES) src/api/dashboard/embed
BUILT_SOURCES += src/api/assets.c
CLEANFILES += src/api/assets.c browser-*.png
src/api/assets.c: $(DASHBOARD_FILES) src/api/dashboard/embed
	$(AM_V_GEN)$(MKDIR_P) src/api && \
	'$(srcdir)/src/api/dashboard/embed' $(srcdir)/src/api/dashboard/app.js \
		$(srcdir)/src/api/dashboard/icon.svg \
		$(srcdir)/src/api/dashboard/style.css > $@.tmp && mv $@.tmp $@

backfill_api_LDADD = libbfapi.a libbfrows.a libbfstore.a $(CONFINE_LIBS) libbfproto.a libbfop.a \
	$(SEARCH_LIBS) $(MICROHTTPD_LIBS) $(LMDB_LIBS) $(EV_LIBS) $(LIBCRYPT_LIBS)

# The API's lexicons: what it promises, and what the tests hold it to.
lexicondir = $(pkgdatadir)/lexicons
dist_lexicon_DATA = \
	etc/lexicons/cancelBackfill.json \
	etc/lexicons/getBackfillHistory.json \
	etc/lexicons/getBackfillStatus.json \
	etc/lexicons/searchRecords.json \
	etc/lexicons/triggerBackfill.json \
	etc/lexicons/triggerCitationExtraction.json \
	etc/lexicons/triggerDIDSync.json \
	etc/lexicons/triggerFreshnessScan.json \
	etc/lexicons/triggerFullReindex.json \
	etc/lexicons/triggerGovernanceSync.json \
	etc/lexicons/triggerPDSScan.json

UNIT_TESTS += t/unit/test_api t/unit/test_api_pages t/unit/test_supervisor_link
t_unit_test_api_pages_SOURCES = t/unit/test_api_pages.c
t_unit_test_api_pages_LDADD = libbfapi.a libbfproto.a libbfop.a libbfatproto.a \
	$(UNIT_LDADD_COMMON) $(JANSSON_LIBS) $(EV_LIBS)
t_unit_test_api_SOURCES = t/unit/test_api.c
t_unit_test_api_LDADD = libbfapi.a $(CONFINE_LIBS) libbfproto.a libbfop.a $(ATPROTO_LIBS) \
	$(UNIT_LIBS) $(EV_LIBS) $(LIBCRYPT_LIBS)
UNIT_TESTS += t/unit/test_auth
t_unit_test_auth_SOURCES = t/unit/test_auth.c
t_unit_test_auth_LDADD = $(t_unit_test_api_LDADD)
t_unit_test_supervisor_link_SOURCES = t/unit/test_supervisor_link.c
t_unit_test_supervisor_link_LDADD = $(t_unit_test_api_LDADD)

# Makes operations for the tests of the API.
check_PROGRAMS += t/unit/fill_ops
t_unit_fill_ops_SOURCES = t/unit/fill_ops.c
t_unit_fill_ops_LDADD = libbfstore.a libbfop.a libbfcommon.a $(LMDB_LIBS)
EXTRA_DIST += t/lib/Backfilld/Api.pm t/lib/Backfilld/Lexicon.pm \
	t/lib/Backfilld/RawHttp.pm t/40-api-methods.t t/41-api-abuse.t \
	t/43-api-events.t \
	t/44-dashboard.t t/45-browser.t t/46-metrics.t t/47-idle-connections.t t/lib/Backfilld/Prometheus.pm t/lib/Backfilld/Browser.pm \
	t/42-api-supervisor-gone.t docs/api.md
EXTRA_DIST += t/47-api-tokens.t t/lib/Backfilld/Tokens.pm

# Makes an index for the tests of atBB's routes.
check_PROGRAMS += t/unit/fill_records
t_unit_fill_records_SOURCES = t/unit/fill_records.c
t_unit_fill_records_LDADD = libbfrows.a $(STORE_LIBS)
EXTRA_DIST += t/48-api-atbb.t
EXTRA_DIST += t/49-api-clients.t
