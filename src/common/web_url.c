#include "common/web_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"

#define HOST_MAX	253	/* RFC 1035, 2.3.4, as text */
#define LABEL_MAX	63

static int
refuse(const char **why_out, const char *why)
{
	*why_out = why;
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

bool
web_host_is_name(struct str host)
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

/* The host, brackets included, and the port of "host:port". */
static int
split_authority(struct str authority, struct url *url, const char **why_out)
{
	struct str port;

	url->host = authority;
	if (authority.len > 0 && authority.ptr[0] == '[') {
		port = cut_at(&url->host, "]");
		if (port.len > 0) {
			url->host.len++;
			port = (struct str){ port.ptr + 1, port.len - 1 };
		}
	} else {
		port = cut_at(&url->host, ":");
	}
	if (!web_host_is_name(url->host) && !is_ipv6_in_brackets(url->host))
		return refuse(why_out, "not a host name");
	if (port.len > 0 && (port.ptr[0] != ':' ||
	    parse_port((struct str){ port.ptr + 1, port.len - 1 }, &url->port) == -1))
		return refuse(why_out, "not a port");
	return 0;
}

int
web_url_parse(struct str text, struct url *url_out, const char **why_out)
{
	struct str authority = text;
	struct url url = { .is_https = true, .port = 443 };

	if (text.len > LIMIT_FETCH_URL_BYTES)
		return refuse(why_out, "too long");
	if (!is_printable(text))
		return refuse(why_out, "a byte that no URL has");
	if (take_prefix(&authority, "http://")) {
		url.is_https = false;
		url.port = 80;
	} else if (!take_prefix(&authority, "https://")) {
		return refuse(why_out, "neither https nor http");
	}
	url.path = cut_at(&authority, "/?#");
	if (memchr(authority.ptr, '@', authority.len) != NULL)
		return refuse(why_out, "user name in it");
	if (split_authority(authority, &url, why_out) == -1)
		return -1;
	*url_out = url;
	return 0;
}

bool
web_url_is_origin(const struct url *url)
{
	return url->path.len == 0 || str_eq(url->path, STR("/"));
}
