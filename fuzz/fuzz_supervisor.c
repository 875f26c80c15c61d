/*
 * fuzz_supervisor.c - whatever workers, clients and the API say, in any order, to the
 * supervisor's handlers (on_worker.c, on_client.c) and a real store.
 *
 * No process is started and none is told anything: spawn(), vfork() and kill() are ours.
 * An input is a sequence of steps, a byte that says which each: a message of somebody,
 * decoded as a channel does it; the end of a worker; a turn of the loop; a client that
 * goes.  Ids are the same in every run, so that an input can name operations.
 *
 * Then the daemon stops.  What it said was all messages; no operation runs, no row of the
 * store is damaged, no descriptor is left.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/log.h"
#include "common/mem.h"
#include "fuzz/fuzz_feed.h"
#include "op/op_type.h"
#include "proto/frame.h"
#include "supervisor/child.h"
#include "supervisor/contain.h"
#include "supervisor/control.h"
#include "supervisor/heartbeat.h"
#include "supervisor/indexer_link.h"
#include "supervisor/on_client.h"
#include "supervisor/on_worker.h"
#include "supervisor/progress.h"
#include "supervisor/queue.h"
#include "supervisor/resolver_link.h"
#include "supervisor/schedule.h"
#include "supervisor/service.h"
#include "supervisor/shutdown.h"

#define FIRST_ID	((uint64_t)1 << 62)	/* later than any clock tells */
#define FIRST_PID	100000000		/* of no process that there is */
#define CLIENTS		2
#define ENDS_MAX	64
#define STEPS_MAX	400

enum step {		/* the low bits of its byte; the others say which one */
	STEP_CLIENT, STEP_API, STEP_WORKER, STEP_WORKER_TOO, STEP_WORKER_ENDS, STEP_TURN,
	STEP_PROGRESS, STEP_CLIENT_GOES, STEP_COUNT,
};

/* Our ends of the supervisor's channels, and what came over them. */
struct end {
	int fd;			/* -1: closed */
	int client;		/* whose it is; -1: no client's */
	struct buf heard;
};

static char dir[64];
static struct end ends[ENDS_MAX];
static size_t ends_count;
static pid_t last_pid;

/* --- what the supervisor would do to processes --- */

int __wrap_kill(pid_t pid, int sig);
pid_t __wrap_vfork(void);

int
__wrap_kill(pid_t pid, int sig)
{
	(void)sig;
	fuzz_require(pid > FIRST_PID || pid < -FIRST_PID);
	return 0;
}

pid_t
__wrap_vfork(void)
{
	errno = EAGAIN;
	return -1;
}

static int
add_end(int fd, int client)
{
	if (fd == -1 || ends_count == ENDS_MAX)
		return -1;
	(void)fd_set_cloexec(fd, true);
	ends[ends_count++] = (struct end){ .fd = fd, .client = client, .heard = BUF_INIT };
	return 0;
}

int
spawn(const struct spawn_plan *plan, pid_t *pid_out, struct err *err)
{
	int fd = dup(plan->control_fd);

	if (add_end(fd, -1) == -1) {
		fd_close(&fd);
		return err_set(err, ERR_UNAVAILABLE, "no room for another process");
	}
	*pid_out = ++last_pid;
	return 0;
}

/* --- what it says --- */

static void
check_heard(struct end *end)
{
	struct bytes rest = buf_bytes(&end->heard), payload;
	struct buf left = BUF_INIT;
	struct msg msg;
	struct err err;
	int rc;

	while ((rc = frame_next(rest, LIMIT_FRAME_CONTROL_BYTES, &payload, &err)) == 1) {
		fuzz_require(msg_unpack(payload, FROM_SUPERVISOR, &msg, &err) == 0);
		rest.ptr += FRAME_HEAD_BYTES + payload.len;
		rest.len -= FRAME_HEAD_BYTES + payload.len;
	}
	fuzz_require(rc == 0);
	buf_add(&left, rest.ptr, rest.len);
	buf_clear(&end->heard);
	end->heard = left;
}

