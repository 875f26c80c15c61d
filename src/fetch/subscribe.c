#include "fetch/subscribe_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "fetch/guard.h"
#include "fetch/url.h"

#define PROTOCOL	"event-stream"	/* our own name for the callback; never sent */
#define HOST_IN_TEXT	100	/* bytes of it in a text that has a reason too */
#define FDS_MAX		16		/* of libwebsockets, its pipe included */

/* --- ending --- */

/* What libwebsockets still has of the stream no longer concerns us. */
static void
let_go(struct subscribe *sub)
{
	struct lws *wsi = sub->wsi;

	sub->wsi = NULL;
	if (wsi != NULL)
		lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
	ev_timer_stop(sub->loop, &sub->deadline);
	ev_timer_stop(sub->loop, &sub->refused);
	ev_timer_stop(sub->loop, &sub->flow);
	resolve_cancel(&sub->resolve);
	buf_reset(&sub->message);
	buf_shrink(&sub->message, 0);
	buf_reset(&sub->held);
	buf_shrink(&sub->held, 0);
	sub->is_paused = sub->is_stopped = sub->is_over = false;
	sub->state = SUBSCRIBE_IDLE;
}

void
subscribe_end(struct subscribe *sub, const struct fetch_error *error)
{
	struct fetch_error copy = *error;

	if (error->text[0] != '\0' && sub->host != NULL)
		fetch_error_set(&copy, error->class, "%.*s: %s", HOST_IN_TEXT, sub->host,
		    error->text);
	let_go(sub);
	sub->events->on_end(&copy, sub->arg);
}

static void
fail_now(struct subscribe *sub, enum fetch_class class, const char *text)
{
	struct fetch_error error;

	fetch_error_set(&error, class, "%s", text);
	subscribe_end(sub, &error);
}

/* From inside subscribe_open(): told in the next turn. */
static void
fail_soon(struct subscribe *sub, const struct fetch_error *error)
{
	sub->failure = *error;
	ev_timer_start(sub->loop, &sub->refused);
}

static void
on_refused(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct subscribe *sub = timer->data;

	subscribe_end(sub, &sub->failure);
}

/* --- deadlines --- */

static void
set_deadline(struct subscribe *sub, int64_t ms)
{
	sub->deadline.repeat = (ev_tstamp)ms / 1000;
	ev_timer_again(sub->loop, &sub->deadline);
}

void
subscribe_heard(struct subscribe *sub)
{
	sub->was_pinged = false;
	if (!sub->is_paused)
		set_deadline(sub, sub->options.silence_ms);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct subscribe *sub = timer->data;

	if (sub->state != SUBSCRIBE_OPEN) {
		sub->turn++;
		fail_now(sub, FETCH_TIMEOUT, "no connection in time");
	} else if (sub->was_pinged) {
		fail_now(sub, FETCH_TIMEOUT, "the stream is silent, and no ping answered");
	} else {
		sub->was_pinged = sub->ping_is_due = true;
		(void)lws_callback_on_writable(sub->wsi);
	}
}

/* --- beginning --- */

static bool
may_connect(const struct subscribe *sub, const struct addrinfo *address)
{
	if (sub->options.is_trusted || sub->options.allow_private_addresses)
		return !guard_is_link_local(address->ai_addr, address->ai_addrlen);
	return guard_is_public(address->ai_addr, address->ai_addrlen);
}

static void
connect_to(struct subscribe *sub, const struct addrinfo *address)
{
	char numeric[NI_MAXHOST];
	struct lws_client_connect_info info = {
		.context = sub->context, .address = numeric, .port = sub->port,
		.path = sub->path, .host = sub->host, .local_protocol_name = PROTOCOL,
		.userdata = sub, .pwsi = &sub->wsi, .alpn = "http/1.1",
		.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT |
		    (sub->is_https ? LCCSCF_USE_SSL : 0),
	};

	if (getnameinfo(address->ai_addr, address->ai_addrlen, numeric, sizeof(numeric),
	    NULL, 0, NI_NUMERICHOST) != 0) {
		fail_now(sub, FETCH_UNREACHABLE, "the address cannot be written");
		return;
	}
	sub->state = SUBSCRIBE_CONNECTING;
	fetch_error_set(&sub->failure, FETCH_UNREACHABLE, "the connection was cut");
	/* A failure at once was told by an event already. */
	if (lws_client_connect_via_info(&info) == NULL &&
	    sub->state == SUBSCRIBE_CONNECTING)
		fail_now(sub, FETCH_UNREACHABLE, "the connection could not be begun");
}

