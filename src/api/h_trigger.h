/*
 * h_trigger.h - the input of a trigger, whether it came as JSON or from a form.
 */
#ifndef BF_API_H_TRIGGER_H
#define BF_API_H_TRIGGER_H

#include "common/err.h"
#include "proto/msg.h"

#define TRIGGER_TIMEOUT_MS	5000	/* for the supervisor to answer */

struct json_t;

/* Check the input for an operation of this type, in either spelling or an operator's
 * own, as the lexicons say.  Text in the result is borrowed from both.  ERR_INVALID. */
int trigger_parse(const struct json_t *input, struct str name,
    struct msg_trigger *trigger_out, struct err *err) BF_MUSTCHECK;

#endif
