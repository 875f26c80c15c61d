#include "supervisor/assign.h"

#include "common/crashpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "op/op_type.h"

static int
open_spill_file(const char *state_dir, int *fd_out, struct err *err)
{
	char path[4096];
	int fd = open(state_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		(void)snprintf(path, sizeof(path), "%s/spill.XXXXXX", state_dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd != -1)
			(void)unlink(path);
	}
	if (fd == -1)
		return err_errno(err, "temporary file in %s", state_dir);
	*fd_out = fd;
	return 0;
}

int
assign_open_spill_files(const struct supervisor *sup, const char *type,
    int fds_out[LIMIT_WORKER_SPILL_FILES], unsigned *count_out, struct err *err)
{
	const struct op_type *row = op_type_find(str_from(type));
	unsigned wanted = row != NULL ? row->spill_files : 1;

	*count_out = 0;
	while (*count_out < wanted) {
		if (open_spill_file(sup->settings.state_dir, &fds_out[*count_out],
		    err) == -1)
			return -1;
		(*count_out)++;
	}
	return 0;
}

/* A retry's items while they are sent. */
struct sending {
	struct child *child;
	enum op_retry kind;
	uint64_t count;
};

static bool
send_item(const struct ops_item *item, void *arg)
{
	struct sending *sending = arg;
	struct msg msg = { .type = MSG_TYPE_RETRY_ITEM };

	msg.retry_item.item = op_retry_item(sending->kind, item->item);
	if (str_is_empty(msg.retry_item.item))
		return true;
	sending->count++;
	channel_send(sending->child->channel, &msg);
	return true;
}

static int
send_items(struct child *child, struct ops_read *read, const struct op *op,
    struct err *err)
{
	const struct op_type *type = op_type_find(op->type);
	struct sending sending = {
		.child = child, .kind = type != NULL ? type->retry : OP_RETRY_NONE,
	};
	struct msg msg = { .type = MSG_TYPE_RETRY_END };

	if (ops_items(read, op->items_of, send_item, &sending, err) == -1)
		return -1;
	msg.retry_end.count = sending.count;
	channel_send(child->channel, &msg);
	return 0;
}

static bool
send_listed(const struct ops_item *item, void *arg)
{
	struct child *child = arg;

	channel_send(child->channel, &(struct msg){ .type = MSG_TYPE_LISTED_ITEM,
	    .listed_item = { .item = item->item } });
	return true;
}

static void
send_files(struct child *child, const struct msg *assign)
{
	struct msg spill = { .type = MSG_TYPE_SPILL };

	if (child->spill_count == 0)
		channel_send(child->channel, assign);
	for (unsigned i = 0; i < child->spill_count; i++) {
		spill.spill.number = i + 1;
		channel_send_fd(child->channel, i == 0 ? assign : &spill,
		    child->spill_fds[i]);
	}
	child->spill_count = 0;
}

int
assign_send(struct child *child, struct err *err)
{
	struct supervisor *sup = child->sup;
	struct msg msg = { .type = MSG_TYPE_ASSIGN };
	struct ops_read *read;
	struct bytes checkpoint;
	struct op op;
	int rc;

	if (ops_read_begin(sup->ops, &read, err) == -1)
		return -1;
	rc = ops_get(read, str_from(child->id), &op, err);
	if (rc == 0)
		rc = ops_get_checkpoint(read, str_from(child->id), &checkpoint, err);
	/* An attempt that died may have said what another one, which does it again, finds
	 * to be otherwise. */
	if (rc == 0)
		rc = ops_open_items(read, op.id, send_listed, child, err);
	if (rc == 0) {
		msg.assign = (struct msg_assign){
			.id = op.id, .type = op.type, .attempt = op.attempt,
			.did = op.did, .pds_url = op.pds_url, .uri = op.uri,
			.batch_size = op.batch_size, .tier = op.tier, .checkpoint = checkpoint,
			.items_of = op.items_of,
			.spills = child->spill_count > 0 ? child->spill_count - 1 : 0,
		};
		child->end.has_checkpoint = checkpoint.len > 0;
		send_files(child, &msg);
		if (!str_is_empty(op.items_of))
			rc = send_items(child, read, &op, err);
	}
	ops_read_end(&read);
	crashpoint(CRASHPOINT_WORKER_ASSIGNED);
	return rc;
}
