#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "proto/fdlayout.h"
#include "supervisor/child.h"
#include "supervisor/control.h"
#include "supervisor/service.h"
#include "supervisor/upgrade.h"

#define FIRST_FD	3	/* behind the standard ones */

/* --- what was left, and whether it is of use --- */

/* Whom the earlier supervisor had started: they do not understand us. */
static void
end_all(struct bytes rest)
{
	struct handover_record record;
	struct err err;
	pid_t pid;

	while (handover_next(&rest, &record, &err) == 1) {
		if (record.kind == HANDOVER_KIND_CHILD)
			pid = (pid_t)record.child.pid;
		else if (record.kind == HANDOVER_KIND_SERVICE)
			pid = (pid_t)record.service.pid;
		else
			continue;
		/* Children of ours that nobody has waited for: the pids are theirs. */
		if (pid > 0 && kill(-pid, SIGKILL) == 0)
			(void)waitpid(pid, NULL, 0);
	}
}

static int
read_all(int fd, struct handover *to, struct err *err)
{
	struct handover_record record;

	if (handover_read(fd, &to->bytes, err) == -1)
		return -1;
	to->rest = buf_bytes(&to->bytes);
	if (handover_next(&to->rest, &record, err) != 1 ||
	    record.kind != HANDOVER_KIND_HEAD)
		return err_set(err, ERR_CORRUPT, "handover: has no head");
	to->head = record.head;
	if (to->head.proto_version != PROTO_VERSION)
		return err_set(err, ERR_VERSION, "handover: the workers and services speak "
		    "version %llu of the protocol, not %d",
		    (unsigned long long)to->head.proto_version, PROTO_VERSION);
	return 0;
}

void
upgrade_take(struct handover *handover_out)
{
	const char *number = getenv("BF_HANDOVER");
	struct handover handover = { .bytes = BUF_INIT };
	struct err err;

	*handover_out = handover;
	if (number == NULL)
		return;
	if (read_all(atoi(number), &handover, &err) == 0) {
		handover.is_there = true;
		(void)close(atoi(number));
	} else {
		log_warn("%s; what runs is ended and goes on from its checkpoint", err.text);
		if (handover.rest.ptr != NULL)
			end_all(handover.rest);
		buf_clear(&handover.bytes);
		/* Who is still there sees the end of its channel. */
		(void)close_range(FIRST_FD, ~0u, 0);
	}
	(void)unsetenv("BF_HANDOVER");
	*handover_out = handover;
}

/* --- entering all who are there --- */

struct adopting {
	struct supervisor *sup;
	struct child *child;			/* whom the next records are about */
	struct control_client *client;
	struct channel *channel;
};

static int
own(uint64_t fd)
{
	if (fd > INT32_MAX || fd_set_cloexec((int)fd, true) == -1)
		return -1;
	return (int)fd;
}

static void
adopt_service(struct adopting *a, const struct handover_service *record)
{
	struct service *list[SUPERVISOR_SERVICES];
	struct service_state state = {
		.pid = (pid_t)record->pid, .is_ready = record->is_ready,
		.starts = record->starts, .delay_ms = (unsigned)record->delay_ms,
	};
	int fd = own(record->fd);

	service_list(a->sup, list);
	for (size_t i = 0; fd != -1 && i < SUPERVISOR_SERVICES; i++) {
		if (str_eq(str_from(service_state(list[i]).name), record->name)) {
			service_adopt(list[i], &state, fd);
			a->channel = service_channel(list[i]);
			return;
		}
	}
	fd_close(&fd);		/* of a service that we do not have: it ends */
}

