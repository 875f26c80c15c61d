/*
 * null-op - a worker that does what a test asks for, mostly wrong.
 *
 * Tests point libexec_dir at a directory in which `did-sync` (or another type)
 * is this program.  What it does is named by the first label of the DID, as in
 * "did:web:crash.test", or of the host in `uri` or `pdsUrl`; without a word that
 * it knows it finishes at once.  A retry logs its items and is done with as many.
 * It calls itself by the name it is started by.
 *
 *	finish		done, at once
 *	fail		fail, class "null-op"
 *	items-dids	three failed items, of which two are repositories; done
 *	bad-text	fail, with a text that is over the limit and no UTF-8
 *	items		more failed items than are kept; done
 *	item-works	two failed items, with a checkpoint between them, then as run;
 *			assigned with one: both work, done
 *	run		progress until SIGTERM; SIGUSR1 makes it finish
 *	checkpoint	a checkpoint, then as run; assigned with one: done
 *	no-result	exit 0 without a result
 *	exit-7		exit 7 without a result
 *	done-crash	done, then SIGSEGV
 *	crash		SIGSEGV
 *	ignore-term	as run, but SIGTERM is ignored
 *	spin		a busy loop that never reads again, SIGTERM ignored
 *	done-hang	done, and lives on
 *	done-go-on	done, and then progress
 *	long-text	texts whose limits fall into the middle of a character: a
 *			stage, a `log`, then fail
 *	chatter		2 MB of `log` at once, then as run
 *	flood		progress as fast as it can be written, for ever
 *	grandchild	a child that ignores SIGTERM and keeps both channels open
 *			(its pid is in a `log`); then as run
 *	runaway		as grandchild, in a session of its own
 *	list-fds	a `log` per open descriptor: "fd 3 -> socket:[123]"; done
 *	spill-files	a `log` with the number of its temporary files; done
 *	environment	a `log` with the names of all variables; done
 *	garbage		bytes that are no frame
 *	random-frames	20,000 messages of random contents, then bytes that are none
 *	huge-frame	the head of a frame of 4 GB
 *	wrong-sender	a message that only a client may send
 *	close		closes fd 3 and lives on
 *	records		claims the DID, puts 1000 records, commits, done
 *	records-hold	as records, but after the puts as run, without commit
 *
 * BF_TEST=hang-before-hello in the environment makes it hang at its start.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "proto/fdlayout.h"
#include "t/workers/null_items.h"
#include "t/workers/null_raw.h"
#include "workers/records_link.h"
#include "workers/worker.h"

#define TICK_SECS	0.05
#define RECORDS		1000
/* {"n": 1}, and the CID of that text: nobody checks it here. */
static const uint8_t record[] = { 0xa1, 0x61, 'n', 0x01 };
static const uint8_t record_cid[36] = { 0x01, 0x71, 0x12, 0x20, 0xee };

struct null_op {
	struct worker *worker;
	uint64_t ticks;
	struct records_lane *lane;
	bool holds_records;
	/* watchers */
	struct ev_timer tick;
	struct ev_signal usr1;
};

/* What was open before anything of ours was: one line per descriptor. */
static struct buf open_at_start;

static void
random_frames(struct null_op *job)
{
	null_random_frames(job, worker_assignment(job->worker)->did);
}

/* --- ends --- */

static void
finish(struct null_op *job)
{
	worker_done(job->worker, &(struct msg_done){ .processed = job->ticks,
	    .total = job->ticks });
}

static void
fail(struct null_op *job)
{
	worker_fail(job->worker, "null-op", "failed as asked");
}

static void
items(struct null_op *job)
{
	null_items(job->worker);
	finish(job);
}

static void
items_dids(struct null_op *job)
{
	null_items_dids(job->worker);
	finish(job);
}

static void
bad_text(struct null_op *job)
{
	char text[LIMIT_OP_TEXT_BYTES * 2];

	/* A sequence of two bytes straddles the limit. */
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "bad \xff\xc3(", 7);
	memcpy(text + LIMIT_OP_TEXT_BYTES - 1, "\xc3\xa9", 2);
	worker_item_failed(job->worker, STR("item \xff"), "null-op", text);
	worker_fail(job->worker, "null-op", "%s", text);
}

static void
no_result(struct null_op *job BF_UNUSED)
{
	_exit(0);
}

static void
exit_7(struct null_op *job BF_UNUSED)
{
	_exit(7);
}

