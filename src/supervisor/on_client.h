/*
 * on_client.h - what the supervisor answers to each message of a client of the
 * control socket.
 *
 * Every request is answered, by what messages.def says or by `error` with an
 * XRPC error name and a sentence.
 */
#ifndef BF_SUPERVISOR_ON_CLIENT_H
#define BF_SUPERVISOR_ON_CLIENT_H

#include "supervisor/control.h"

/* The channel_msg_cb of a client's channel; arg is its struct control_client. */
void on_client_msg(struct channel *channel, const struct msg *msg, void *arg);

/* Answers; also used by control.c for requests that had to wait. */
void client_send_op(struct control_client *client, uint64_t req, struct str id);
void client_send_end_list(struct control_client *client, uint64_t req, struct str cursor);
void client_send_cancelled(struct control_client *client, uint64_t req,
    enum op_status status);
void client_send_daemon(struct control_client *client, uint64_t req);
/* `upgrade` or `backup`, which are not for the API. */
void client_local_verb(struct control_client *client, const struct msg *msg);
void client_send_store_error(struct control_client *client, uint64_t req,
    const struct err *err);
void client_send_error(struct control_client *client, uint64_t req, const char *name,
    const char *text, const char *id);

#endif
