#include "fetch/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX	253	/* RFC 1035, 2.3.4, as text */
#define LABEL_MAX	63

static int
refuse(struct fetch_error *error, enum fetch_class class, const char *why)
{
	fetch_error_set(error, class, "%s", why);
	return -1;
}

static bool
take_prefix(struct str *text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (text->len < len || strncasecmp(text->ptr, prefix, len) != 0)
		return false;
	text->ptr += len;
	text->len -= len;
	return true;
}

/* Split text at the first byte of `at`, which starts what is returned. */
static struct str
cut_at(struct str *text, const char *at)
{
	size_t n = 0;
	struct str rest;

	while (n < text->len && strchr(at, text->ptr[n]) == NULL)
		n++;
	rest = (struct str){ text->ptr + n, text->len - n };
	text->len = n;
	return rest;
}

static bool
is_printable(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == '\\')
			return false;
	}
	return true;
}

static bool
is_ipv4(struct str host)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr addr;

	return str_copy(text, sizeof(text), host) &&
	    inet_pton(AF_INET, text, &addr) == 1;
}

static bool
is_ipv6_in_brackets(struct str host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	return host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']' &&
	    str_copy(text, sizeof(text), (struct str){ host.ptr + 1, host.len - 2 }) &&
	    inet_pton(AF_INET6, text, &addr) == 1;
}

/*
 * Letters, digits and hyphens in labels.  A last label that is a number makes
 * resolvers read the whole as an IPv4 address in its old forms ("0x7f.1",
 * "2130706433"); only the plain form with four numbers is taken as one.
 */
static bool
is_host_name(struct str host)
{
	size_t label = 0;

	if (host.len == 0 || host.len > HOST_MAX)
		return false;
	for (size_t i = 0; i <= host.len; i++) {
		if (i < host.len && host.ptr[i] != '.') {
			if (!isalnum((unsigned char)host.ptr[i]) && host.ptr[i] != '-')
				return false;
			continue;
		}
		if (i == label || i - label > LABEL_MAX || host.ptr[label] == '-' ||
		    host.ptr[i - 1] == '-')
			return false;
		if (i < host.len)
			label = i + 1;
	}
	return !isdigit((unsigned char)host.ptr[label]) || is_ipv4(host);
}

static int
parse_port(struct str text, uint16_t *port_out)
{
	uint64_t port;

	if (text.len > 5 || str_to_u64(text, &port) == -1 || port == 0 || port > 65535)
		return -1;
	*port_out = (uint16_t)port;
	return 0;
}

int
url_parse(struct str text, bool allow_http, struct url *url_out,
    struct fetch_error *error)
{
	struct str authority = text, port;
	struct url url = { .is_https = true, .port = 443 };

	if (text.len > LIMIT_FETCH_URL_BYTES)
		return refuse(error, FETCH_INVALID, "too long");
	if (!is_printable(text))
		return refuse(error, FETCH_INVALID, "a byte that no URL has");
	if (take_prefix(&authority, "http://")) {
		url.is_https = false;
		url.port = 80;
	} else if (!take_prefix(&authority, "https://")) {
		return refuse(error, FETCH_INVALID, "neither https nor http");
	}
	if (!url.is_https && !allow_http)
		return refuse(error, FETCH_BLOCKED, "only https is allowed");

	url.path = cut_at(&authority, "/?#");
	if (memchr(authority.ptr, '@', authority.len) != NULL)
		return refuse(error, FETCH_INVALID, "user name in it");
	url.host = authority;
	if (authority.len > 0 && authority.ptr[0] == '[') {
		port = cut_at(&url.host, "]");
		if (port.len > 0) {
			url.host.len++;
			port = (struct str){ port.ptr + 1, port.len - 1 };
		}
	} else {
		port = cut_at(&url.host, ":");
	}
	if (!is_host_name(url.host) && !is_ipv6_in_brackets(url.host))
		return refuse(error, FETCH_INVALID, "not a host name");
	if (port.len > 0 && (port.ptr[0] != ':' ||
	    parse_port((struct str){ port.ptr + 1, port.len - 1 }, &url.port) == -1))
		return refuse(error, FETCH_INVALID, "not a port");
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
	if (url.path.len > 0 && !str_eq(url.path, STR("/")))
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
