#include "op/op_json.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "op/op_progress.h"
#include "op/op_type.h"

static void
member_str(struct json *json, struct str name, struct str value)
{
	if (!str_is_empty(value))
		json_member_str(json, name, value);
}

static void
member_datetime(struct json *json, struct str name, uint64_t wall_ms)
{
	if (wall_ms != 0)
		json_member_datetime(json, name, (int64_t)wall_ms);
}

static struct str
spelled(struct str type, enum op_spelling spelling)
{
	const struct op_type *known = op_type_find(type);

	if (known == NULL)
		return type;
	return str_from(spelling == OP_CAMEL ? known->camel : known->kebab);
}

static void
write_params(struct json *json, const struct op *op)
{
	json_name(json, STR("params"));
	json_object_begin(json);
	member_str(json, STR("did"), op->did);
	member_str(json, STR("pdsUrl"), op->pds_url);
	member_str(json, STR("uri"), op->uri);
	member_str(json, STR("tier"), op->tier);
	if (op->batch_size != 0)
		json_member_u64(json, STR("batchSize"), op->batch_size);
	member_str(json, STR("itemsOf"), op->items_of);
	json_object_end(json);
}

/* The lexicon declares startedBy as a DID: anything else has another name. */
static void
write_times_and_people(struct json *json, const struct op *op)
{
	json_member_datetime(json, STR("startedAt"), (int64_t)op->created_ms);
	member_datetime(json, STR("completedAt"), op->completed_ms);
	member_datetime(json, STR("updatedAt"), op->updated_ms);
	if (op_status(op) == OP_RUNNING)
		member_datetime(json, STR("runningSince"), op->started_ms);
	member_str(json, str_starts_with(op->started_by, STR("did:")) ?
	    STR("startedBy") : STR("triggeredBy"), op->started_by);
	if (op_is_paused(op)) {
		json_member_bool(json, STR("paused"), true);
		member_datetime(json, STR("pausedAt"), op->paused_ms);
		member_str(json, STR("pausedBy"), op->paused_by);
	}
	member_str(json, STR("cancelledBy"), op->cancelled_by);
	member_str(json, STR("cancelReason"), op->cancel_reason);
	member_datetime(json, STR("cancelAskedAt"), op->cancel_asked_ms);
}

static void
write_rate(struct json *json, const struct op *op)
{
	uint64_t eta_secs;

	if (op_status(op) != OP_RUNNING || op->rate_milli == 0)
		return;
	/* The AT Protocol's data model has no fractions. */
	json_member_u64(json, STR("rate"), (op->rate_milli + 500) / 1000);
	if (op_eta_secs(op, &eta_secs))
		json_member_u64(json, STR("etaSeconds"), eta_secs);
}

static void
write_stage(struct json *json, const struct op *op)
{
	struct op_progress is = op_progress(op);

	if (!is.is_of_stage)
		return;
	json_name(json, STR("stageProgress"));
	json_object_begin(json);
	json_member_u64(json, STR("done"), is.done);
	if (is.total > 0)
		json_member_u64(json, STR("total"), is.total);
	json_object_end(json);
}

static void
write_progress(struct json *json, const struct op *op)
{
	unsigned percent;

	member_str(json, STR("stage"), op->stage);
	json_member_u64(json, STR("recordsProcessed"), op->records_processed);
	if (op->records_total > 0)
		json_member_u64(json, STR("totalRecords"), op->records_total);
	if (op_percent(op, &percent))
		json_member_u64(json, STR("progress"), percent);
	write_stage(json, op);
	json_member_u64(json, STR("itemsFailed"), op->items_failed);
	write_rate(json, op);
}

static void
write_changes(struct json *json, const struct op *op)
{
	if (op_status(op) != OP_COMPLETED && op->records_created == 0 &&
	    op->records_updated == 0 && op->records_deleted == 0)
		return;
	json_name(json, STR("changes"));
	json_object_begin(json);
	json_member_u64(json, STR("created"), op->records_created);
	json_member_u64(json, STR("updated"), op->records_updated);
	json_member_u64(json, STR("deleted"), op->records_deleted);
	json_object_end(json);
}

static void
write_usage(struct json *json, const struct op *op)
{
	if (op->attempt == 0)
		return;
	json_name(json, STR("usage"));
	json_object_begin(json);
	json_member_u64(json, STR("cpuMs"), op->cpu_ms);
	json_member_u64(json, STR("maxRssKib"), op->max_rss_kib);
	json_member_u64(json, STR("bytesFetched"), op->bytes_fetched);
	json_object_end(json);
}

static void
write_met(struct json *json, const struct op *op)
{
	uint64_t met[OP_MET_COUNT], all = 0;

	op_met_get(op, met);
	for (int i = 0; i < OP_MET_COUNT; i++)
		all += met[i];
	if (all == 0)
		return;
	json_name(json, STR("met"));
	json_object_begin(json);
	for (int i = 0; i < OP_MET_COUNT; i++)
		if (met[i] > 0)
			json_member_u64(json, str_from(op_met_word((enum op_met)i)), met[i]);
	json_object_end(json);
}

static void
write_signal(struct json *json, int number)
{
	const char *word = sigabbrev_np(number);	/* NULL: a real-time signal */
	char text[24];

	if (word != NULL)
		(void)snprintf(text, sizeof(text), "SIG%s", word);
	else
		(void)snprintf(text, sizeof(text), "SIG%d", number);
	json_member_str(json, STR("signal"), str_from(text));
}

static void
write_exit(struct json *json, const struct op *op)
{
	int status;

	if (op->exit_status == 0)
		return;
	status = (int)(op->exit_status - 1);
	json_name(json, STR("exit"));
	json_object_begin(json);
	if (WIFSIGNALED(status))
		write_signal(json, WTERMSIG(status));
	else
		json_member_u64(json, STR("code"), (uint64_t)WEXITSTATUS(status));
	json_member_bool(json, STR("killed"), op->was_killed);
	json_object_end(json);
}

void
op_json_members(struct json *json, const struct op *op, enum op_spelling spelling)
{
	json_member_str(json, STR("id"), op->id);
	json_member_str(json, STR("type"), spelled(op->type, spelling));
	json_member_str(json, STR("status"), str_from(op_status_word(op_status(op))));
	write_times_and_people(json, op);
	write_params(json, op);
	if (op->attempt != 0)
		json_member_u64(json, STR("attempt"), op->attempt);
	write_progress(json, op);
	write_changes(json, op);
	member_str(json, STR("error"), op->error_text);
	member_str(json, STR("errorClass"), op->error_class);
	write_usage(json, op);
	write_met(json, op);
	write_exit(json, op);
}

void
op_json(struct json *json, const struct op *op, enum op_spelling spelling)
{
	json_object_begin(json);
	op_json_members(json, op, spelling);
	json_object_end(json);
}

void
op_json_event(struct json *json, int64_t at_ms, struct str event, struct str text)
{
	json_object_begin(json);
	json_member_datetime(json, STR("at"), at_ms);
	json_member_str(json, STR("event"), event);
	member_str(json, STR("text"), text);
	json_object_end(json);
}

void
op_json_item(struct json *json, int64_t at_ms, struct str item,
    struct str error_class, struct str error)
{
	json_object_begin(json);
	json_member_datetime(json, STR("at"), at_ms);
	json_member_str(json, STR("item"), item);
	member_str(json, STR("errorClass"), error_class);
	member_str(json, STR("error"), error);
	json_object_end(json);
}
