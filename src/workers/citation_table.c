#include "workers/citation_table.h"

#include <stdlib.h>

#include "citation/match.h"
#include "common/buf.h"
#include "common/mem.h"
#include "workers/citation_env.h"
#include "workers/rows_link.h"

#define PAGE		1000	/* records in one answer */
#define TEXT_SIZE	256

struct citation_table {
	struct citation_env *env;	/* borrowed, outlives us */
	citation_table_cb *cb;
	void *arg;

	struct match_table *table;	/* owned */
	struct link_question *question;	/* NULL: none is open */
	struct buf last_did, last_path;	/* of the last record */
	uint64_t in_page;
	bool is_full;
};

static void ask_page(struct citation_table *reading);

static void
table_free(struct citation_table *reading)
{
	match_table_free(&reading->table);
	buf_clear(&reading->last_did);
	buf_clear(&reading->last_path);
	free(reading);
}

static void
end(struct citation_table *reading, const char *class, const char *text)
{
	struct match_table *table = reading->table;

	if (class == NULL) {
		match_ready(table);
		reading->table = NULL;
	}
	reading->cb(class == NULL ? table : NULL, class, text, reading->arg);
	table_free(reading);
}

static void
on_record(const struct msg_record *record, void *arg)
{
	struct citation_table *reading = arg;
	size_t skip = reading->env->collection.len + 1;
	struct eprint eprint;

	reading->in_page++;
	buf_reset(&reading->last_did);
	buf_add_str(&reading->last_did, record->did);
	buf_reset(&reading->last_path);
	buf_add_str(&reading->last_path, record->path);
	eprint_read(record->record, &reading->env->map, &eprint);
	if (match_add(reading->table, record->did, (struct str){ record->path.ptr + skip,
	    record->path.len - skip }, &eprint) == -1)
		reading->is_full = true;
}

static void
on_end(const struct msg_refuse *why, void *arg)
{
	struct citation_table *reading = arg;
	char class[TEXT_SIZE], text[TEXT_SIZE];

	reading->question = NULL;
	if (why != NULL) {
		(void)str_copy(class, sizeof(class), why->class);
		(void)str_copy(text, sizeof(text), why->text);
		end(reading, class, text);
	} else if (reading->is_full) {
		end(reading, "too-large", "there are more eprints than can be compared");
	} else if (reading->in_page < PAGE) {
		end(reading, NULL, NULL);
	} else {
		ask_page(reading);
	}
}

static void
ask_page(struct citation_table *reading)
{
	struct records_walk walk = {
		.collection = reading->env->collection,
		.after_did = buf_str(&reading->last_did),
		.after_path = buf_str(&reading->last_path),
		.limit = PAGE,
	};

	reading->in_page = 0;
	reading->question = records_walk(reading->env->net.records, &walk, on_record,
	    on_end, reading);
}

struct citation_table *
citation_table_start(struct citation_env *env, citation_table_cb *cb, void *arg)
{
	struct citation_table *reading = xcalloc(1, sizeof(*reading));

	reading->env = env;
	reading->cb = cb;
	reading->arg = arg;
	reading->table = match_table_new();
	ask_page(reading);
	return reading;
}

void
citation_table_cancel(struct citation_table **reading)
{
	if (*reading == NULL)
		return;
	if ((*reading)->question != NULL)
		link_question_cancel(&(*reading)->question);
	table_free(*reading);
	*reading = NULL;
}