static bool
hear(struct end *end)
{
	uint8_t bytes[65536];
	ssize_t n;
	bool heard = false;

	while (end->fd != -1 && (n = recv(end->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		buf_add(&end->heard, bytes, (size_t)n);
		heard = true;
	}
	if (heard)
		check_heard(end);
	if (end->fd != -1 && n == 0)
		fd_close(&end->fd);
	return heard;
}

static void
turn(struct supervisor *sup)
{
	bool heard;

	do {
		heard = false;
		ev_run(sup->loop, EVRUN_NOWAIT);
		for (size_t i = 0; i < ends_count; i++)
			heard |= hear(&ends[i]);
	} while (heard);
}

/* --- the daemon --- */

static void
clean_up(void)
{
	char path[256];

	for (size_t i = 0; i < op_types_count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, op_types[i].kebab);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

/* Each input syncs often: in memory, if there is a place. */
static void
choose_dir(void)
{
	(void)snprintf(dir, sizeof(dir), "/dev/shm/backfilld-fuzz.XXXXXX");
	if (mkdtemp(dir) != NULL)
		return;
	(void)snprintf(dir, sizeof(dir), "/tmp/backfilld-fuzz.XXXXXX");
	if (mkdtemp(dir) == NULL)
		abort();
}

/* Where all inputs find the workers' executables. */
static void
make_dir(void)
{
	char path[256];
	int fd;

	log_set_level(LOG_LEVEL_ERROR);
	choose_dir();
	(void)atexit(clean_up);
	for (size_t i = 0; i < op_types_count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, op_types[i].kebab);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
		fuzz_require(fd != -1 && close(fd) == 0);
	}
}

static void
set(struct supervisor *sup, const char *name, const char *value)
{
	struct err err;

	fuzz_require(settings_set(&sup->settings, str_from(name), str_from(value),
	    &err) == 0);
}

static void
start_watching(struct supervisor *sup)
{
	sup->loop = ev_loop_new(EVFLAG_AUTO);
	queue_init(sup);
	schedule_init(sup);
	progress_init(sup);
	heartbeat_init(sup);
	shutdown_init(sup);
}

static void
start_services(struct supervisor *sup)
{
	sup->indexer = indexer_service_new(sup);
	sup->resolver = resolver_service_new(sup);
	sup->api = api_service_new(sup);
	service_start(sup->indexer);
	service_start(sup->resolver);
	service_start(sup->api);
	service_set_ready(sup->indexer);
	service_set_ready(sup->resolver);
}

static void
client_comes(struct supervisor *sup, unsigned number)
{
	char who[32];
	int fds[2];

	(void)snprintf(who, sizeof(who), "client %u", number);
	if (ends_count == ENDS_MAX)
		return;
	fuzz_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    fds) == 0 && add_end(fds[1], (int)number) == 0);
	(void)control_adopt(sup->control, fds[0], who);
}

static struct supervisor *
start(void)
{
	struct supervisor *sup = xcalloc(1, sizeof(*sup));
	char operations[256];
	struct err err;

	ends_count = 0;
	last_pid = FIRST_PID;
	settings_init(&sup->settings);
	set(sup, "state_dir", dir);
	set(sup, "runtime_dir", dir);
	set(sup, "libexec_dir", dir);
	set(sup, "max_workers", "3");
	set(sup, "max_queued", "5");
	sup->schedules = xcalloc(1, sizeof(*sup->schedules));
	sup->config_path = "/nonexistent/backfilld.conf";
	sup->lock_fd = sup->listen_fd = -1;
	sup->last_id = FIRST_ID;
	sup->children = child_table_new();
	sup->contain = xcalloc(1, sizeof(*sup->contain));
	start_watching(sup);
	(void)snprintf(operations, sizeof(operations), "%s/operations", dir);
	sup->control = control_new(sup, -1, &err);
	if (sup->control == NULL || mkdir(operations, 0700) == -1 ||
	    ops_open(operations, OPS_WRITE, &sup->ops, &err) == -1)
		abort();
	start_services(sup);
	for (unsigned i = 0; i < CLIENTS; i++)
		client_comes(sup, i);
	return sup;
}

/* --- steps --- */

struct wanted {		/* a client that is looked for */
	char who[32];
	struct control_client *found;
};

static void
see_client(struct control_client *client, void *arg)
{
	struct wanted *wanted = arg;

	if (str_eq(str_from(client->who), str_from(wanted->who)))
		wanted->found = client;
}

static struct control_client *
find_client(struct supervisor *sup, unsigned number)
{
	struct wanted wanted = { .found = NULL };

	(void)snprintf(wanted.who, sizeof(wanted.who), "client %u", number % CLIENTS);
	control_each(sup->control, see_client, &wanted);
	return wanted.found;
}

static struct child *
find_worker(struct supervisor *sup, unsigned number)
{
	struct child *child;

	if (sup->children->count == 0)
		return NULL;
	number %= sup->children->count;
	LIST_FOREACH(child, &sup->children->list, entry)
		if (number-- == 0)
			return child;
	return NULL;
}