static void
crash(struct null_op *job BF_UNUSED)
{
	/* A sanitizer would turn it into an exit status. */
	(void)signal(SIGSEGV, SIG_DFL);
	(void)raise(SIGSEGV);
}

static void
done_crash(struct null_op *job)
{
	finish(job);
	crash(job);
}

/* --- runs --- */

static void
on_tick(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct null_op *job = timer->data;

	job->ticks++;
	worker_progress(job->worker, &(struct msg_progress){
	    .stage = STR("running"), .processed = job->ticks });
}

static void
on_usr1(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	struct null_op *job = watcher->data;

	worker_log(job->worker, LOG_LEVEL_INFO, "told to finish");
	finish(job);
}

void
null_run(struct null_op *job)
{
	struct ev_loop *loop = worker_loop(job->worker);

	ev_signal_start(loop, &job->usr1);
	ev_timer_again(loop, &job->tick);
	on_tick(loop, &job->tick, 0);
}

static void
checkpoint(struct null_op *job)
{
	if (worker_assignment(job->worker)->checkpoint.len > 0) {
		worker_log(job->worker, LOG_LEVEL_INFO, "goes on from its checkpoint");
		finish(job);
		return;
	}
	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = { (const uint8_t *)"here", 4 },
	});
	null_run(job);
}

static void
ignore_term(struct null_op *job)
{
	null_run(job);
	(void)signal(SIGTERM, SIG_IGN);
}

static void
chatter(struct null_op *job)
{
	char line[1000];

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 2000; i++)
		worker_log(job->worker, LOG_LEVEL_DEBUG, "%.*s", (int)sizeof(line), line);
	null_run(job);
}

static void
spin(struct null_op *job BF_UNUSED)
{
	volatile unsigned long turns = 0;

	(void)signal(SIGTERM, SIG_IGN);
	for (;;)
		turns++;
}

/* --- what it finds around itself --- */

static void
leave_child(struct null_op *job, const char *name, bool leaves_group)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		if (leaves_group)
			(void)setsid();
		for (;;)
			(void)pause();
	}
	worker_log(job->worker, LOG_LEVEL_INFO, "%s %ld", name, (long)pid);
	null_run(job);
}

static void
grandchild(struct null_op *job)
{
	leave_child(job, "grandchild", false);
}

static void
runaway(struct null_op *job)
{
	leave_child(job, "runaway", true);
}

static void
look_at_fds(struct buf *to)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char target[256];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target,
		    sizeof(target));

		if (len > 0 && atoi(entry->d_name) != dirfd(dir))
			buf_printf(to, "fd %s -> %.*s\n", entry->d_name, (int)len,
			    target);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void
list_fds(struct null_op *job)
{
	struct str rest = buf_str(&open_at_start);

	while (rest.len > 0) {
		size_t len = (size_t)((const char *)memchr(rest.ptr, '\n', rest.len) -
		    rest.ptr);

		worker_log(job->worker, LOG_LEVEL_INFO, "%.*s", (int)len, rest.ptr);
		rest = (struct str){ rest.ptr + len + 1, rest.len - len - 1 };
	}
	finish(job);
}

static void
spill_files(struct null_op *job)
{
	null_spill_files(job->worker);
	finish(job);
}

static void
environment(struct null_op *job)
{
	null_environment(job->worker);
	finish(job);
}

static void
item_works(struct null_op *job)
{
	null_item_works(job->worker) ? finish(job) : null_run(job);
}

/* --- records --- */

static void
on_state(const struct msg_state *state, void *arg)
{
	struct null_op *job = arg;

	if (state->is_busy) {
		job->lane = NULL;
		worker_fail(job->worker, "busy", "another operation has it");
		return;
	}
	for (int i = 0; i < RECORDS; i++) {
		char path[64];
		int len = snprintf(path, sizeof(path), "test.null.op/%06d", i);

		records_put(job->lane, (struct str){ path, (size_t)len },
		    (struct bytes){ record_cid, sizeof(record_cid) },
		    (struct bytes){ record, sizeof(record) });
	}
	if (job->holds_records) {
		null_run(job);
		return;
	}
	records_commit(job->lane, &(struct msg_commit){
		.pds_url = STR("https://null-op.test"),
		.rev = STR("3kaaaaaaaaaa2"),
		.commit_cid = { record_cid, sizeof(record_cid) },
		.data_cid = { record_cid, sizeof(record_cid) },
		.status = STR("active"),
	});
}

