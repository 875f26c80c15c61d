#include "confine/confine.h"
#include "t/workers/null_items.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/limits.h"
#include "workers/worker.h"

extern char **environ;

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
null_item_works(struct worker *worker)
{
	const char *const items[] = { "did:web:before.test", "did:web:behind.test" };
	bool goes_on = worker_assignment(worker)->checkpoint.len > 0;

	for (size_t i = 0; i < BF_ARRAY_LEN(items); i++) {
		if (goes_on)
			worker_item_works(worker, str_from(items[i]));
		else
			worker_item_failed(worker, str_from(items[i]), "null-op", "at first");
		if (!goes_on && i == 0)
			worker_checkpoint(worker, &(struct msg_checkpoint){
			    .data = { (const uint8_t *)"here", 4 } });
	}
	return goes_on;
}

void
null_environment(struct worker *worker)
{
	struct buf names = BUF_INIT;

	for (char **var = environ; *var != NULL; var++)
		buf_printf(&names, " %.*s", (int)strcspn(*var, "="), *var);
	worker_log(worker, LOG_LEVEL_INFO, "environment:%.*s", STR_FMT(buf_str(&names)));
	buf_clear(&names);
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
