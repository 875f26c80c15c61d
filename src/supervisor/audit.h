/*
 * audit.h - a line of the log for each change that is asked for on the control
 * socket; those of the API's callers are in its own log (src/api/audit.h).
 *
 *	audit: from=control who="uid 1000" did=cancel op=3k...
 */
#ifndef BF_SUPERVISOR_AUDIT_H
#define BF_SUPERVISOR_AUDIT_H

#include "common/str.h"

struct control_client;

void audit_control(const struct control_client *client, const char *verb,
    struct str op_id);

#endif
