#include "supervisor/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "op/op_type.h"
#include "rows/row_table.h"
#include "supervisor/assign.h"
#include "supervisor/contain.h"
#include "supervisor/handshake.h"
#include "supervisor/on_worker.h"
#include "supervisor/service.h"
#include "supervisor/spawn.h"
#include "supervisor/time_limit.h"

static void
on_hello_timer(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct child *child = watcher->data;

	log_warn("op %s worker %d: no hello in %llu ms", child->id, child->pid,
	    (unsigned long long)child->sup->settings.hello_timeout_ms);
	child_stop(child, STOP_HELLO_TIMEOUT);
}

struct start {		/* what the start writes into the record */
	pid_t pid;
	int64_t now_ms;
};

static void
edit_started(struct op *op, void *arg)
{
	const struct start *start = arg;

	op->attempt++;
	op->started_ms = (uint64_t)start->now_ms;
	op->worker_pid = (uint64_t)start->pid;
	op->stage = STR("starting");
	op->exit_status = 0;
}

static void
on_channel_close(struct channel *channel, const struct err *why, void *arg)
{
	struct child *child = arg;

	/* Without a reason it has closed it by ending: SIGCHLD should follow. */
	if (why != NULL)
		on_worker_broke(child, why->text);
	else
		child_expect_end(child);
	child->channel = NULL;
	channel_free(&channel);
}

struct child *
child_new(struct supervisor *sup, const struct op *op, pid_t pid, int control_fd)
{
	struct child *child = xcalloc(1, sizeof(*child));
	struct channel_options options = {
		.accepts = FROM_WORKER, .frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_worker_msg, .on_close = on_channel_close, .arg = child,
	};

	child->sup = sup;
	child->pid = pid;
	(void)str_copy(child->id, sizeof(child->id), op->id);
	(void)str_copy(child->type, sizeof(child->type), op->type);
	child->did = xstrndup(op->did.ptr, op->did.len);
	child->priority = op->priority;
	child->state = CHILD_STARTING;
	child->processed = child->rated_processed = op->records_processed;
	child->bytes_before = op->bytes_fetched;
	child->created = op->records_created;
	child->updated = op->records_updated;
	child->deleted = op->records_deleted;
	op_met_get(op, child->met);
	child->end.is_last_try = op->crashes + 1 >= sup->settings.max_attempts;
	child->rated_mono_ms = clock_mono_ms();
	child->checkpoint = BUF_INIT;
	notes_init(&child->notes);
	if (control_fd != -1)
		child->channel = channel_new(sup->loop, control_fd, &options);
	ev_timer_init(&child->hello_timer, on_hello_timer,
	    (double)sup->settings.hello_timeout_ms / 1000, 0.);
	child->hello_timer.data = child;
	ev_timer_start(sup->loop, &child->hello_timer);
	time_limit_start(child);
	LIST_INSERT_HEAD(&sup->children->list, child, entry);
	LIST_INSERT_HEAD(&sup->children->by_pid[CHILD_BUCKET(pid)], child, of_pid);
	sup->children->count++;
	sup->children->starts++;
	return child;
}

static void
give_record_channel(struct supervisor *sup, struct child *child, int *indexer_end)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH };
	struct str type = str_from(child->type);
	uint8_t tables[LIMIT_ROW_TABLES];

	msg.attach = (struct msg_attach){ .id = str_from(child->id), .may_write = true,
	    .tables = { tables, row_table_writable(type, op_type_find(type) != NULL,
	    tables) } };
	channel_send_fd(service_channel(sup->indexer), &msg, *indexer_end);
	*indexer_end = -1;
}

/* The descriptors of a start: both ends of the two socket pairs, of which the
 * worker's are closed here after spawn, and its temporary files. */
struct pairs {
	int control[2], records[2];
};

struct files {
	int fds[LIMIT_WORKER_SPILL_FILES];
	unsigned count;
};

static void
give_files(struct child *child, struct files *files)
{
	memcpy(child->spill_fds, files->fds, sizeof(files->fds));
	child->spill_count = files->count;
	files->count = 0;
}

static int
spawn_worker(struct supervisor *sup, const struct op *op, struct pairs *pairs,
    pid_t *pid_out, struct err *err)
{
	char path[4096], name[32], label[TID_SIZE];
	struct spawn_plan plan = {
		.path = path, .name = name, .label = label, .cgroup_fd = -1,
	};
	int rc;

	(void)str_copy(name, sizeof(name), op->type);
	(void)str_copy(label, sizeof(label), op->id);
	(void)snprintf(path, sizeof(path), "%s/%s", sup->settings.libexec_dir, name);
	if (fd_socketpair(pairs->control, err) == -1 ||
	    fd_socketpair(pairs->records, err) == -1)
		return -1;
	/* A worker may be a plain script: its ends block unless it changes that. */
	if (fd_set_nonblock(pairs->control[1], false) == -1 ||
	    fd_set_nonblock(pairs->records[1], false) == -1)
		return err_errno(err, "fcntl(O_NONBLOCK)");
	contain_worker(sup, &plan);
	plan.control_fd = pairs->control[1];
	plan.second_fd = pairs->records[1];
	contain_make_cgroup(sup, label, &plan);
	rc = spawn(&plan, pid_out, err);
	fd_close(&plan.cgroup_fd);
	if (rc == -1)
		cgroup_remove(sup->contain->cgroup, label);
	return rc;
}

/* A worker gets what its type needs: secrets go to no other one. */
static unsigned
audience_of(const struct child *child)
{
	return strcmp(child->type, "full-reindex") == 0 ? FOR_WORKER | FOR_REINDEX :
	    FOR_WORKER;
}

int
child_start(struct supervisor *sup, const struct op *op, struct err *err)
{
	struct pairs pairs = { { -1, -1 }, { -1, -1 } };
	struct start start = { .now_ms = clock_wall_ms() };
	struct files files = { .count = 0 };
	struct child *child;
	char text[64];
	int rc = -1;

	if (assign_open_spill_files(sup, op->type.ptr, files.fds, &files.count,
	    err) == -1 || spawn_worker(sup, op, &pairs, &start.pid, err) == -1)
		goto out;

	crashpoint(CRASHPOINT_WORKER_SPAWNED);

	/*
	 * The worker can do nothing before it is told what: if this transaction
	 * fails, or we die before it, the operation is simply still queued.
	 */
	(void)snprintf(text, sizeof(text), "attempt %llu, worker %d",
	    (unsigned long long)op->attempt + 1, (int)start.pid);
	rc = ops_change(sup->ops, op->id, OP_EVENT_START, str_from(text), start.now_ms,
	    edit_started, &start, NULL, err);
	crashpoint(CRASHPOINT_START_STORED);
	child = child_new(sup, op, start.pid, pairs.control[0]);
	pairs.control[0] = -1;
	give_files(child, &files);
	if (rc == -1) {
		child_stop(child, STOP_STORE);
		goto out;
	}
	give_record_channel(sup, child, &pairs.records[0]);
	handshake_send(child->channel, &sup->settings, audience_of(child));
	log_info("op %s %s: started, %s", child->id, child->type, text);
	supervisor_op_changed(sup, child->id);
out:
	for (unsigned i = 0; i < files.count; i++)
		fd_close(&files.fds[i]);
	for (int i = 0; i < 2; i++) {
		fd_close(&pairs.control[i]);
		fd_close(&pairs.records[i]);
	}
	return rc;
}
