/*
 * fill_ops.c - write operations for tests of those who read them.
 *
 *	fill_ops DIR < commands
 *
 * One command a line; the times are counted up from a fixed one:
 *	create TYPE STARTED_BY [DID]	prints the id
 *	start ID
 *	progress ID PROCESSED TOTAL
 *	complete ID
 *	fail ID TEXT
 *	cancel ID BY
 *	checkpoint ID TEXT
 *	item ID ITEM			that failed
 *	many COUNT TYPE			COUNT completed ones
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/attr.h"
#include "common/tid.h"
#include "store/ops.h"

#define FIRST_MS	1700000000000ll
#define MANY_GROUP	1000	/* written together */

struct fill {
	struct ops *ops;
	uint64_t last_tid;
	int64_t now_ms;
	char *words[4];		/* of the command */
};

static void
check(int result, const struct err *err)
{
	if (result == -1) {
		fprintf(stderr, "fill_ops: %s\n", err->text);
		exit(1);
	}
}

static const char *
word(const struct fill *fill, int i)
{
	return fill->words[i] != NULL ? fill->words[i] : "";
}

static void
create(struct fill *fill, const char *type, const char *by, const char *did,
    char id_out[TID_SIZE])
{
	char active[TID_SIZE];
	struct op op = { 0 };
	struct err err;

	fill->last_tid = tid_next(fill->last_tid, fill->now_ms * 1000, 0);
	tid_format(fill->last_tid, id_out);
	op.id = str_from(id_out);
	op.type = str_from(type);
	op.did = str_from(did);
	op.started_by = str_from(by);
	op.created_ms = (uint64_t)fill->now_ms;
	check(ops_create(fill->ops, &op, active, &err), &err);
}

static void
set_attempt(struct op *op, void *arg BF_UNUSED)
{
	op->attempt++;
	op->started_ms = op->created_ms + 10;
	op->worker_pid = 4711;
}

static void
set_failure(struct op *op, void *arg)
{
	op->error_text = str_from(arg);
	op->error_class = STR("worker-died");
	op->exit_status = 11 + 1;	/* SIGSEGV */
}

static void
set_canceller(struct op *op, void *arg)
{
	op->cancelled_by = str_from(arg);
	op->exit_status = 9 + 1;
	op->was_killed = true;
}

static void
change(struct fill *fill, struct str id, enum op_event event, ops_edit_cb *edit,
    void *arg)
{
	struct err err;

	check(ops_change(fill->ops, id, event, STR_NONE, fill->now_ms, edit, arg,
	    NULL, &err), &err);
}

static void
progress(struct fill *fill, const char *id)
{
	struct ops_progress row = {
		.stage = STR("fetch"),
		.processed = strtoull(word(fill, 2), NULL, 10),
		.total = strtoull(word(fill, 3), NULL, 10),
		.rate_milli = 2500,
		.now_ms = fill->now_ms,
	};
	struct err err;

	(void)str_copy(row.id, sizeof(row.id), str_from(id));
	check(ops_write_progress(fill->ops, &row, 1, &err), &err);
}

static void
checkpoint(struct fill *fill, struct str id)
{
	struct str text = str_from(word(fill, 2));
	struct err err;

	check(ops_put_checkpoint(fill->ops, id,
	    (struct bytes){ (const uint8_t *)text.ptr, text.len }, 1, fill->now_ms,
	    &err), &err);
}

static void
item(struct fill *fill, struct str id)
{
	struct ops_item failed = { .at_ms = fill->now_ms, .class = STR("unreachable"),
	    .item = str_from(word(fill, 2)), .text = STR("nobody answers") };
	struct err err;

	check(ops_add_item(fill->ops, id, &failed, &err), &err);
}

static void
many(struct fill *fill)
{
	unsigned long count = strtoul(word(fill, 1), NULL, 10);
	char id[TID_SIZE];
	struct err err;

	check(ops_group_begin(fill->ops, &err), &err);
	while (count-- > 0) {
		if (count % MANY_GROUP == 0) {
			check(ops_group_commit(fill->ops, &err), &err);
			check(ops_group_begin(fill->ops, &err), &err);
		}
		fill->now_ms++;
		create(fill, word(fill, 2), "admin", "", id);
		change(fill, str_from(id), OP_EVENT_START, set_attempt, NULL);
		change(fill, str_from(id), OP_EVENT_COMPLETE, NULL, NULL);
	}
	check(ops_group_commit(fill->ops, &err), &err);
}

static void
run(struct fill *fill)
{
	const char *verb = word(fill, 0);
	struct str id = str_from(word(fill, 1));

	fill->now_ms += 1000;
	if (strcmp(verb, "create") == 0) {
		char text[TID_SIZE];

		create(fill, word(fill, 1), word(fill, 2), word(fill, 3), text);
		puts(text);
		fflush(stdout);
	} else if (strcmp(verb, "start") == 0) {
		change(fill, id, OP_EVENT_START, set_attempt, NULL);
	} else if (strcmp(verb, "progress") == 0) {
		progress(fill, word(fill, 1));
	} else if (strcmp(verb, "complete") == 0) {
		change(fill, id, OP_EVENT_COMPLETE, NULL, NULL);
	} else if (strcmp(verb, "fail") == 0) {
		change(fill, id, OP_EVENT_FAIL, set_failure, fill->words[2]);
	} else if (strcmp(verb, "checkpoint") == 0) {
		checkpoint(fill, id);
	} else if (strcmp(verb, "item") == 0) {
		item(fill, id);
	} else if (strcmp(verb, "cancel") == 0) {
		change(fill, id, OP_EVENT_CANCEL, set_canceller, fill->words[2]);
	} else if (strcmp(verb, "many") == 0) {
		many(fill);
	} else {
		fprintf(stderr, "fill_ops: no command %s\n", verb);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct fill fill = { .now_ms = FIRST_MS };
	char line[4096];
	struct err err;

	if (argc != 2)
		return 2;
	check(ops_open(argv[1], OPS_WRITE, &fill.ops, &err), &err);
	check(ops_last_id(fill.ops, &fill.last_tid, &err), &err);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *rest = line;

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < BF_ARRAY_LEN(fill.words); i++)
			fill.words[i] = strsep(&rest, " ");
		run(&fill);
	}
	ops_close(&fill.ops);
	return 0;
}
