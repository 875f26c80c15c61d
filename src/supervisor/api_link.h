/*
 * api_link.h - what the API says as a service; as a client it is in on_client.h.
 */
#ifndef BF_SUPERVISOR_API_LINK_H
#define BF_SUPERVISOR_API_LINK_H

#include "proto/msg.h"
#include "supervisor/supervisor.h"

/* It has said hello. */
void api_link_ready(struct supervisor *sup);

/* pong or confined. */
void api_link_said(struct supervisor *sup, const struct msg *msg);

#endif
