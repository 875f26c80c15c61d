#include "workers/worker.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"
#include "confine/confine.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"
#include "workers/assignment.h"
#include "workers/kill_plan.h"
#include "workers/met.h"
#include "workers/records_link.h"
#include "workers/wire_text.h"

#define PROGRESS_PERIOD_SECS	0.1
#define LAST_WORDS_MS		5000	/* for the supervisor to take `done` */
#define STOP_WORDS_MS		50	/* likewise after SIGTERM, which has no time */
#define STAGE_SIZE		64

struct worker {
	const struct worker_type *type;	/* borrowed, outlives us */
	/* owned */
	struct ev_loop *loop;
	struct channel *control;
	struct records_link *records;
	struct settings settings;
	struct assignment assignment;
	void *job;			/* the type's */

	bool has_hello, has_started;
	bool is_pausing;
	bool is_over;			/* the last words are said */
	int exit_status;

	/* The latest progress, and whether it is still to be sent. */
	struct msg_progress progress;
	char stage[STAGE_SIZE];
	struct msg_stage of_stage;
	bool has_news, has_stage_news;
	uint64_t items_sent;
	struct met met;
	struct kill_plan kill_plan;	/* of a test */

	/* watchers */
	struct ev_timer progress_timer;	/* runs while news has to wait */
	struct ev_signal sigterm;
};

/* --- what a type says --- */

static void
send_progress(struct worker *worker)
{
	struct msg msg = { .type = MSG_TYPE_PROGRESS, .progress = worker->progress };

	met_tell(&worker->met, worker->control);
	if (worker->has_stage_news)
		channel_send(worker->control, &(struct msg){ .type = MSG_TYPE_STAGE,
		    .stage = worker->of_stage });
	msg.progress.stage = str_from(worker->stage);
	channel_send(worker->control, &msg);
	worker->has_news = worker->has_stage_news = false;
}

static void
on_progress_timer(struct ev_loop *loop, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct worker *worker = timer->data;

	if (!worker->has_news) {
		ev_timer_stop(loop, timer);
		return;
	}
	/* A supervisor that does not read needs no more of it. */
	if (!channel_is_clogged(worker->control))
		send_progress(worker);
}

void
worker_stage(struct worker *worker, uint64_t done, uint64_t total)
{
	worker->has_stage_news |= done != worker->of_stage.done ||
	    total != worker->of_stage.total;
	worker->of_stage = (struct msg_stage){ .done = done, .total = total };
}

void
worker_progress(struct worker *worker, const struct msg_progress *progress)
{
	if (worker->is_over)
		return;
	worker->progress = *progress;
	(void)str_copy(worker->stage, sizeof(worker->stage), progress->stage);
	worker->has_news = true;
	if (ev_is_active(&worker->progress_timer))
		return;
	send_progress(worker);
	ev_timer_again(worker->loop, &worker->progress_timer);
}

void
worker_checkpoint(struct worker *worker, const struct msg_checkpoint *checkpoint)
{
	assert(checkpoint->data.len <= LIMIT_CHECKPOINT_BYTES);
	if (worker->is_over)
		return;
	channel_send(worker->control, &(struct msg){ .type = MSG_TYPE_CHECKPOINT,
	    .checkpoint = *checkpoint });
	kill_plan_checkpoint(&worker->kill_plan);
}

void
worker_log(struct worker *worker, enum log_level level, const char *fmt, ...)
{
	char text[LIMIT_OP_TEXT_BYTES];
	struct msg msg = { .type = MSG_TYPE_LOG };
	va_list ap;

	if (worker->is_over)
		return;
	va_start(ap, fmt);
	msg.log.text = wire_text_format(text, fmt, ap);
	va_end(ap);
	msg.log.level = (uint64_t)level;
	channel_send(worker->control, &msg);
}

void
worker_item_failed(struct worker *worker, struct str item, const char *class,
    const char *text)
{
	char clean_item[LIMIT_OP_TEXT_BYTES], clean[LIMIT_OP_TEXT_BYTES];

	if (worker->is_over)
		return;
	met_item(&worker->met, class);
	if (worker->items_sent == LIMIT_OP_ITEMS)
		return;
	worker->items_sent++;
	channel_send(worker->control, &(struct msg){
		.type = MSG_TYPE_ITEM_FAILED,
		.item_failed = {
			.item = wire_text(item.ptr, item.len, clean_item), .class = str_from(class),
			.text = wire_text(text, strlen(text), clean),
		},
	});
}

void
worker_item_works(struct worker *worker, struct str item)
{
	if (!worker->is_over && assignment_unlist(&worker->assignment, item))
		channel_send(worker->control, &(struct msg){ .type = MSG_TYPE_ITEM_WORKS,
		    .item_works = { .item = item } });
}

