#include "fetch/subscribe_impl.h"

#include <string.h>

#define KEEP_BYTES	(256 * 1024)	/* of the message buffer, between messages */

/* --- pausing ---
 *
 * libwebsockets must not be stopped in the middle of what it has read: over TLS it
 * would then go round for ever (its roles/ws/ops-ws.c reads again as long as OpenSSL has
 * bytes, and puts back what it may not hand over).  So it is stopped from a turn of its
 * own, when it has handed over all that it had: 64 KiB at most, and a record of TLS.
 * What of that comes in a pause is held here.
 */

static void
hold(struct subscribe *sub, struct bytes message)
{
	buf_add(&sub->held, &message.len, sizeof(message.len));
	buf_add(&sub->held, message.ptr, message.len);
}

/* The next message that is held, taken out into a buffer of the caller's. */
static bool
take_held(struct subscribe *sub, struct buf *message_out)
{
	size_t len;

	if (buf_len(&sub->held) == 0)
		return false;
	memcpy(&len, buf_data(&sub->held), sizeof(len));
	buf_consume(&sub->held, sizeof(len));
	buf_reset(message_out);
	buf_add(message_out, buf_data(&sub->held), len);
	buf_consume(&sub->held, len);
	return true;
}

static bool
is_holding(const struct subscribe *sub)
{
	return sub->is_paused || buf_len(&sub->held) > 0;
}

static void
stop_or_go_on(struct subscribe *sub)
{
	if (sub->is_over || sub->is_stopped == is_holding(sub))
		return;
	sub->is_stopped = !sub->is_stopped;
	(void)lws_rx_flow_control(sub->wsi, !sub->is_stopped);
}

void
subscribe_on_flow(struct ev_loop *loop, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct subscribe *sub = timer->data;
	struct buf message = BUF_INIT;

	stop_or_go_on(sub);
	if (sub->is_paused)
		return;
	if (take_held(sub, &message)) {
		/* One a turn: a message that is taken may end the stream. */
		ev_timer_start(loop, &sub->flow);
		sub->events->on_message(buf_bytes(&message), sub->arg);
		buf_clear(&message);
	} else if (sub->is_over) {
		subscribe_end(sub, &sub->failure);
	}
}

/* The end comes behind what is held, as it would have without a pause. */
static void
end_in_order(struct subscribe *sub, const struct fetch_error *error)
{
	if (!is_holding(sub)) {
		subscribe_end(sub, error);
		return;
	}
	sub->failure = *error;
	sub->wsi = NULL;
	sub->is_over = true;
	ev_timer_stop(sub->loop, &sub->deadline);
}

/* --- what libwebsockets tells; -1 has it close the connection --- */

static int
take_piece(struct subscribe *sub, struct lws *wsi, struct bytes piece)
{
	struct fetch_error error;

	if (!lws_frame_is_binary(wsi)) {
		fetch_error_set(&error, FETCH_INVALID, "a text message on a binary stream");
		end_in_order(sub, &error);
		return -1;
	}
	if (piece.len > sub->options.message_bytes - buf_len(&sub->message)) {
		fetch_error_set(&error, FETCH_TOO_LARGE, "a message is over %zu bytes",
		    sub->options.message_bytes);
		end_in_order(sub, &error);
		return -1;
	}
	sub->received_bytes += piece.len;
	buf_add(&sub->message, piece.ptr, piece.len);
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
		return 0;
	/* A message that is taken may end the stream, or begin another. */
	if (is_holding(sub))
		hold(sub, buf_bytes(&sub->message));
	else
		sub->events->on_message(buf_bytes(&sub->message), sub->arg);
	if (sub->wsi != wsi)
		return -1;
	buf_reset(&sub->message);
	buf_shrink(&sub->message, KEEP_BYTES);
	return 0;
}

static int
write_headers(const struct subscribe *sub, struct lws *wsi, void *in, size_t len)
{
	unsigned char **at = in, *limit = *at + len;
	const char *agent = sub->options.user_agent;

	return lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_USER_AGENT,
	    (const unsigned char *)agent, (int)strlen(agent), at, limit) != 0 ? -1 : 0;
}

static int
send_ping(struct subscribe *sub, struct lws *wsi)
{
	uint8_t room[LWS_PRE];

	if (!sub->ping_is_due)
		return 0;
	sub->ping_is_due = false;
	return lws_write(wsi, room + LWS_PRE, 0, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/* OpenSSL's verdict on one certificate of the chain, which libwebsockets heeds but
 * does not tell. */
static void
judged(struct subscribe *sub, const struct lws *wsi, X509_STORE_CTX *chain, bool is_good)
{
	if (is_good || sub->wsi != wsi)
		return;
	fetch_error_set(&sub->failure, FETCH_TLS, "SSL certificate problem: %s",
	    X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain)));
}

/* Its words for a handshake that was refused, and not for one that was cut. */
static bool
is_of_tls(const char *text)
{
	return strstr(text, "tls") != NULL || strstr(text, "SSL err 1:") != NULL;
}

/* It was not let in, or did not come that far; text is libwebsockets' own. */
static void
connecting_failed(struct subscribe *sub, struct lws *wsi, const char *text)
{
	unsigned status = lws_http_client_http_response(wsi);
	struct fetch_error error;

	sub->turn++;
	if (sub->failure.class == FETCH_TLS)
		error = sub->failure;
	else if (status == 429)
		fetch_error_set(&error, FETCH_RATE_LIMITED, "HTTP status 429");
	else if (status >= 500 && status != 501)
		fetch_error_set(&error, FETCH_SERVER_ERROR, "HTTP status %u", status);
	else if (status >= 200)
		fetch_error_set(&error, FETCH_REFUSED, "HTTP status %u", status);
	else
		fetch_error_set(&error, sub->is_https && is_of_tls(text) ?
		    FETCH_TLS : FETCH_UNREACHABLE, "%s", text);
	subscribe_end(sub, &error);
}

static void
opened(struct subscribe *sub)
{
	sub->state = SUBSCRIBE_OPEN;
	subscribe_heard(sub);
	sub->events->on_open(sub->arg);
}

int
subscribe_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
    size_t len)
{
	struct subscribe *sub = user;

	if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
		judged(lws_context_user(lws_get_context(wsi)), wsi, user, len != 0);
		return 0;
	}
	/* Of the context itself; or of a stream that we have let go. */
	if (sub == NULL || sub->wsi != wsi)
		return reason == LWS_CALLBACK_CLIENT_RECEIVE ? -1 : 0;
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return write_headers(sub, wsi, in, len);
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		opened(sub);
		return sub->wsi == wsi ? 0 : -1;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		subscribe_heard(sub);
		return take_piece(sub, wsi, (struct bytes){ in, len });
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		subscribe_heard(sub);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return send_ping(sub, wsi);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		sub->wsi = NULL;
		connecting_failed(sub, wsi, in != NULL ? in : "the connection failed");
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		sub->failure = (struct fetch_error){ .class = FETCH_OK };
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		sub->wsi = NULL;
		end_in_order(sub, &sub->failure);
		return 0;
	default:
		return 0;
	}
}