static void
on_resolved(const struct addrinfo *addresses, const char *error, void *arg)
{
	struct subscribe *sub = arg;
	unsigned allowed = 0, skip;

	sub->resolve = NULL;
	if (addresses == NULL) {
		fail_now(sub, FETCH_UNREACHABLE, error);
		return;
	}
	for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
		allowed += may_connect(sub, at);
	if (allowed == 0) {
		fail_now(sub, FETCH_BLOCKED, "its address is not public");
		return;
	}
	/* One that cannot be reached makes room for the next, when we come again. */
	skip = sub->turn % allowed;
	while (!may_connect(sub, addresses) || skip-- > 0)
		addresses = addresses->ai_next;
	connect_to(sub, addresses);
}

/* Host header and server name: as written, the port only if it is not the scheme's. */
static char *
host_header(const struct url *url)
{
	struct buf text = BUF_INIT;
	char *copy;

	buf_add_str(&text, url->host);
	if (url->port != (url->is_https ? 443 : 80))
		buf_printf(&text, ":%u", url->port);
	copy = xstrndup((const char *)buf_data(&text), buf_len(&text));
	buf_clear(&text);
	return copy;
}

static char *
bare_host(struct str host)
{
	if (host.len > 1 && host.ptr[0] == '[')
		return xstrndup(host.ptr + 1, host.len - 2);
	return xstrndup(host.ptr, host.len);
}

void
subscribe_open(struct subscribe *sub, const char *text)
{
	struct fetch_error error;
	struct url url;
	char *name;

	assert(sub->state == SUBSCRIBE_IDLE);
	sub->state = SUBSCRIBE_RESOLVING;
	sub->ping_is_due = sub->was_pinged = false;
	if (url_parse(str_from(text), sub->options.allow_plain_http ||
	    sub->options.is_trusted, &url, &error) == -1) {
		fail_soon(sub, &error);
		return;
	}
	free(sub->host);
	free(sub->path);
	sub->host = host_header(&url);
	sub->path = url.path.len > 0 ? xstrndup(url.path.ptr, url.path.len) :
	    xstrdup("/");
	sub->port = url.port;
	sub->is_https = url.is_https;
	set_deadline(sub, sub->options.connect_ms);
	name = bare_host(url.host);
	sub->resolve = resolve_start(sub->loop, name, on_resolved, sub);
	free(name);
}

void
subscribe_close(struct subscribe *sub)
{
	if (sub->state != SUBSCRIBE_IDLE)
		let_go(sub);
}

void
subscribe_pause(struct subscribe *sub)
{
	if (sub->is_paused || sub->state != SUBSCRIBE_OPEN)
		return;
	sub->is_paused = true;
	ev_timer_stop(sub->loop, &sub->deadline);
	ev_timer_start(sub->loop, &sub->flow);
}

void
subscribe_resume(struct subscribe *sub)
{
	if (!sub->is_paused || sub->state != SUBSCRIBE_OPEN)
		return;
	sub->is_paused = false;
	if (!sub->is_over)
		subscribe_heard(sub);
	ev_timer_start(sub->loop, &sub->flow);
}

uint64_t
subscribe_received_bytes(const struct subscribe *sub)
{
	return sub->received_bytes;
}

/* --- the object --- */

static const struct lws_protocols protocols[] = {
	{ .name = PROTOCOL, .callback = subscribe_on_lws, .rx_buffer_size = SUBSCRIBE_READ_BYTES },
	{ .name = NULL },
};

struct subscribe *
subscribe_new(struct ev_loop *loop, const struct subscribe_options *options,
    const struct subscribe_events *events, void *arg)
{
	struct subscribe *sub = xcalloc(1, sizeof(*sub));
	void *loops[] = { loop };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols,
		.user = sub, .foreign_loops = loops, .fd_limit_per_thread = FDS_MAX,
		.options = LWS_SERVER_OPTION_LIBEV |
		    LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.gid = (gid_t)-1, .uid = (uid_t)-1,
	};

	/* What goes wrong comes as an event; its own words would go to stderr. */
	lws_set_log_level(0, NULL);
	*sub = (struct subscribe){ .loop = loop, .events = events, .arg = arg,
	    .options = *options, .message = BUF_INIT, .held = BUF_INIT };
	ev_init(&sub->deadline, on_deadline);
	sub->deadline.data = sub;
	ev_timer_init(&sub->refused, on_refused, 0, 0);
	sub->refused.data = sub;
	ev_timer_init(&sub->flow, subscribe_on_flow, 0, 0);
	sub->flow.data = sub;
	sub->context = lws_create_context(&info);
	if (sub->context == NULL) {
		free(sub);
		return NULL;
	}
	return sub;
}

void
subscribe_free(struct subscribe **sub)
{
	if (*sub == NULL)
		return;
	let_go(*sub);
	lws_context_destroy((*sub)->context);
	buf_clear(&(*sub)->message);
	buf_clear(&(*sub)->held);
	free((*sub)->host);
	free((*sub)->path);
	free(*sub);
	*sub = NULL;
}
