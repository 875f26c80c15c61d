#include "api/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/err.h"
#include "common/mem.h"

#define KEEP_BYTES	(16 * 1024)	/* of a body's memory, for the next request */
#define RETRY_SECS	5		/* when the daemon is busy or restarting */

void
reply_clear(struct reply *reply)
{
	buf_clear(&reply->body);
	free(reply->location);
	free(reply->cookie);
	*reply = (struct reply){ 0 };
}

void
reply_reset(struct reply *reply)
{
	struct buf body = reply->body;

	free(reply->location);
	free(reply->cookie);
	buf_reset(&body);
	buf_shrink(&body, KEEP_BYTES);
	*reply = (struct reply){ .body = body };
}

struct json
reply_json(struct reply *reply, unsigned status)
{
	reply_reset(reply);
	reply->status = status;
	return json_to(&reply->body);
}

struct buf *
reply_text(struct reply *reply, unsigned status, const char *content_type)
{
	reply_reset(reply);
	reply->status = status;
	reply->content_type = content_type;
	return &reply->body;
}

void
reply_redirect(struct reply *reply, const char *location)
{
	char *to = xstrdup(location), *cookie = reply->cookie;

	reply->cookie = NULL;
	reply_reset(reply);
	reply->status = 303;
	reply->location = to;
	reply->cookie = cookie;
}

/* With one member more, unless it is empty. */
static void
write_error(struct reply *reply, enum xrpc_error error, struct str message,
    struct str name, struct str value)
{
	struct json json = reply_json(reply, xrpc_error_status(error));

	json_object_begin(&json);
	json_member_str(&json, STR("error"), str_from(xrpc_error_name(error)));
	json_member_str(&json, STR("message"), message);
	if (!str_is_empty(value))
		json_member_str(&json, name, value);
	json_object_end(&json);
	if (reply->status == 503)
		reply->retry_after_secs = RETRY_SECS;
}

void
reply_error_about(struct reply *reply, enum xrpc_error error, struct str message,
    struct str id)
{
	write_error(reply, error, message, STR("id"), id);
}

void
reply_refuse(struct reply *reply, const char *reason, const char *message)
{
	write_error(reply, XRPC_AUTHENTICATION_REQUIRED, str_from(message),
	    STR("reason"), str_from(reason));
}

void
reply_error(struct reply *reply, enum xrpc_error error, const char *fmt, ...)
{
	char text[ERR_TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply_error_about(reply, error, str_from(text), STR_NONE);
}
