#include "fetch/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int
refuse(struct fetch_error *error, enum fetch_class class, const char *why)
{
	fetch_error_set(error, class, "%s", why);
	return -1;
}

int
url_parse(struct str text, bool allow_http, struct url *url_out,
    struct fetch_error *error)
{
	struct url url;
	const char *why;

	if (web_url_parse(text, &url, &why) == -1)
		return refuse(error, FETCH_INVALID, why);
	if (!url.is_https && !allow_http)
		return refuse(error, FETCH_BLOCKED, "only https is allowed");
	*url_out = url;
	return 0;
}

int
url_parse_origin(struct str text, bool allow_http,
    char origin_out[URL_ORIGIN_SIZE], struct fetch_error *error)
{
	struct url url;

	if (url_parse(text, allow_http, &url, error) == -1)
		return -1;
	if (!web_url_is_origin(&url))
		return refuse(error, FETCH_INVALID, "more than a host and a port");
	url_format_origin(&url, origin_out);
	return 0;
}

void
url_format_origin(const struct url *url, char origin_out[URL_ORIGIN_SIZE])
{
	(void)snprintf(origin_out, URL_ORIGIN_SIZE, "%s://%.*s:%u",
	    url->is_https ? "https" : "http", STR_FMT(url->host), url->port);
	for (char *p = origin_out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}

void
url_encode(struct buf *to, struct str text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (isalnum(c) || (c != '\0' && strchr("-._~", c) != NULL)) {
			buf_add_byte(to, c);
		} else {
			buf_add_byte(to, '%');
			buf_add_byte(to, (uint8_t)hex[c >> 4]);
			buf_add_byte(to, (uint8_t)hex[c & 15]);
		}
	}
}

void
url_format_xrpc(struct buf *to, const char *origin, const char *nsid,
    const struct url_param *params, size_t param_count)
{
	char separator = '?';
	size_t len = strlen(origin);

	if (len > 0 && origin[len - 1] == '/')
		len--;
	buf_add(to, origin, len);
	buf_printf(to, "/xrpc/%s", nsid);
	for (size_t i = 0; i < param_count; i++) {
		if (params[i].value.len == 0)
			continue;
		buf_add_byte(to, (uint8_t)separator);
		buf_add_str(to, params[i].name);
		buf_add_byte(to, '=');
		url_encode(to, params[i].value);
		separator = '&';
	}
	*buf_reserve(to, 1) = '\0';
}
