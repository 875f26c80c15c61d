/*
 * doctor.h - what is well with this daemon and its machine, and what is not.
 *
 * For `backfillctl doctor`: one `check` for each thing that was looked at, with
 * "ok", "weak" (it works, with less room or protection than it could have) or
 * "wrong" (mend it), and what to do.  Everything is looked at anew; nothing is
 * changed.
 */
#ifndef BF_SUPERVISOR_DOCTOR_H
#define BF_SUPERVISOR_DOCTOR_H

#include <stdint.h>

struct control_client;

/* Answer with check* and end_list. */
void doctor_send(struct control_client *client, uint64_t req);

#endif
