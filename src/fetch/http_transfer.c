/*
 * http_transfer.c - one libcurl easy handle: its options, its callbacks, its end.
 *
 * libcurl neither follows redirects nor keeps time here beyond connecting: both are
 * ours, so that every hop passes the same checks.  A callback that ends the
 * request returns an error to libcurl, which then stops the transfer.
 */
#include "fetch/http_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/guard.h"
#include "fetch/http_error.h"
#include "fetch/retry_after.h"

static bool
may_connect_anywhere(const struct http_request *req)
{
	return req->is_trusted || req->http->options.allow_private_addresses;
}

/* Every new connection passes here, after its name was resolved. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose BF_UNUSED, struct curl_sockaddr *addr)
{
	struct http_request *req = arg;
	int fd;

	if (may_connect_anywhere(req) ? guard_is_link_local(&addr->addr, addr->addrlen) :
	    !guard_is_public(&addr->addr, addr->addrlen)) {
		req->blocked_addresses++;
		errno = EACCES;
		return CURL_SOCKET_BAD;
	}
	fd = socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
	req->tried_addresses += fd != -1;
	return fd;
}

/*
 * Every request passes here, also those on a connection that is used again: one
 * that was opened for a trusted request is not for others.
 */
static int
before_request(void *arg, char *remote_ip, char *local_ip BF_UNUSED,
    int remote_port BF_UNUSED, int local_port BF_UNUSED)
{
	struct http_request *req = arg;

	if (may_connect_anywhere(req) || guard_is_public_text(remote_ip))
		return CURL_PREREQFUNC_OK;
	req->blocked_addresses++;
	req->tried_addresses = 0;
	return CURL_PREREQFUNC_ABORT;
}

/* A header of the last answer; empty if it has none.  Valid until the next. */
static struct str
header(struct http_request *req, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(req->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return STR_NONE;
	return str_from(found->value);
}

static int64_t
content_length(struct http_request *req)
{
	uint64_t length;

	if (str_to_u64(header(req, "Content-Length"), &length) == -1 ||
	    length > INT64_MAX)
		return -1;
	return (int64_t)length;
}

static void
read_limits(struct http_request *req)
{
	struct http_result *result = &req->result;
	int64_t now = clock_wall_ms();
	int64_t reset = retry_after_parse_reset(header(req, "RateLimit-Reset"), now);

	if (result->status == 429 && req->http->options.answers_429 != NULL)
		++*req->http->options.answers_429;
	result->retry_after_ms = retry_after_parse(header(req, "Retry-After"), now);
	if (result->retry_after_ms == -1 && result->status == 429)
		result->retry_after_ms = reset;
	req->has_budget = reset != -1 && str_to_u64(
	    header(req, "RateLimit-Remaining"), &req->budget_left) == 0;
	req->budget_reset_ms = reset;
}

static bool
is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 ||
	    status == 308;
}

static bool
is_success(unsigned status)
{
	return status >= 200 && status < 300;
}

/* Where a redirect leads, as a full URL; ends the request if nowhere. */
static void
read_redirect(struct http_request *req)
{
	struct str location = header(req, "Location");
	CURLU *url;
	char *target;

	if (req->hops >= req->limits.redirects) {
		http_end(req, FETCH_INVALID, "%s", req->hops > 0 ?
		    "too many redirects" : "a redirect is not allowed here");
		return;
	}
	url = curl_url();
	if (url == NULL)
		abort();
	if (location.len == 0 || location.len > LIMIT_FETCH_URL_BYTES ||
	    curl_url_set(url, CURLUPART_URL, req->url, 0) != CURLUE_OK ||
	    curl_url_set(url, CURLUPART_URL, location.ptr,
		CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_URL, &target, 0) != CURLUE_OK) {
		http_end(req, FETCH_INVALID, "a redirect to nowhere");
	} else {
		req->redirect = xstrdup(target);
		curl_free(target);
	}
	curl_url_cleanup(url);
}