/* Say the last words and leave the loop. */
static void
finish(struct worker *worker, const struct msg *msg, int exit_status)
{
	if (worker->has_news)
		send_progress(worker);
	met_tell(&worker->met, worker->control);
	channel_send(worker->control, msg);
	worker->is_over = true;
	worker->exit_status = exit_status;
	ev_timer_stop(worker->loop, &worker->progress_timer);
	if (channel_flush(worker->control, LAST_WORDS_MS) == -1)
		worker->exit_status = EXIT_UNAVAILABLE;
	ev_break(worker->loop, EVBREAK_ALL);
}

void
worker_done(struct worker *worker, const struct msg_done *done)
{
	if (!worker->is_over)
		finish(worker, &(struct msg){ .type = MSG_TYPE_DONE, .done = *done },
		    EXIT_OK);
}

void
worker_fail(struct worker *worker, const char *class, const char *fmt, ...)
{
	char text[LIMIT_OP_TEXT_BYTES];
	struct msg msg = { .type = MSG_TYPE_FAIL, .fail = { .class = str_from(class) } };
	va_list ap;

	if (worker->is_over)
		return;
	va_start(ap, fmt);
	msg.fail.text = wire_text_format(text, fmt, ap);
	va_end(ap);
	finish(worker, &msg, EXIT_FAILED);
}

void
worker_paused(struct worker *worker)
{
	assert(worker->is_pausing);
	if (!worker->is_over)
		finish(worker, &(struct msg){ .type = MSG_TYPE_PAUSED,
		    .paused = { .processed = worker->progress.processed } }, EXIT_OK);
}

/* --- ends that are not the type's decision --- */

/* The process is the operation, so ending it drops every transfer and, at the
 * indexer, every change that is not committed.  Nothing is torn down first: that
 * could wait for a resolver. */
static BF_NORETURN void
end_now(struct worker *worker, int exit_status)
{
	if (worker->has_news)
		send_progress(worker);
	met_tell(&worker->met, worker->control);
	(void)!channel_flush(worker->control, STOP_WORDS_MS);
	_exit(exit_status);
}

static void
on_sigterm(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	end_now(watcher->data, EXIT_STOPPED);
}

static void
on_control_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct worker *worker = arg;

	if (why == NULL)
		_exit(EXIT_UNAVAILABLE);
	log_error("op %.*s: the supervisor broke the protocol: %s",
	    STR_FMT(worker->assignment.given.id), why->text);
	_exit(EXIT_PROTOCOL);
}

static void
on_records_gone(struct records_link *link BF_UNUSED, const struct err *why, void *arg)
{
	struct worker *worker = arg;

	worker_fail(worker, CLASS_INDEXER_GONE, "the indexer %s%s",
	    why == NULL ? "is gone" : "broke the protocol: ",
	    why == NULL ? "" : why->text);
}

/* --- what the supervisor says --- */

static BF_NORETURN void
refuse(const char *why)
{
	log_error("the supervisor broke the protocol: %s", why);
	_exit(EXIT_PROTOCOL);
}

/*
 * Where it can be said what happened, it is.  In another thread the main one is in
 * the middle of anything: then SIGSYS has to tell.
 */
static void
on_forbidden(const char *call, void *arg)
{
	struct worker *worker = arg;

	log_error("op %.*s: the system call %s is forbidden to a worker",
	    STR_FMT(worker->assignment.given.id), call);
	if (gettid() != getpid() || worker->is_over)
		return;
	worker_fail(worker, CLASS_FORBIDDEN_CALL, "the worker made the system call %s, "
	    "which is forbidden to it", call);
	_exit(worker->exit_status);
}

static void
give_up_the_rest(struct worker *worker)
{
	struct confine confine;

	if (worker->type->confine != NULL)
		worker->type->confine(&confine, &worker->settings);
	else
		confine_init(&confine, CONFINE_CONNECT);
	confine_self(&confine, worker->control, on_forbidden, worker);
}

static void
take_hello(struct worker *worker, const struct msg_hello *hello)
{
	if (worker->has_hello)
		refuse("hello came twice");
	if (hello->version != PROTO_VERSION)
		refuse("it speaks another version");
	worker->has_hello = true;
	give_up_the_rest(worker);
}

static void
take_setting(struct worker *worker, const struct msg_setting *setting)
{
	struct err err;

	if (settings_set(&worker->settings, setting->name, setting->value, &err) == -1)
		refuse(err.text);
}

/* The type starts when everything has come that belongs to its assignment. */
static void
take_part(struct worker *worker, const struct msg *msg)
{
	bool has_fd = msg->type == MSG_TYPE_ASSIGN || msg->type == MSG_TYPE_SPILL;
	enum log_level level;
	struct err err;

	if (!worker->has_hello)
		refuse("its assignment came before hello");
	if (assignment_take(&worker->assignment, msg,
	    has_fd ? channel_take_fd(worker->control) : -1, &err) == -1)
		refuse(err.text);
	if (!assignment_is_complete(&worker->assignment))
		return;
	if (log_level_parse(worker->settings.log_level, &level) == 0)
		log_set_level(level);
	worker->has_started = true;
	kill_plan_start(&worker->kill_plan, worker->loop, worker->control,
	    &worker->assignment.given);
	worker->job = worker->type->start(worker);
}

