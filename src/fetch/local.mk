# libbffetch.a: HTTP, DID resolution and the XRPC queries of the workers.
EXTRA_DIST += \
	src/fetch/fetch_error.h \
	src/fetch/get_repo.h \
	src/fetch/guard.h \
	src/fetch/http.h \
	src/fetch/identity.h \
	src/fetch/latest_commit.h \
	src/fetch/url.h \
	src/fetch/xrpc.h
