/*
 * web_url.h - http and https URLs taken apart.
 *
 * Whether such a URL may be asked is not said here: fetch/url.h knows what is allowed,
 * fetch/guard.h what addresses.  Pure.
 */
#ifndef BF_COMMON_WEB_URL_H
#define BF_COMMON_WEB_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

/* Slices of the text that was parsed. */
struct url {
	bool is_https;
	struct str host;	/* as written; with brackets if it is an IPv6 address */
	uint16_t port;		/* the scheme's own if none was written */
	struct str path;	/* with query and fragment; may be empty */
};

/*
 * Any http or https URL without userinfo, control characters or spaces, at most
 * LIMIT_FETCH_URL_BYTES long.  Otherwise -1, and the reason alone, a static text.
 */
int web_url_parse(struct str text, struct url *url_out, const char **why_out)
    BF_MUSTCHECK;

bool web_url_is_origin(const struct url *url);	/* no path but "/", no query, no fragment */

/*
 * Letters, digits and hyphens in labels, or an IPv4 address.  A last label that is a
 * number makes resolvers read the whole as an IPv4 address in its old forms ("0x7f.1",
 * "2130706433"); only the plain form with four numbers is taken as one.
 */
bool web_host_is_name(struct str host);

#endif
