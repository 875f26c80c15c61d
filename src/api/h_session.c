/*
 * h_session.c - logging in to the dashboard and out of it, and what a session's cookie
 * is good for.
 */
#include "api/h_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/handlers.h"
#include "api/http.h"
#include "api/input.h"
#include "api/page.h"
#include "api/request.h"
#include "api/session.h"
#include "atproto/basex.h"
#include "common/clock.h"
#include "common/mem.h"

#define TOKEN_FRONT	"eyJ"		/* {" in base64: how every token begins */

/* --- requests with a cookie --- */

/*
 * A browser says where a request comes from, in one header or the other; neither can
 * be set by a page.  What says nothing is no browser of these days, and has no cookie
 * that somebody else could make it use.
 */
static bool
is_same_origin(const struct head *head)
{
	struct str origin = head->origin;
	const char *mark;

	if (head->fetch_site.ptr != NULL && !str_eq(head->fetch_site, STR("same-origin")))
		return false;
	if (origin.ptr == NULL)
		return true;
	mark = memmem(origin.ptr, origin.len, "://", 3);
	if (mark == NULL)
		return false;
	mark += 3;
	return str_eq(head->host, (struct str){ mark,
	    origin.len - (size_t)(mark - origin.ptr) });
}

enum session_result
session_admit(struct request *request)
{
	const struct head *head = &request->head;
	const struct route *route = request->route;
	bool changes = route->kind != ROUTE_QUERY && route->kind != ROUTE_PAGE;

	if (str_is_empty(head->cookie) || !str_is_empty(head->authorization))
		return SESSION_NONE;
	request->session = sessions_find(request->api->sessions, head->cookie,
	    clock_mono_ms());
	if (request->session == NULL)
		return SESSION_NONE;
	request->caller = str_from(request->session->caller);
	if (changes && !is_same_origin(head))
		return SESSION_FORGED;
	/* A form's token is in its body, which is not here yet. */
	if (changes && route->kind != ROUTE_FORM &&
	    !session_has_form_token(request->session, head->form_token))
		return SESSION_FORGED;
	if (route->access == ROUTE_CHANGE && route->kind != ROUTE_PAGE &&
	    !request->session->may_change)
		return SESSION_VIEWER;
	return SESSION_ADMITTED;
}

bool
session_is_lost(const struct request *request)
{
	return request->session != NULL &&
	    session_is_over(request->session, clock_mono_ms());
}

bool
session_form_is_ours(struct request *request)
{
	struct str token;
	struct err err;

	if (!is_same_origin(&request->head))
		return false;
	if (request->route->access == ROUTE_PUBLIC)
		return true;
	return request->session != NULL &&
	    params_text(&request->params, STR("form_token"), &token, &err) == 0 &&
	    session_has_form_token(request->session, token);
}

/* --- the pages --- */

/* Only our own pages: "/" and "/op/ID". */
static struct str
checked_next(struct str next)
{
	struct str front = STR("/op/");

	if (str_starts_with(next, front) && tid_is_valid((struct str){
	    next.ptr + front.len, next.len - front.len }))
		return next;
	return STR("/");
}

/* What to ask one's own server for. */
static void
write_token_hint(const struct request *request, struct buf *to)
{
	struct str audience = str_from(request->api->auth.audiences);

	audience = settings_next_item(&audience);
	html(to, "<p class=\"hint\">A token is what "
	    "<code>com.atproto.server.getServiceAuth</code> of your server gives for "
	    "<code>aud=");
	html_text(to, audience);
	html(to, "</code>, <code>lxm=");
	html_text(to, str_from(request->api->settings.authority));
	html(to, ".startSession</code>.</p>");
}

static const char *
secret_words(const struct auth *auth)
{
	if (!auth_takes_tokens(auth))
		return "Admin password";
	return auth_takes_passwords(auth) ? "Admin password, or a token" : "Token";
}

