#include "workers/net_worker.h"

#include "fetch/http.h"

int
net_worker_main(const struct worker_type *type)
{
	int status;

	http_init();
	status = worker_main(type);
	http_exit();
	return status;
}
