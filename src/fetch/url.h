/*
 * url.h - the URLs that we are ready to ask, and how they are put together.
 *
 * Hosts come from DID documents and redirects, so what is not plainly a web
 * origin is refused.  The address behind the name is guard.h's matter.  Pure.
 */
#ifndef BF_FETCH_URL_H
#define BF_FETCH_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/str.h"
#include "common/web_url.h"
#include "fetch/fetch_error.h"

/*
 * As web_url_parse() has it.  FETCH_BLOCKED for http when allow_http is false;
 * FETCH_INVALID otherwise.  The text is the reason alone, without the URL.
 */
int url_parse(struct str text, bool allow_http, struct url *url_out,
    struct fetch_error *error) BF_MUSTCHECK;

#define URL_ORIGIN_SIZE	(sizeof("https://") + 253 + sizeof(":65535"))

/*
 * As url_parse(), but a base URL: neither path (one final slash aside), query
 * nor fragment.  Writes scheme://host:port in lower case with the port always
 * there, so that equal origins are equal texts.
 */
int url_parse_origin(struct str text, bool allow_http,
    char origin_out[URL_ORIGIN_SIZE], struct fetch_error *error) BF_MUSTCHECK;

/* The origin of a URL that was parsed; its host is at most 253 bytes. */
void url_format_origin(const struct url *url, char origin_out[URL_ORIGIN_SIZE]);

struct url_param {
	struct str name, value;
};

/* Append text, with all but the unreserved characters of RFC 3986 percent-encoded. */
void url_encode(struct buf *to, struct str text);

/*
 * Append origin + "/xrpc/" + nsid + "?name=value&..." and a NUL that
 * buf_len() does not count.  Parameters with an empty value are left out;
 * arrays repeat the name.
 */
void url_format_xrpc(struct buf *to, const char *origin, const char *nsid,
    const struct url_param *params, size_t param_count);

#endif
