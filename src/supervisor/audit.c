#include "supervisor/audit.h"

#include "common/log.h"
#include "supervisor/control.h"

void
audit_control(const struct control_client *client, const char *verb, struct str op_id)
{
	if (!client->is_api)
		log_audit("audit: from=control who=\"%s\" did=%s op=%.*s", client->who, verb,
		    STR_FMT(op_id));
}
