#include "api/answer.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/cors.h"
#include "api/request.h"
#include "common/limits.h"

#define STREAM_BLOCK_BYTES	4096	/* read at a time */
#define TAG_SIZE		20	/* 16 digits in quotes; one more is spare */

/*
 * A page of ours needs its own script and style and nothing else, from nobody else;
 * nothing may frame it, and where it was is told to nobody.
 */
static const struct {
	const char *name, *value;
} for_browser[] = {
	{ "Content-Security-Policy", "default-src 'none'; script-src 'self'; "
	    "style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
	    "frame-ancestors 'none'; base-uri 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) == MHD_NO)
		abort();	/* out of memory, as in mem.h */
}

/* --- ETag: whether the body is the one that the client has --- */

static uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0xff51afd7ed558ccdull;
	return h ^ h >> 32;
}

/* 64 bits that differ when the text does, but for chance; nobody gains by making
 * two that agree. */
static uint64_t
hash(struct bytes text)
{
	uint64_t h = 0x9e3779b97f4a7c15ull ^ text.len, word;
	size_t i = 0;

	for (; text.len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, text.ptr + i, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	if (i < text.len)
		memcpy(&word, text.ptr + i, text.len - i);
	return mix(h, word);
}

/* RFC 9110, 13.1.2: a list of tags, weak ones among them, or "*". */
static bool
has_tag(struct str list, const char *tag)
{
	return str_eq(list, STR("*")) ||
	    (list.len > 0 && memmem(list.ptr, list.len, tag, strlen(tag)) != NULL);
}

static struct bytes
body_of(const struct reply *reply)
{
	return reply->fixed.ptr != NULL ? reply->fixed : buf_bytes(&reply->body);
}

static void
format_tag(uint64_t h, char text_out[TAG_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	text_out[0] = text_out[TAG_SIZE - 3] = '"';
	text_out[TAG_SIZE - 2] = '\0';
	for (int i = TAG_SIZE - 4; i > 0; i--, h >>= 4)
		text_out[i] = digits[h & 15];
}

/* Weak, so that a proxy may compress what it tags. */
static void
tag(struct MHD_Response *response, const char text[TAG_SIZE])
{
	char weak[TAG_SIZE + 2];

	memcpy(weak, "W/", 2);
	memcpy(weak + 2, text, TAG_SIZE);
	add_header(response, "ETag", weak);
}

/* --- headers --- */

static void
add_page_headers(struct MHD_Response *response, const struct reply *reply)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(for_browser); i++)
		add_header(response, for_browser[i].name, for_browser[i].value);
	add_header(response, "Cache-Control", reply->fixed.ptr != NULL ? "no-cache" :
	    "no-store");
	if (reply->location != NULL)
		add_header(response, "Location", reply->location);
	if (reply->cookie != NULL)
		add_header(response, "Set-Cookie", reply->cookie);
}

/*
 * What pages of other sites may do (Fetch standard, "CORS protocol").  Never with
 * credentials that a browser adds by itself: a page has to have its own token or
 * password, and no cookie of ours helps it.
 */
static void
add_cors_headers(struct MHD_Response *response, const struct request *request)
{
	struct str origin = request->head.origin;
	enum cors verdict = cors_judge(request->api->settings.cors_origins, origin);
	char text[LIMIT_URL_BYTES + 1];

	if (verdict != CORS_ANY)
		add_header(response, "Vary", "Origin");
	if (origin.ptr == NULL || verdict == CORS_NO ||
	    !str_copy(text, sizeof(text), origin))
		return;
	add_header(response, "Access-Control-Allow-Origin", verdict == CORS_ANY ? "*" :
	    text);
	add_header(response, "Access-Control-Expose-Headers",
	    "ETag, Retry-After, WWW-Authenticate");
	if (!request->reply.allows_methods)
		return;
	add_header(response, "Access-Control-Allow-Methods", "GET, HEAD, POST");
	add_header(response, "Access-Control-Allow-Headers", "Authorization, "
	    "Content-Type, If-None-Match, Last-Event-ID, atproto-accept-labelers, "
	    "atproto-proxy, *");
	add_header(response, "Access-Control-Max-Age", "86400");
}

static void
add_headers(struct MHD_Response *response, const struct request *request, bool is_last)
{
	const struct reply *reply = &request->reply;

	if (reply->content_type != NULL)
		add_header(response, "Content-Type", reply->content_type);
	else if (buf_len(&reply->body) > 0)
		add_header(response, "Content-Type", "application/json");
	if (reply->closes || is_last)
		add_header(response, "Connection", "close");
	if (reply->asks_token)
		add_header(response, "WWW-Authenticate", "Bearer realm=\"backfilld\"");
	if (reply->asks_password)
		add_header(response, "WWW-Authenticate",
		    "Basic realm=\"admin\", charset=\"UTF-8\"");
	if (reply->retry_after_secs > 0) {
		char secs[16];

		(void)snprintf(secs, sizeof(secs), "%u", reply->retry_after_secs);
		add_header(response, "Retry-After", secs);
	}
	if (reply->is_stream)
		add_header(response, "Cache-Control", "no-store");
	if (reply->is_for_browser || reply->location != NULL || reply->cookie != NULL)
		add_page_headers(response, reply);
	if (reply->allows_methods)
		add_header(response, "Allow", "GET, HEAD, POST, OPTIONS");
	add_cors_headers(response, request);
}

struct MHD_Response *
answer_new(struct request *request, bool is_last, MHD_ContentReaderCallback on_stream,
    void *arg)
{
	struct reply *reply = &request->reply;
	struct bytes body = body_of(reply);
	struct MHD_Response *response;
	char text[TAG_SIZE];

	if (reply->is_tagged) {
		format_tag(hash(body), text);
		if (has_tag(request->head.if_none_match, text)) {
			reply->status = 304;
			body = BYTES_NONE;
		}
	}
	if (reply->is_stream)
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
		    STREAM_BLOCK_BYTES, on_stream, arg, NULL);
	else
		response = MHD_create_response_from_buffer(body.len,
		    (void *)(uintptr_t)body.ptr, MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return NULL;
	if (reply->is_tagged)
		tag(response, text);
	add_headers(response, request, is_last);
	return response;
}