static void
take_pause(struct worker *worker)
{
	if (!worker->has_started || worker->is_pausing)
		return;
	worker->is_pausing = true;
	if (worker->type->pause != NULL)
		worker->type->pause(worker->job);
	else
		worker_paused(worker);
}

static void
on_control_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct worker *worker = arg;

	if (worker->is_over)
		return;
	if (msg->type == MSG_TYPE_HELLO)
		take_hello(worker, &msg->hello);
	else if (msg->type == MSG_TYPE_SETTING && !worker->assignment.has_assign)
		take_setting(worker, &msg->setting);
	else if (assignment_is_part(msg))
		take_part(worker, msg);
	else if (msg->type == MSG_TYPE_PAUSE)
		take_pause(worker);
	else if (msg->type == MSG_TYPE_PING)
		channel_send(worker->control, &(struct msg){ .type = MSG_TYPE_PONG,
		    .pong = { .number = msg->ping.number } });
	else
		refuse(msg_name(msg->type));
}

/* --- life --- */

static bool
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void
worker_init(struct worker *worker, const struct worker_type *type)
{
	struct channel_options options = {
		.accepts = FROM_SUPERVISOR,
		.frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.accepts_fds = true,
		.on_msg = on_control_msg,
		.on_close = on_control_close,
		.arg = worker,
	};

	*worker = (struct worker){ .type = type };
	assignment_init(&worker->assignment);
	worker->loop = ev_default_loop(EVFLAG_AUTO);
	if (worker->loop == NULL)
		abort();
	settings_init(&worker->settings);
	ev_timer_init(&worker->progress_timer, on_progress_timer, 0.,
	    PROGRESS_PERIOD_SECS);
	ev_signal_init(&worker->sigterm, on_sigterm, SIGTERM);
	worker->progress_timer.data = worker->sigterm.data = worker;
	ev_signal_start(worker->loop, &worker->sigterm);

	worker->control = channel_new(worker->loop, FD_CONTROL, &options);
	worker->records = records_link_new(worker->loop, FD_RECORDS, type->name,
	    on_records_gone, worker);
	channel_send(worker->control, &(struct msg){
		.type = MSG_TYPE_HELLO,
		.hello = { .version = PROTO_VERSION, .program = str_from(type->name),
		    .pid = (uint64_t)getpid() },
	});
	channel_send(worker->control, &(struct msg){ .type = MSG_TYPE_PONG });
}

static void
worker_clear(struct worker *worker)
{
	if (worker->has_started)
		worker->type->end(worker->job);
	kill_plan_stop(&worker->kill_plan, worker->loop);
	records_link_free(&worker->records);
	channel_free(&worker->control);
	ev_signal_stop(worker->loop, &worker->sigterm);
	ev_timer_stop(worker->loop, &worker->progress_timer);
	assignment_clear(&worker->assignment);
	settings_clear(&worker->settings);
	ev_loop_destroy(worker->loop);
}

int
worker_main(const struct worker_type *type)
{
	struct worker worker;

	log_init(type->name, LOG_LEVEL_INFO);
	if (!is_socket(FD_CONTROL) || !is_socket(FD_RECORDS)) {
		(void)fprintf(stderr, "%s is started by backfilld, not by hand: "
		    "try `backfillctl trigger %s`\n", type->name, type->name);
		return EXIT_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (fd_set_cloexec(FD_CONTROL, true) == -1 ||
	    fd_set_cloexec(FD_RECORDS, true) == -1) {
		log_error("fcntl(FD_CLOEXEC): %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	worker_init(&worker, type);
	(void)ev_run(worker.loop, 0);
	worker_clear(&worker);
	return worker.exit_status;
}

/* --- what a type is given --- */

const struct worker_assignment *
worker_assignment(const struct worker *worker)
{
	return &worker->assignment.given;
}

bool
worker_retry_items(const struct worker *worker, const struct str **items_out,
    size_t *count_out)
{
	*items_out = worker->assignment.items;
	*count_out = worker->assignment.items_count;
	return !str_is_empty(worker->assignment.given.items_of);
}

const struct settings *
worker_settings(const struct worker *worker)
{
	return &worker->settings;
}

struct ev_loop *
worker_loop(const struct worker *worker)
{
	return worker->loop;
}

uint64_t *
worker_answers_429(struct worker *worker)
{
	return &worker->met.counts[OP_MET_ANSWERS_429];
}

struct records_link *
worker_records(const struct worker *worker)
{
	return worker->records;
}
