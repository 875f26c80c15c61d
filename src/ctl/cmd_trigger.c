#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "atproto/aturi.h"
#include "atproto/did.h"
#include "ctl/start.h"
#include "ctl/suggest.h"
#include "op/op_type.h"

/* The daemon knows the types, since its operator may have added some; what it
 * refuses is most likely a slip of the finger. */
static void
add_suggestion(const char *word, struct err *err)
{
	struct suggest suggest = suggest_for(word);
	size_t used = strlen(err->text);

	for (size_t i = 0; i < op_types_count; i++) {
		suggest_offer(&suggest, op_types[i].kebab);
		suggest_offer(&suggest, op_types[i].camel);
	}
	if (suggest.best != NULL)
		(void)snprintf(err->text + used, sizeof(err->text) - used,
		    "; did you mean %s?", suggest.best);
}

static int
refused(const struct ctl *ctl, const char *word, struct err *err)
{
	if (err->code != ERR_INVALID)
		return ctl_fail(ctl, err);
	if (op_type_find(str_from(word)) == NULL)
		add_suggestion(word, err);
	return ctl_usage(ctl, "%s", err->text);
}

static int
fill(const struct args *args, const char *word, struct msg_trigger *trigger,
    struct err *err)
{
	const struct op_type *type = op_type_find(str_from(word));
	struct op op;

	*trigger = (struct msg_trigger){
		.type = str_from(type != NULL ? type->kebab : word),
		.did = str_from(args_value(args, "did")),
		.pds_url = str_from(args_value(args, "pds-url")),
		.uri = str_from(args_value(args, "uri")),
		.tier = str_from(args_value(args, "tier")),
		.idempotency_key = str_from(args_value(args, "idempotency-key")),
	};
	if (args_number(args, "batch-size", 0, 1, UINT64_MAX, &trigger->batch_size,
	    err) == -1)
		return -1;
	op = (struct op){ .did = trigger->did, .pds_url = trigger->pds_url,
	    .uri = trigger->uri, .batch_size = trigger->batch_size,
	    .tier = trigger->tier, .idempotency_key = trigger->idempotency_key };
	if (op_params_fit(&op, err) == -1)
		return -1;
	if (!str_is_empty(trigger->did) && !did_is_atproto(trigger->did))
		return err_set(err, ERR_INVALID, "--did %.*s: not a did:plc or did:web",
		    STR_FMT(trigger->did));
	if (!str_is_empty(trigger->uri) && !aturi_is_valid(trigger->uri))
		return err_set(err, ERR_INVALID, "--uri %.*s: not an at:// URI",
		    STR_FMT(trigger->uri));
	return type != NULL ? op_params_check(&op, type, err) : 0;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct msg msg = { .type = MSG_TYPE_TRIGGER };
	struct err err;

	if (fill(args, args->operands[0], &msg.trigger, &err) == -1)
		return ctl_usage(ctl, "%s", err.text);
	if (start_ask(ctl, &msg, &err) == -1)
		return refused(ctl, args->operands[0], &err);
	return start_announce(ctl, args, &msg.op.op);
}

static const struct args_option options[] = {
	{ "did", 0, "DID", "the account (did-sync)" },
	{ "pds-url", 0, "URL", "the server (pds-scan); without it all known ones" },
	{ "uri", 0, "URI", "the document (citation-extraction); without it all" },
	{ "idempotency-key", 0, "KEY", "any text: the same again gives the same operation" },
	{ "batch-size", 0, "N", "records per batch (full-reindex)" },
	{ "tier", 0, "TIER", "freshness-scan: urgent, recent, normal or background" },
	START_OPTIONS,
	{ 0 },
};

const struct command command_trigger = {
	.name = "trigger",
	.operands = "TYPE",
	.summary = "start an operation and print its id",
	.details =
	    "TYPE is one of did-sync, pds-scan, freshness-scan, governance-sync,\n"
	    "citation-extraction, full-reindex, full-sync, catch-up, in this spelling\n"
	    "or in the lexicon's (didSync), or a type of the daemon's configuration.\n"
	    "The operation is on disk when its id is printed.\n",
	.options = options,
	.operands_least = 1,
	.operands_most = 1,
	.run = run,
};
