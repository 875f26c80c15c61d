/*
 * audit.h - who changed what, and who was turned away: a line of the log each.
 *
 *	audit: from=127.0.0.1 who=did:plc:... did=triggerBackfill status=200 op=3k...
 *	audit: from=127.0.0.1 claimed=did:plc:... tried=triggerBackfill status=401
 *
 * Written whatever log_level says.  What an operation was started and cancelled by
 * is in its record as well; changes through the control socket are in the
 * supervisor's log with the same prefix.
 */
#ifndef BF_API_AUDIT_H
#define BF_API_AUDIT_H

struct request;

/* Called once for each answer, when it is sent. */
void audit_answer(const struct request *request);

#endif
