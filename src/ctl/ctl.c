#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "ctl/text.h"
#include "op/op_json.h"
#include "proto/fdlayout.h"

#define PROGRAM		"backfillctl"

/* Texts may come from a server by way of an operation: clean them. */
static void
complain(const struct ctl *ctl, struct str text, const char *next)
{
	struct buf line = BUF_INIT;

	(void)fflush(stdout);
	buf_add_str(&line, STR(PROGRAM ": "));
	if (ctl->command != NULL)
		buf_printf(&line, "%s: ", ctl->command);
	(void)text_add(&line, text, TEXT_UNCUT, ctl->term.is_utf8);
	if (next != NULL)
		buf_printf(&line, "\n%s", next);
	buf_add_byte(&line, '\n');
	(void)fwrite(buf_data(&line), 1, buf_len(&line), stderr);
	buf_clear(&line);
}

static const char *
advice(const struct ctl *ctl, enum err_code code)
{
	switch (code) {
	case ERR_UNAVAILABLE:
		if (!ctl->is_connected)
			return "Is backfilld running? Another socket is named with "
			    "-s SOCKET or BACKFILLD_SOCKET.";
		return "Operations are kept: 'backfillctl list' tells once the daemon "
		    "is back.";
	case ERR_TIMEOUT:
		return "Its log may tell why; 'backfillctl status' tries again.";
	case ERR_PROTOCOL:
	case ERR_VERSION:
		return "Are backfillctl and backfilld of the same version?";
	default:
		return NULL;
	}
}

static enum exit_code
exit_code_of(enum err_code code)
{
	switch (code) {
	case ERR_INVALID:
		return EXIT_USAGE;
	case ERR_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return EXIT_UNAVAILABLE;
	case ERR_PROTOCOL:
	case ERR_VERSION:
		return EXIT_PROTOCOL;
	case ERR_SYSTEM:
		return EXIT_SYSTEM;
	case ERR_CORRUPT:
		return EXIT_STORE;
	case ERR_PERMISSION:
		return EXIT_PERMISSION;
	case ERR_LIMIT:
	case ERR_EXISTS:
	case ERR_CONFLICT:
	case ERR_DISK_FULL:
	case ERR_CANCELLED:
		return EXIT_FAILED;
	}
	return EXIT_INTERNAL;
}

int
ctl_fail(const struct ctl *ctl, const struct err *err)
{
	bool is_forbidden = err->code == ERR_PERMISSION && !ctl->is_connected &&
	    access(ctl->socket_path, W_OK) == -1 && errno == EACCES;

	if (is_forbidden) {
		complain(ctl, str_from(err->text), "The socket belongs to the daemon's "
		    "user and group: try as root, or join that group.");
		return EXIT_PERMISSION;
	}
	complain(ctl, str_from(err->text), advice(ctl, err->code));
	return (int)exit_code_of(err->code);
}

int
ctl_usage(const struct ctl *ctl, const char *fmt, ...)
{
	char text[ERR_TEXT_SIZE], next[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(next, sizeof(next), "'backfillctl help%s%s' tells how to use it.",
	    ctl->command != NULL ? " " : "", ctl->command != NULL ? ctl->command : "");
	complain(ctl, str_from(text), next);
	return EXIT_USAGE;
}

int
ctl_outcome(enum op_status status)
{
	return status == OP_COMPLETED ? EXIT_OK : EXIT_FAILED;
}

int
ctl_ask(struct ctl *ctl, struct msg *question, struct err *err)
{
	if (!ctl->is_connected &&
	    client_connect(&ctl->client, ctl->socket_path, PROGRAM, err) == -1)
		return -1;
	ctl->is_connected = true;
	/* The union's members of a client all begin with req. */
	question->get.req = ++ctl->last_req;
	return client_send(&ctl->client, question, err);
}

/* XRPC error names, as docs/protocol.md lists them; another one is a refusal that
 * its text explains. */
static enum err_code
code_of_name(struct str name)
{
	static const struct {
		const char *name;
		enum err_code code;
	} rows[] = {
		{ "OperationNotFound", ERR_NOT_FOUND },
		{ "InvalidBackfillType", ERR_INVALID },
		{ "InvalidRequest", ERR_INVALID },
		{ "BackfillInProgress", ERR_EXISTS },
		{ "QueueFull", ERR_LIMIT },
		{ "NotEnoughResources", ERR_UNAVAILABLE },
		{ "ShuttingDown", ERR_UNAVAILABLE },
		{ "DiskFull", ERR_DISK_FULL },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++)
		if (str_eq(name, str_from(rows[i].name)))
			return rows[i].code;
	return ERR_CONFLICT;
}

int
ctl_answer(struct ctl *ctl, int timeout_ms, struct msg *answer_out, struct err *err)
{
	struct msg msg;

	if (client_receive(&ctl->client, timeout_ms, &msg, err) == -1)
		return -1;
	if (msg.type == MSG_TYPE_ERROR)
		return err_set(err, code_of_name(msg.error.name), "%.*s",
		    STR_FMT(msg.error.text));
	*answer_out = msg;
	return 0;
}

int
ctl_answer_with(struct ctl *ctl, int timeout_ms, enum msg_type type,
    struct msg *answer_out, struct err *err)
{
	struct msg msg;

	if (ctl_answer(ctl, timeout_ms, &msg, err) == -1)
		return -1;
	if (msg.type != type)
		return ctl_unexpected(&msg, err);
	*answer_out = msg;
	return 0;
}

int
ctl_unexpected(const struct msg *msg, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "the daemon answered with '%s'",
	    msg_name(msg->type));
}

int
ctl_open_records(struct ctl *ctl, struct client *records_out, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_OPEN_RECORDS };
	struct client records;
	int fd;

	if (ctl_ask(ctl, &msg, err) == -1 ||
	    ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS, MSG_TYPE_RECORDS_OPENED, &msg,
	    err) == -1)
		return -1;
	fd = client_take_fd(&ctl->client);
	if (fd == -1)
		return err_set(err, ERR_PROTOCOL, "the daemon sent no record channel");
	client_init(&records, fd, FROM_INDEXER, LIMIT_FRAME_RECORD_BYTES);
	msg = (struct msg){ .type = MSG_TYPE_HELLO, .hello = {
		.version = PROTO_VERSION, .program = STR(PROGRAM),
		.pid = (uint64_t)getpid(),
	} };
	if (client_send(&records, &msg, err) == -1 ||
	    client_receive(&records, CTL_ANSWER_TIMEOUT_MS, &msg, err) == -1)
		goto fail;
	if (msg.type != MSG_TYPE_HELLO || msg.hello.version != PROTO_VERSION) {
		(void)err_set(err, ERR_VERSION, "the indexer speaks another version of "
		    "the protocol");
		goto fail;
	}
	*records_out = records;
	return 0;
fail:
	client_clear(&records);
	return -1;
}

void
ctl_print_json_op(const struct op *op)
{
	struct buf line = BUF_INIT;
	struct json json = json_to(&line);

	op_json(&json, op, OP_KEBAB);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
}
