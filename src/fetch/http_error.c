#include "fetch/http_error.h"

enum fetch_class
http_error_of_curl(CURLcode code, bool has_head)
{
	/* A list of another library's codes, which may grow: hence the default. */
	switch ((int)code) {
	case CURLE_OK:
		return FETCH_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return FETCH_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return FETCH_TLS;
	case CURLE_UNSUPPORTED_PROTOCOL:	/* HTTP/0.9 too */
	case CURLE_URL_MALFORMAT:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return FETCH_INVALID;
	case CURLE_OUT_OF_MEMORY:	/* libcurl's word for a header over its cap */
	case CURLE_FILESIZE_EXCEEDED:
		return FETCH_TOO_LARGE;
	default:
		return has_head ? FETCH_TRUNCATED : FETCH_UNREACHABLE;
	}
}

enum fetch_class
http_error_of_status(unsigned status)
{
	switch (status) {
	case 404:
		return FETCH_NOT_FOUND;
	case 410:
		return FETCH_GONE;
	case 408:
		return FETCH_TIMEOUT;
	case 429:
		return FETCH_RATE_LIMITED;
	case 501:
		return FETCH_REFUSED;
	default:
		break;
	}
	if (status >= 500)
		return FETCH_SERVER_ERROR;
	return status >= 400 ? FETCH_REFUSED : FETCH_INVALID;
}
