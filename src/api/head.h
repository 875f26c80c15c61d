/*
 * head.h - what the headers of a request say, and whether they may be trusted.
 *
 * libmicrohttpd decides where a request ends; a proxy in front of us may have
 * decided otherwise.  So everything that two parsers could read differently is
 * refused here, before a request is looked at any further (RFC 9112, sections
 * 6.1-6.3 and 11.2), and the connection is closed.  Pure.
 */
#ifndef BF_API_HEAD_H
#define BF_API_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

struct head {			/* text is borrowed from the connection */
	struct str content_type, content_encoding, authorization, origin;
	struct str host, cookie, if_none_match, last_event_id;
	struct str fetch_site;		/* Sec-Fetch-Site */
	struct str form_token;		/* X-Form-Token: ours, against forged requests */
	uint64_t content_length;
	unsigned count;
	bool has_length;
	bool is_chunked;
	bool expects_continue;
};

/*
 * Take in one header line.  ERR_INVALID: a name that is no token, a control
 * character, a second line of a header that has to be single, a length that is
 * no number, a transfer coding other than chunked; ERR_LIMIT: too many lines.
 */
int head_add(struct head *head, struct str name, struct str value,
    struct err *err) BF_MUSTCHECK;

/* After the last line.  ERR_INVALID: a length beside chunked. */
int head_check(const struct head *head, struct err *err) BF_MUSTCHECK;

/* Is it this media type, whatever parameters follow? */
bool head_type_is(struct str content_type, struct str media_type);

#endif