static void
write_login(struct request *request, unsigned status, const char *problem)
{
	struct page page = page_begin(request, status, "Log in");
	struct str next = STR_NONE;
	struct buf *to = page.to;
	struct err err;

	(void)!params_text(&request->params, STR("next"), &next, &err);
	html(to, "<form class=\"login\" method=\"post\" action=\"/session\"><h1>Log in</h1>");
	if (problem != NULL) {
		html(to, "<p class=\"problem\" role=\"alert\">");
		html_text(to, str_from(problem));
		html(to, "</p>");
	}
	html(to, "<input type=\"hidden\" name=\"next\" value=\"");
	html_text(to, checked_next(next));
	html(to, "\"><label class=\"field\" for=\"secret\"><span>");
	html_text(to, str_from(secret_words(&request->api->auth)));
	html(to, "</span><input id=\"secret\" name=\"secret\" type=\"password\" required autofocus "
	    "autocomplete=\"current-password\"></label>"
	    "<button class=\"primary\">Log in</button>");
	if (auth_takes_passwords(&request->api->auth))
		html(to, "<p class=\"hint\">The password is <code>admin_password</code> of "
		    "backfilld.conf.</p>");
	if (auth_takes_tokens(&request->api->auth))
		write_token_hint(request, to);
	html(to, "</form>\n");
	page_end(&page);
}

void
h_login(struct request *request)
{
	write_login(request, 200, NULL);
}

/* What the field has, as the header that it stands for. */
static void
credentials_of(struct str secret, struct buf *to)
{
	struct buf plain = BUF_INIT;

	if (str_starts_with(secret, STR(TOKEN_FRONT))) {
		buf_printf(to, "Bearer %.*s", STR_FMT(secret));
		return;
	}
	buf_printf(&plain, "admin:%.*s", STR_FMT(secret));
	buf_add_str(to, STR("Basic "));
	base64_encode(buf_bytes(&plain), to);
	explicit_bzero(buf_data(&plain), buf_len(&plain));
	buf_clear(&plain);
}

static void
let_in(struct request *request)
{
	struct session *session = sessions_start(request->api->sessions,
	    request->from.name, request->from.role == ROLE_ADMIN, clock_mono_ms());
	char where[TID_SIZE + 8];
	struct str next = STR_NONE;
	struct err err;

	(void)!params_text(&request->params, STR("next"), &next, &err);
	(void)str_copy(where, sizeof(where), checked_next(next));
	reply_redirect(&request->reply, where);
	/* The browser came through a proxy with TLS: so does the cookie, always. */
	request->reply.cookie = session_cookie(session,
	    str_starts_with(request->head.origin, STR("https://")));
}

/* The error was written for a program. */
static void
turn_away(struct request *request)
{
	unsigned status = request->reply.status;
	struct json_t *error;
	struct str message;
	struct err err;
	char *text;

	if (input_parse(buf_str(&request->reply.body), &error, &err) == -1)
		return;
	if (input_text(error, "message", &message, &err) == -1)
		message = STR_NONE;
	text = xstrndup(message.ptr, message.len);
	input_free(&error);
	write_login(request, status, text);
	free(text);
}

static void
on_known(struct caller *caller BF_UNUSED, enum caller_next next, void *arg)
{
	struct request *request = arg;

	if (next == CALLER_KNOWN)
		let_in(request);
	else
		turn_away(request);
	http_resume(request->conn);
}

void
h_session_start(struct request *request)
{
	struct buf credentials = BUF_INIT;
	struct str secret = STR_NONE;
	enum caller_next next;
	struct err err;

	(void)!params_text(&request->params, STR("secret"), &secret, &err);
	credentials_of(secret, &credentials);
	next = request_look(request, buf_str(&credentials), on_known);
	explicit_bzero(buf_data(&credentials), buf_len(&credentials));
	buf_clear(&credentials);
	if (next == CALLER_KNOWN)
		let_in(request);
	else if (next == CALLER_REFUSED)
		turn_away(request);
}

void
h_session_end(struct request *request)
{
	sessions_end(request->api->sessions, request->session);
	reply_redirect(&request->reply, "/login");
	request->reply.cookie = session_cookie(NULL, false);
}

void
session_ask_login(struct request *request)
{
	char where[TID_SIZE + 32] = "/login";
	struct str path = buf_str(&request->target);

	if (request->route->kind == ROUTE_PAGE && !str_eq(checked_next(path), STR("/")))
		(void)snprintf(where, sizeof(where), "/login?next=%.*s", STR_FMT(path));
	reply_redirect(&request->reply, where);
}
