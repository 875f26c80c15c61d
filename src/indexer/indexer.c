#include "indexer/indexer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/tid.h"
#include "confine/confine.h"
#include "proto/fdlayout.h"

#define LOCK_WAIT_MS	2000	/* for an earlier indexer to finish its commit; then
				 * the supervisor's next attempt */
#define LOCK_PAUSE_SECS	.02
#define READERS_SECS	30.	/* between two looks for dead readers */
#define DAY_MS		(24 * 60 * 60 * 1000ll)
#define FLUSH_MS	1000	/* for the last answers to all peers */

static void
stop(struct indexer *indexer, enum exit_code code)
{
	indexer->exit_code = code;
	ev_break(indexer->loop, EVBREAK_ALL);
}

static enum exit_code
exit_code_of(enum err_code code)
{
	switch (code) {
	case ERR_VERSION:
		return EXIT_CONFIG;
	case ERR_CORRUPT:
		return EXIT_STORE;
	case ERR_EXISTS:
		return EXIT_BUSY;
	case ERR_PERMISSION:
		return EXIT_PERMISSION;
	default:
		return EXIT_SYSTEM;
	}
}

/* --- the store --- */

/* What nobody will ask for any more.  A full disk is no reason not to start. */
static void
prune_tallies(struct records *records)
{
	int64_t before_us = (clock_wall_ms() - LIMIT_TALLY_DAYS * DAY_MS) * 1000;
	struct records_write *write;
	char below[TID_SIZE];
	struct err err;

	tid_format(tid_next(0, before_us, 0), below);
	if (records_write_begin(records, &write, &err) == -1)
		goto fail;
	if (records_prune_tallies(write, str_from(below), &err) == -1) {
		records_write_abort(&write);
		goto fail;
	}
	if (records_write_commit(&write, &err) == 0)
		return;
fail:
	log_warn("old tallies stay: %s", err.text);
}

/* ERR_EXISTS: another indexer has it. */
static int
open_locked(struct indexer *indexer, const char *dir, struct err *err)
{
	char *lock_path;
	int rc;

	if (asprintf(&lock_path, "%s/indexer.lock", dir) == -1)
		abort();
	rc = fd_lock_file(lock_path, &indexer->lock_fd, err);
	free(lock_path);
	if (rc == -1)
		return -1;
	return records_open(dir, RECORDS_WRITE, &indexer->records, err);
}

static int
open_store(struct indexer *indexer, struct err *err)
{
	const char *state_dir = indexer->settings.state_dir;
	char *dir;
	int rc;

	if (asprintf(&dir, "%s/records", state_dir) == -1)
		abort();
	rc = dir_make(dir, 0700, err);
	if (rc == 0)
		rc = open_locked(indexer, dir, err);
	free(dir);
	if (rc == -1)
		return -1;
	indexer->stage_dir = xstrdup(state_dir);
	prune_tallies(indexer->records);
	work_init(&indexer->work, indexer->records, indexer->stage_dir);
	log_debug("records of %s: open", state_dir);
	return 0;
}

/* The supervisor starts workers when it hears this: the store has to be open. */
static void
say_hello(struct indexer *indexer)
{
	channel_send(indexer->control, &(struct msg){ .type = MSG_TYPE_HELLO, .hello = {
		.version = PROTO_VERSION,
		.program = STR("backfill-indexer"),
		.pid = (uint64_t)getpid(),
	} });
}

/* From here on it opens nothing but what spills over from its memory. */
static void
give_up_the_rest(struct indexer *indexer)
{
	struct confine confine;

	confine_init(&confine, CONFINE_WRITE);
	confine_add(&confine, indexer->stage_dir, SANDBOX_READ | SANDBOX_WRITE);
	confine_self(&confine, indexer->control, NULL, NULL);
}

/*
 * Open the store if it is not open.  After a crash of the supervisor the indexer
 * before this one may still be at its last commit: it gets a while to end, and
 * nothing is heard from the supervisor until then.
 */
static void
ensure_store(struct indexer *indexer)
{
	int64_t now = clock_mono_ms();
	struct err err;

	if (indexer->records != NULL)
		return;
	if (open_store(indexer, &err) == 0) {
		say_hello(indexer);
		give_up_the_rest(indexer);
		channel_resume(indexer->control);
		return;
	}
	if (indexer->lock_deadline_ms == 0)
		indexer->lock_deadline_ms = now + LOCK_WAIT_MS;
	if (err.code != ERR_EXISTS || now >= indexer->lock_deadline_ms) {
		log_error("%s", err.text);
		stop(indexer, exit_code_of(err.code));
		return;
	}
	channel_pause(indexer->control);
	ev_timer_set(&indexer->lock, LOCK_PAUSE_SECS, 0.);
	ev_timer_start(indexer->loop, &indexer->lock);
}

static void
on_lock(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	ensure_store(watcher->data);
}

/* --- the control channel --- */

static void
on_hello(struct indexer *indexer, const struct msg_hello *hello)
{
	if (hello->version == PROTO_VERSION)
		return;
	log_error("the supervisor speaks protocol version %llu, not %d",
	    (unsigned long long)hello->version, PROTO_VERSION);
	stop(indexer, EXIT_PROTOCOL);
}

static void
on_setting(struct indexer *indexer, const struct msg_setting *setting)
{
	enum log_level level;
	struct err err;

	if (settings_set(&indexer->settings, setting->name, setting->value, &err) == -1) {
		log_error("%s", err.text);
		stop(indexer, EXIT_CONFIG);
		return;
	}
	if (log_level_parse(indexer->settings.log_level, &level) == 0)
		log_set_level(level);
	if (str_eq(setting->name, STR("state_dir")))
		ensure_store(indexer);
}