static void
set_child(struct child *child, const struct handover_child *record)
{
	struct worker_end *end = &child->end;

	child->wants_pause = record->wants_pause;
	child->told_to_pause = record->told_to_pause;
	child->state = (enum child_state)record->state;
	end->stop_reason = (enum stop_reason)record->stop_reason;
	end->said_done = record->said_done;
	end->said_fail = record->said_fail;
	end->said_paused = record->said_paused;
	(void)str_copy(end->fail_class, sizeof(end->fail_class), record->fail_class);
	(void)str_copy(end->fail_text, sizeof(end->fail_text), record->fail_text);
	end->was_killed = record->was_killed;
	end->is_last_try = record->is_last_try;
	(void)str_copy(child->cancelled_by, sizeof(child->cancelled_by),
	    record->cancelled_by);
	child->said_hello = record->said_hello;
	child->stop_mono_ms = (int64_t)record->stop_mono_ms;
	(void)str_copy(child->stage, sizeof(child->stage), record->stage);
	child->processed = record->processed;
	child->rated_processed = record->processed + record->stage_done;
	child->total = record->total;
	child->failed = record->failed;
	child->bytes = record->bytes;
	child->rate_milli = record->rate_milli;
	child->bytes_before = record->bytes_before;
	child->created = record->created;
	child->updated = record->updated;
	child->deleted = record->deleted;
	child->logs = (unsigned)record->logs;
	child->debug_logs = (unsigned)record->debug_logs;
	child->items = (unsigned)record->items;
	child->answers_pings = record->answers_pings;
	child->stage_done = record->stage_done;
	child->stage_total = record->stage_total;
	if (record->met.len > 0)	/* of an earlier version: fewer or none */
		memcpy(child->met, record->met.ptr, record->met.len < sizeof(child->met) ?
		    record->met.len : sizeof(child->met));
	pulse_start(&child->beat, clock_mono_ms());
}

static void
adopt_child(struct adopting *a, const struct handover_child *record)
{
	struct op op = {
		.id = record->id, .type = record->type, .did = record->did,
		.priority = record->priority,
	};

	a->child = child_new(a->sup, &op, (pid_t)record->pid,
	    record->fd != 0 ? own(record->fd) : -1);
	a->channel = a->child->channel;
	set_child(a->child, record);
	child_set_timers(a->child);
	if (a->child->channel == NULL)
		child_expect_end(a->child);
}

static void
adopt_client(struct adopting *a, const struct handover_client *record)
{
	char who[32];
	int fd;

	(void)str_copy(who, sizeof(who), record->who);
	if (record->is_api) {
		a->client = control_api(a->sup->control);
	} else if ((fd = own(record->fd)) != -1) {
		a->client = control_adopt(a->sup->control, fd, who);
		a->channel = a->client->channel;
	}
	if (a->client != NULL)
		a->client->said_hello = record->said_hello;
}

static void
adopt_file(struct child *child, uint64_t number)
{
	int fd = own(number);

	if (fd != -1 && child != NULL && child->spill_count < LIMIT_WORKER_SPILL_FILES)
		child->spill_fds[child->spill_count++] = fd;
	else
		fd_close(&fd);
}

static void
adopt(struct adopting *a, const struct handover_record *record)
{
	int fd;

	switch (record->kind) {
	case HANDOVER_KIND_HEAD:
		break;
	case HANDOVER_KIND_SERVICE:
		*a = (struct adopting){ .sup = a->sup };
		adopt_service(a, &record->service);
		break;
	case HANDOVER_KIND_CHILD:
		*a = (struct adopting){ .sup = a->sup };
		adopt_child(a, &record->child);
		break;
	case HANDOVER_KIND_CLIENT:
		*a = (struct adopting){ .sup = a->sup };
		adopt_client(a, &record->client);
		break;
	case HANDOVER_KIND_PENDING:
		if (a->client != NULL)
			(void)client_wait(a->client, (enum pending_kind)record->pending.kind,
			    record->pending.req, record->pending.id);
		break;
	case HANDOVER_KIND_SPILL:
		adopt_file(a->child, record->spill.fd);
		break;
	case HANDOVER_KIND_IN:
		if (a->channel != NULL)
			channel_restore_input(a->channel, record->raw);
		break;
	case HANDOVER_KIND_OUT:
		if (a->channel != NULL)
			channel_restore_output(a->channel, record->raw);
		break;
	case HANDOVER_KIND_OUT_FD:
		fd = own(record->out_fd.fd);
		if (fd != -1 && a->channel != NULL)
			channel_restore_fd(a->channel, fd, record->out_fd.at);
		else
			fd_close(&fd);
		break;
	}
}

int
upgrade_adopt(struct supervisor *sup, struct handover *handover, struct err *err)
{
	struct adopting adopting = { .sup = sup };
	struct handover_record record;
	int rc;

	while ((rc = handover_next(&handover->rest, &record, err)) == 1)
		adopt(&adopting, &record);
	if (rc == -1)
		return -1;
	log_info("in the place of version %.*s; %zu operations go on",
	    STR_FMT(handover->head.version), sup->children->count);
	control_upgraded(sup->control, NULL);

	(void)raise(SIGCHLD);	/* who ended meanwhile? */
	return 0;
}
