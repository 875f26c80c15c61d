#include "confine/confine.h"
#include "t/workers/null_items.h"

#include <stdio.h>
#include <unistd.h>

#include "common/limits.h"
#include "workers/worker.h"

void
null_items(struct worker *worker)
{
	for (int i = 0; i < LIMIT_OP_ITEMS + 10; i++) {
		char item[32];

		(void)snprintf(item, sizeof(item), "number %d", i);
		worker_item_failed(worker, str_from(item), "null-op", "of many");
	}
}

void
null_items_dids(struct worker *worker)
{
	const char *const items[] = { "did:web:one.test", "https://two.test",
	    "at://did:web:three.test/a.b.c/d", "did:web:one.test" };

	for (size_t i = 0; i < BF_ARRAY_LEN(items); i++)
		worker_item_failed(worker, str_from(items[i]), "null-op", "as asked");
}

bool
null_retry(struct worker *worker, uint64_t *count_out)
{
	const struct str *items;
	size_t count;

	if (!worker_retry_items(worker, &items, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		worker_log(worker, LOG_LEVEL_INFO, "again: %.*s", STR_FMT(items[i]));
	*count_out = count;
	return true;
}

void
null_spill_files(struct worker *worker)
{
	const struct worker_assignment *given = worker_assignment(worker);
	unsigned usable = 0;

	for (unsigned i = 0; i < given->spill_count; i++)
		usable += pwrite(given->spill_fds[i], "x", 1, 0) == 1;
	worker_log(worker, LOG_LEVEL_INFO, "%u temporary files", usable);
}

void
null_confine(struct confine *confine, const struct settings *settings BF_UNUSED)
{
	confine_init(confine, CONFINE_CONNECT | CONFINE_HELPER);
}