static void
on_attach(struct indexer *indexer, const struct msg_attach *attach)
{
	int fd = channel_take_fd(indexer->control);

	if (fd == -1 || indexer->records == NULL) {
		log_error("attach %.*s: %s", STR_FMT(attach->id),
		    fd == -1 ? "no descriptor came" : "state_dir was not set");
		fd_close(&fd);
		return;
	}
	peer_new(&indexer->work, indexer->loop, &indexer->peers, fd, attach);
}

static void
on_ping(struct indexer *indexer, const struct msg_ping *ping)
{
	channel_send(indexer->control, &(struct msg){ .type = MSG_TYPE_PONG,
	    .pong = { .number = ping->number } });
	if (indexer->records == NULL || !records_lost_its_lock(indexer->records))
		return;
	log_error("records/lock.mdb was deleted; starting anew");
	stop(indexer, EXIT_STORE);
}

static void
on_control(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct indexer *indexer = arg;

	switch (msg->type) {
	case MSG_TYPE_HELLO:
		on_hello(indexer, &msg->hello);
		break;
	case MSG_TYPE_SETTING:
		on_setting(indexer, &msg->setting);
		break;
	case MSG_TYPE_PING:
		on_ping(indexer, &msg->ping);
		break;
	case MSG_TYPE_ATTACH:
		on_attach(indexer, &msg->attach);
		break;
	default:
		log_error("the supervisor sent %s", msg_name(msg->type));
		stop(indexer, EXIT_PROTOCOL);
		break;
	}
}

static void
on_control_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct indexer *indexer = arg;

	if (why != NULL)
		log_error("control channel: %s", why->text);
	stop(indexer, why != NULL ? EXIT_PROTOCOL : EXIT_OK);
}

/* --- the loop --- */

static void
on_turn(struct ev_loop *loop, struct ev_prepare *watcher, int revents BF_UNUSED)
{
	struct indexer *indexer = watcher->data;

	if (indexer->records == NULL)
		return;
	work_turn(&indexer->work);
	if (work_is_pending(&indexer->work))
		ev_idle_start(loop, &indexer->busy);
	else
		ev_idle_stop(loop, &indexer->busy);
}

static void
on_busy(struct ev_loop *loop BF_UNUSED, struct ev_idle *watcher BF_UNUSED,
    int revents BF_UNUSED)
{
}

static void
on_readers(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct indexer *indexer = watcher->data;
	int dead = indexer->records != NULL ? records_check_readers(indexer->records) : 0;

	if (dead > 0)
		log_info("freed the slots of %d dead readers", dead);
}

static void
on_signal(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	stop(watcher->data, EXIT_OK);
}

static void
start_watchers(struct indexer *indexer)
{
	ev_prepare_init(&indexer->turn, on_turn);
	ev_idle_init(&indexer->busy, on_busy);
	ev_timer_init(&indexer->lock, on_lock, 0., 0.);
	ev_timer_init(&indexer->readers, on_readers, READERS_SECS, READERS_SECS);
	ev_signal_init(&indexer->term, on_signal, SIGTERM);
	ev_signal_init(&indexer->interrupt, on_signal, SIGINT);
	indexer->turn.data = indexer->readers.data = indexer->lock.data = indexer;
	indexer->term.data = indexer->interrupt.data = indexer;
	ev_prepare_start(indexer->loop, &indexer->turn);
	ev_timer_start(indexer->loop, &indexer->readers);
	ev_signal_start(indexer->loop, &indexer->term);
	ev_signal_start(indexer->loop, &indexer->interrupt);
}

void
indexer_init(struct indexer *indexer, struct ev_loop *loop, int control_fd)
{
	struct channel_options options = {
		.accepts = FROM_SUPERVISOR,
		.frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.accepts_fds = true,
		.on_msg = on_control,
		.on_close = on_control_close,
		.arg = indexer,
	};

	*indexer = (struct indexer){ .loop = loop, .lock_fd = -1 };
	settings_init(&indexer->settings);
	LIST_INIT(&indexer->peers);
	start_watchers(indexer);
	indexer->control = channel_new(loop, control_fd, &options);
}

/* Commits that had come in whole are finished and answered. */
static void
finish(struct indexer *indexer)
{
	struct peer *peer;
	int64_t deadline;

	if (indexer->records == NULL)
		return;
	while (!TAILQ_EMPTY(&indexer->work.ready))
		work_turn(&indexer->work);
	deadline = clock_mono_ms() + FLUSH_MS;
	LIST_FOREACH(peer, &indexer->peers, of_indexer) {
		int64_t left = deadline - clock_mono_ms();

		if (channel_flush(peer->channel, left > 0 ? (int)left : 0) == -1)
			log_debug("%s: did not take its last answers", peer->name);
	}
}

enum exit_code
indexer_run(struct indexer *indexer)
{
	(void)ev_run(indexer->loop, 0);
	finish(indexer);
	return indexer->exit_code;
}

void
indexer_clear(struct indexer *indexer)
{
	while (!LIST_EMPTY(&indexer->peers)) {
		struct peer *peer = LIST_FIRST(&indexer->peers);

		peer_free(&peer);
	}
	channel_free(&indexer->control);
	ev_prepare_stop(indexer->loop, &indexer->turn);
	ev_idle_stop(indexer->loop, &indexer->busy);
	ev_timer_stop(indexer->loop, &indexer->lock);
	ev_timer_stop(indexer->loop, &indexer->readers);
	ev_signal_stop(indexer->loop, &indexer->term);
	ev_signal_stop(indexer->loop, &indexer->interrupt);
	records_close(&indexer->records);
	fd_close(&indexer->lock_fd);
	free(indexer->stage_dir);
	settings_clear(&indexer->settings);
}