static void
on_ack(const struct msg_ack *ack, void *arg)
{
	struct null_op *job = arg;

	job->lane = NULL;
	worker_done(job->worker, &(struct msg_done){ .processed = RECORDS,
	    .total = RECORDS, .created = ack->created, .updated = ack->updated,
	    .deleted = ack->deleted });
}

static void
on_refuse(struct str class BF_UNUSED, struct str text, void *arg)
{
	struct null_op *job = arg;

	job->lane = NULL;
	worker_fail(job->worker, "refused", "%.*s", STR_FMT(text));
}

static void
on_entry(struct str path BF_UNUSED, struct bytes cid BF_UNUSED, void *arg BF_UNUSED)
{
}

static void
on_nothing(void *arg BF_UNUSED)
{
}

static void
records(struct null_op *job)
{
	static const struct records_lane_events events = {
		.on_state = on_state, .on_entry = on_entry, .on_end = on_nothing,
		.on_room = on_nothing, .on_ack = on_ack, .on_refuse = on_refuse,
	};

	job->lane = records_begin(worker_records(job->worker),
	    worker_assignment(job->worker)->did, &events, job);
}

static void
records_hold_back(struct null_op *job)
{
	job->holds_records = true;
	records(job);
}

/* --- choosing --- */

static const struct {
	const char *word;
	void (*behave)(struct null_op *job);
} behaviours[] = {
	{ "finish", finish }, { "fail", fail }, { "bad-text", bad_text },
	{ "items", items }, { "items-dids", items_dids },
	{ "spill-files", spill_files }, { "run", null_run }, { "checkpoint", checkpoint },
	{ "no-result", no_result }, { "exit-7", exit_7 }, { "done-crash", done_crash },
	{ "crash", crash }, { "ignore-term", ignore_term }, { "chatter", chatter },
	{ "done-hang", null_done_hang }, { "done-go-on", null_done_go_on },
	{ "long-text", null_long_text }, { "item-works", item_works },
	{ "spin", spin }, { "flood", null_flood },
	{ "grandchild", grandchild }, { "runaway", runaway }, { "list-fds", list_fds },
	{ "environment", environment }, { "garbage", null_garbage },
	{ "huge-frame", null_huge_frame }, { "wrong-sender", null_wrong_sender },
	{ "random-frames", random_frames }, { "close", null_close }, { "records", records },
	{ "records-hold", records_hold_back },
};

/* The label behind the prefix: "did:web:crash.test" -> "crash". */
static struct str
first_label(struct str text, struct str prefix)
{
	struct str label = { text.ptr + prefix.len, 0 };

	if (!str_starts_with(text, prefix))
		return STR_NONE;
	while (prefix.len + label.len < text.len && label.ptr[label.len] != '.')
		label.len++;
	return label;
}

static void *
start(struct worker *worker)
{
	const struct worker_assignment *given = worker_assignment(worker);
	struct null_op *job = xcalloc(1, sizeof(*job));
	struct str word = first_label(given->did, STR("did:web:"));
	job->worker = worker;
	ev_timer_init(&job->tick, on_tick, 0., TICK_SECS);
	ev_signal_init(&job->usr1, on_usr1, SIGUSR1);
	job->tick.data = job->usr1.data = job;
	if (str_is_empty(word))
		word = first_label(given->uri, STR("at://"));
	if (str_is_empty(word))
		word = first_label(given->pds_url, STR("https://"));
	if (null_retry(worker, &job->ticks)) {
		finish(job);
		return job;
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(behaviours); i++) {
		if (str_eq(word, str_from(behaviours[i].word))) {
			behaviours[i].behave(job);
			return job;
		}
	}
	finish(job);
	return job;
}

static void
end(void *arg)
{
	struct null_op *job = arg;

	ev_timer_stop(worker_loop(job->worker), &job->tick);
	ev_signal_stop(worker_loop(job->worker), &job->usr1);
	free(job);
}

/* As a type with many items does: its checkpoint, then its last words. */
static void
pause_at_checkpoint(void *arg)
{
	struct null_op *job = arg;

	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = { (const uint8_t *)"here", 4 }, .processed = job->ticks,
	});
	worker_paused(job->worker);
}

int
main(void)
{
	const struct worker_type type = {
		.name = program_invocation_short_name, .start = start, .end = end,
		.pause = pause_at_checkpoint, .confine = null_confine,
	};
	const char *test = getenv("BF_TEST");
	int status;

	look_at_fds(&open_at_start);
	while (test != NULL && strcmp(test, "hang-before-hello") == 0)
		(void)pause();
	status = worker_main(&type);
	buf_clear(&open_at_start);
	return status;
}