static void
read_success(struct http_request *req)
{
	struct http_head head = {
		.status = req->result.status,
		.content_type = header(req, "Content-Type"),
		.content_length = content_length(req),
	};
	struct str encoding = header(req, "Content-Encoding");

	if (!req->get.accept_gzip && encoding.len > 0 &&
	    !str_eq(encoding, STR("identity"))) {
		http_end(req, FETCH_INVALID, "content encoding %.40s was not asked for",
		    encoding.ptr);
		return;
	}
	if (head.content_length >= 0 &&
	    (uint64_t)head.content_length > req->limits.body_bytes) {
		http_end(req, FETCH_TOO_LARGE, "%lld bytes announced, %llu allowed",
		    (long long)head.content_length,
		    (unsigned long long)req->limits.body_bytes);
		return;
	}
	for (size_t i = 0; i < head.content_type.len; i++) {
		if (head.content_type.ptr[i] == ';' || head.content_type.ptr[i] == ' ')
			head.content_type.len = i;
	}
	http_hand_over_head(req, &head);
}

/* The headers of the final answer of this hop are complete. */
static void
read_head(struct http_request *req)
{
	long version = 0;

	req->has_head = true;
	http_clock_head(req);
	(void)curl_easy_getinfo(req->easy, CURLINFO_HTTP_VERSION, &version);
	req->result.end_is_marked = version >= CURL_HTTP_VERSION_2_0 ||
	    req->result.status == 204 || content_length(req) >= 0 ||
	    header(req, "Transfer-Encoding").len > 0;
	read_limits(req);
	if (is_redirect(req->result.status))
		read_redirect(req);
	else if (is_success(req->result.status))
		read_success(req);
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_request *req = arg;
	size_t len = size * count;
	long status = 0;

	if (req->state != REQUEST_ACTIVE)
		return 0;
	req->header_bytes += len;
	req->header_count++;
	if (req->header_bytes > LIMIT_FETCH_HEADER_BYTES ||
	    req->header_count > LIMIT_FETCH_HEADERS) {
		http_end(req, FETCH_TOO_LARGE, "too many headers");
		return 0;
	}
	/* An empty line ends a head, of an interim answer (1xx) as well. */
	if (req->has_head || len == 0 || (line[0] != '\r' && line[0] != '\n'))
		return len;
	(void)curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return len;
	req->result.status = (unsigned)status;
	read_head(req);
	return req->state == REQUEST_ACTIVE ? len : 0;
}

/* Bodies of errors and redirects: a bounded part is kept, the rest not waited for. */
static size_t
keep_error_body(struct http_request *req, const char *data, size_t len)
{
	size_t room = LIMIT_FETCH_ERROR_BODY_BYTES - buf_len(&req->error_body);

	buf_add(&req->error_body, data, len < room ? len : room);
	return len <= room ? len : 0;
}

