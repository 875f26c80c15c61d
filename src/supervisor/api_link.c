#include "supervisor/api_link.h"

#include "supervisor/contain.h"
#include "supervisor/resolver_link.h"
#include "supervisor/service.h"

void
api_link_ready(struct supervisor *sup)
{
	service_set_ready(sup->api);
	resolver_introduce(sup);
}

void
api_link_said(struct supervisor *sup, const struct msg *msg)
{
	if (msg->type == MSG_TYPE_CONFINED)
		contain_report(sup, "backfill-api", &msg->confined);
	service_heard(sup->api);
}