static void
client_says(struct control_client *client, struct bytes payload)
{
	struct msg msg;
	struct err err;

	if (client != NULL && channel_is_open(client->channel) &&
	    msg_unpack(payload, FROM_CLIENT, &msg, &err) == 0)
		on_client_msg(client->channel, &msg, client);
}

/* What is no message ends its channel, as that says it (child_start.c). */
static void
worker_says(struct child *child, struct bytes payload)
{
	struct msg msg;
	struct err err;

	if (child == NULL || child->channel == NULL || child->state == CHILD_ENDED)
		return;
	if (msg_unpack(payload, FROM_WORKER, &msg, &err) == 0)
		on_worker_msg(child->channel, &msg, child);
	else
		on_worker_broke(child, err.text);
}

static void
worker_ends(struct child *child, int wait_status)
{
	struct rusage usage = { .ru_maxrss = 1 };

	if (child != NULL && child->state != CHILD_ENDED)
		child_ended(child, wait_status, &usage);
}

/* It is told nothing more; another one comes in its place. */
static void
client_goes(struct supervisor *sup, unsigned number)
{
	number %= CLIENTS;
	for (size_t i = 0; i < ends_count; i++)
		if (ends[i].client == (int)number)
			fd_close(&ends[i].fd);
	turn(sup);
	if (find_client(sup, number) == NULL)
		client_comes(sup, number);
}

static struct bytes
take(struct bytes *rest, size_t len)
{
	struct bytes taken = { rest->ptr, len < rest->len ? len : rest->len };

	rest->ptr += taken.len;
	rest->len -= taken.len;
	return taken;
}

static size_t
take_number(struct bytes *rest)
{
	struct bytes two = take(rest, 2);

	return two.len == 2 ? (size_t)two.ptr[0] << 8 | two.ptr[1] : 0;
}

static void
step(struct supervisor *sup, struct bytes *rest)
{
	uint8_t first = take(rest, 1).ptr[0];
	unsigned which = first / STEP_COUNT;
	size_t number = 0;
	struct err err;

	if (first % STEP_COUNT <= STEP_WORKER_ENDS)
		number = take_number(rest);
	switch ((enum step)(first % STEP_COUNT)) {
	case STEP_CLIENT:
		client_says(find_client(sup, which), take(rest, number));
		break;
	case STEP_API:
		client_says(control_api(sup->control), take(rest, number));
		break;
	case STEP_WORKER:
	case STEP_WORKER_TOO:
		worker_says(find_worker(sup, which), take(rest, number));
		break;
	case STEP_WORKER_ENDS:
		worker_ends(find_worker(sup, which), (int)number);
		break;
	case STEP_TURN:
		turn(sup);
		break;
	case STEP_PROGRESS:
		fuzz_require(progress_write_now(sup, &err) == 0);
		break;
	case STEP_CLIENT_GOES:
		client_goes(sup, which);
		break;
	case STEP_COUNT:
		break;
	}
}

/* --- the end --- */

static bool
see_row(const struct ops_damage *damage, void *arg)
{
	(void)arg;
	fuzz_require(damage == NULL);
	return true;
}

static void
check(struct supervisor *sup)
{
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct ops_read *read;
	struct err err;

	fuzz_require(sup->children->count == 0);
	fuzz_require(ops_read_begin(sup->ops, &read, &err) == 0);
	fuzz_require(ops_verify(read, see_row, NULL, &err) == 0);
	fuzz_require(ops_count(read, counts, &err) == 0 && counts[OP_RUNNING] == 0);
	ops_read_end(&read);
}

static void
stop(struct supervisor *sup)
{
	static const char *const files[] = { "operations/data.mdb", "operations/lock.mdb",
	    "operations" };
	struct child *child;
	char path[256];

	shutdown_request(sup);
	turn(sup);
	while ((child = LIST_FIRST(&sup->children->list)) != NULL)
		worker_ends(child, SIGTERM);
	turn(sup);
	check(sup);
	supervisor_free(&sup);
	for (size_t i = 0; i < ends_count; i++) {
		(void)hear(&ends[i]);
		fd_close(&ends[i].fd);
		buf_clear(&ends[i].heard);
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)remove(path);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = { data, size };
	struct supervisor *sup;
	int open_fds;

	if (last_pid == 0)
		make_dir();
	open_fds = feed_open_fds();
	sup = start();
	for (int i = 0; i < STEPS_MAX && rest.len > 0; i++)
		step(sup, &rest);
	stop(sup);
	fuzz_require(feed_open_fds() == open_fds);
	return 0;
}