static bool
is_inflated(struct http_request *req)
{
	curl_off_t received = 0;

	if (!req->get.accept_gzip ||
	    req->result.body_bytes <= LIMIT_FETCH_INFLATE_FREE_BYTES)
		return false;
	(void)curl_easy_getinfo(req->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
	return req->result.body_bytes / LIMIT_FETCH_INFLATE_RATIO > (uint64_t)received;
}

static size_t
on_write(char *data, size_t size, size_t count, void *arg)
{
	struct http_request *req = arg;
	size_t len = size * count;

	if (req->state != REQUEST_ACTIVE)
		return 0;
	if (req->is_paused)
		return CURL_WRITEFUNC_PAUSE;
	req->http->received_bytes += len;
	req->period_bytes += len;
	if (!is_success(req->result.status))
		return keep_error_body(req, data, len);
	if (len == 0)
		return 0;

	if (len > req->limits.body_bytes - req->result.body_bytes) {
		http_end(req, FETCH_TOO_LARGE, "more than %llu bytes",
		    (unsigned long long)req->limits.body_bytes);
		return 0;
	}
	req->result.body_bytes += len;
	if (is_inflated(req)) {
		http_end(req, FETCH_TOO_LARGE, "compressed more than %d times",
		    LIMIT_FETCH_INFLATE_RATIO);
		return 0;
	}
	http_hand_over_body(req, (struct bytes){ (const uint8_t *)data, len });
	return req->state == REQUEST_ACTIVE ? len : 0;
}

static void
set_options(struct http_request *req)
{
	const struct http_options *options = &req->http->options;
	bool allow_http = options->allow_plain_http || req->is_trusted;
	bool is_https = str_starts_with(str_from(req->url), STR("https:"));
	CURL *easy = req->easy;
	CURLcode code = CURLE_OK;

#define SET(option, value) \
	do { \
		if (code == CURLE_OK) \
			code = curl_easy_setopt(easy, CURLOPT_##option, value); \
	} while (0)

	SET(PRIVATE, req);
	SET(URL, req->url);
	SET(PROTOCOLS_STR, allow_http ? "http,https" : "https");
	SET(FOLLOWLOCATION, 0L);
	SET(DISALLOW_USERNAME_IN_URL, 1L);
	SET(PATH_AS_IS, 1L);
	SET(PROXY, "");				/* nor what http_proxy says */
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	if (req->get.is_bulk) {
		/* A connection of its own: a stream that is paused holds up the others
		 * of its connection. */
		SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	} else {
		SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
		/* Rather a stream than a connection, which the handshake decides;
		 * without one it would wait for the first answer. */
		SET(PIPEWAIT, is_https ? 1L : 0L);
	}
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (req->http->ca_file != NULL)
		SET(CAINFO, req->http->ca_file);
	if (req->http->ca_dir != NULL)
		SET(CAPATH, req->http->ca_dir);
	SET(USERAGENT, options->user_agent);
	if (code == CURLE_OK && req->body != NULL)
		code = http_body_set(req->body, easy, &req->headers);
	SET(HTTPHEADER, req->headers);
	if (req->get.accept_gzip)
		SET(ACCEPT_ENCODING, "gzip");
	SET(CONNECTTIMEOUT_MS, (long)req->limits.connect_ms);
	SET(NOSIGNAL, 1L);
	/* Without it, ending a transfer waits for the resolver's thread. */
	SET(QUICK_EXIT, 1L);
	SET(ERRORBUFFER, req->curl_error);
	SET(OPENSOCKETFUNCTION, open_socket);
	SET(OPENSOCKETDATA, req);
	SET(PREREQFUNCTION, before_request);
	SET(PREREQDATA, req);
	SET(HEADERFUNCTION, on_header);
	SET(HEADERDATA, req);
	SET(WRITEFUNCTION, on_write);
	SET(WRITEDATA, req);
#undef SET
	if (code != CURLE_OK)
		abort();	/* no memory, or not the libcurl of our headers */
}

static void
add_header(struct http_request *req, const char *name, const char *value)
{
	struct buf line = BUF_INIT;

	buf_printf(&line, "%s: %s%c", name, value, '\0');
	req->headers = curl_slist_append(req->headers, (const char *)buf_data(&line));
	buf_clear(&line);
}

void
http_transfer_open(struct http_request *req)
{
	req->has_head = false;
	req->has_budget = false;
	req->header_bytes = 0;
	req->header_count = 0;
	req->blocked_addresses = 0;
	req->tried_addresses = 0;
	req->curl_error[0] = '\0';
	buf_reset(&req->error_body);
	free(req->redirect);
	req->redirect = NULL;

	req->easy = curl_easy_init();
	if (req->easy == NULL)
		abort();
	if (req->accept != NULL)
		add_header(req, "Accept", req->accept);
	if (req->authorization != NULL)
		add_header(req, "Authorization", req->authorization);
	set_options(req);
}

void
http_transfer_close(struct http_request *req)
{
	curl_easy_cleanup(req->easy);
	req->easy = NULL;
	curl_slist_free_all(req->headers);
	req->headers = NULL;
}

/*
 * A connection that broke in the handshake has the code of a handshake that was
 * refused; only libcurl's text (of its OpenSSL part) tells that the peer is gone.
 */
static bool
broke_in_handshake(const struct http_request *req, CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR &&
	    strstr(req->curl_error, "SSL_connect: ") != NULL;
}

void
http_transfer_finished(struct http_request *req, CURLcode code)
{
	unsigned status = req->result.status;

	if (req->has_head && !is_success(status)) {
		/* The status is the answer, whatever became of its body. */
		if (req->redirect != NULL)
			http_end_well(req);
		else
			http_end(req, http_error_of_status(status), "status %u", status);
	} else if (code == CURLE_OK && req->has_head) {
		http_end_well(req);
	} else if (code == CURLE_OK) {
		http_end(req, FETCH_UNREACHABLE, "closed within the headers");
	} else if (req->blocked_addresses > 0 && req->tried_addresses == 0) {
		http_end(req, FETCH_BLOCKED, "its address is not a public one");
	} else if (broke_in_handshake(req, code)) {
		http_end(req, FETCH_UNREACHABLE, "%s", req->curl_error);
	} else {
		http_end(req, http_error_of_curl(code, req->has_head), "%s",
		    req->curl_error[0] != '\0' ? req->curl_error :
		    curl_easy_strerror(code));
	}
}
