#include "t/unit/sync_bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/mem.h"
#include "fetch/http.h"

#define DEADLINE_S	30.0

/* --- what the sync tells --- */

static void
add_word(char *to, size_t size, const char *word)
{
	size_t len = strlen(to);

	(void)snprintf(to + len, size - len, "%s ", word);
}

static void
on_progress(struct sync_repo *sync BF_UNUSED, const struct sync_progress *progress,
    void *arg)
{
	struct sync_bench *bench = arg;

	if (bench->progress.stage == NULL ||
	    strcmp(bench->progress.stage, progress->stage) != 0)
		add_word(bench->stages, sizeof(bench->stages), progress->stage);
	/* A sync may not be cancelled in here, so at once after it. */
	if (bench->cancel_at != NULL && strcmp(bench->cancel_at, progress->stage) == 0)
		ev_feed_event(bench->loop, &bench->cancel, EV_CUSTOM);
	assert_true(progress->total == 0 || progress->processed <= progress->total);
	bench->progress = *progress;
}

static void
on_bad_record(struct sync_repo *sync BF_UNUSED, struct str path,
    const struct fault *fault, void *arg)
{
	struct sync_bench *bench = arg;

	bench->bad_records++;
	(void)str_copy(bench->bad_path, sizeof(bench->bad_path), path);
	(void)snprintf(bench->bad_kind, sizeof(bench->bad_kind), "%s",
	    fault_kind(fault->code));
}

static void
on_note(struct sync_repo *sync BF_UNUSED, const char *text, void *arg)
{
	struct sync_bench *bench = arg;

	add_word(bench->notes, sizeof(bench->notes), text);
}

static void
on_done(struct sync_repo *sync, const struct sync_outcome *outcome, void *arg)
{
	struct sync_bench *bench = arg;

	bench->dones++;
	bench->outcome = *outcome;
	if (sync == bench->sync)
		bench->sync = NULL;
	ev_break(bench->loop, EVBREAK_ALL);
}

static const struct sync_repo_events events = {
	.on_progress = on_progress, .on_bad_record = on_bad_record,
	.on_note = on_note, .on_done = on_done,
};

/* --- life --- */

static void
on_link_gone(struct records_link *link BF_UNUSED, const struct err *why, void *arg)
{
	struct sync_bench *bench = arg;

	assert_null(why);
	bench->links_gone++;
	ev_break(bench->loop, EVBREAK_ALL);
}

static void
on_cancel(struct ev_loop *loop, ev_timer *timer, int revents BF_UNUSED)
{
	struct sync_bench *bench = timer->data;

	bench->cancel_at = NULL;
	sync_repo_cancel(&bench->sync);
	ev_break(loop, EVBREAK_ALL);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, ev_timer *timer, int revents BF_UNUSED)
{
	struct sync_bench *bench = timer->data;

	fail_msg("nothing happened for %.0f s; stages: %s", DEADLINE_S, bench->stages);
}

/* As sync_env_init(), but without the politeness that strangers are due. */
static void
open_env(struct sync_bench *bench)
{
	struct http_options options;
	struct err err;

	assert_int_equal(sync_env_init(&bench->env, bench->loop, bench->link,
	    &bench->settings, NULL, &err), 0);
	bench->env.defers = bench->defers;
	http_free(&bench->env.http);
	options = sync_env_http_options(&bench->env);
	options.polite = (struct polite_options){ .requests_per_s = 1000, .burst = 1000,
	    .backoff_ms = 1, .bulk_per_host_max = 4 };
	bench->env.http = http_new(bench->loop, &options);
}

static void
set(struct sync_bench *bench, const char *name, const char *value)
{
	struct err err;

	assert_int_equal(settings_set(&bench->settings, str_from(name), str_from(value),
	    &err), 0);
}

int
bench_set_up(void **state)
{
	struct sync_bench *bench = xcalloc(1, sizeof(*bench));
	struct err err;
	int fds[2];

	bench->loop = ev_loop_new(EVFLAG_AUTO);
	bench->server = fetch_server_new(bench->loop);
	assert_int_equal(fd_socketpair(fds, &err), 0);
	fake_indexer_init(&bench->indexer, bench->loop, fds[0]);
	bench->link = records_link_new(bench->loop, fds[1], "test", on_link_gone, bench);
	settings_init(&bench->settings);
	set(bench, "plc_directory", fetch_server_origin(bench->server));
	set(bench, "allow_private_addresses", "true");
	set(bench, "allow_plain_http", "true");
	open_env(bench);
	bench->spill_fd = memfd_create("spill", MFD_CLOEXEC);
	ev_timer_init(&bench->deadline, on_deadline, DEADLINE_S, 0.);
	ev_timer_init(&bench->cancel, on_cancel, 0., 0.);
	bench->deadline.data = bench->cancel.data = bench;
	ev_timer_start(bench->loop, &bench->deadline);
	*state = bench;
	return 0;
}

int
bench_tear_down(void **state)
{
	struct sync_bench *bench = *state;

	sync_repo_cancel(&bench->sync);
	sync_env_clear(&bench->env);
	records_link_free(&bench->link);
	fake_indexer_clear(&bench->indexer);
	fetch_server_free(&bench->server);
	settings_clear(&bench->settings);
	fd_close(&bench->spill_fd);
	ev_timer_stop(bench->loop, &bench->deadline);
	ev_loop_destroy(bench->loop);
	free(bench);
	return 0;
}

void
bench_set(struct sync_bench *bench, const char *name, const char *value)
{
	set(bench, name, value);
	sync_env_clear(&bench->env);
	open_env(bench);
}

/* --- running --- */

void
bench_start(struct sync_bench *bench, const char *did)
{
	bench->dones = 0;
	bench->stages[0] = bench->notes[0] = '\0';
	bench->progress = (struct sync_progress){ 0 };
	bench->sync = sync_repo_start(&bench->env, &(struct sync_order){
	    .did = str_from(did), .spill_fd = bench->spill_fd }, &events, bench);
	assert_int_equal(bench->dones, 0);
}

const struct sync_outcome *
bench_wait(struct sync_bench *bench)
{
	while (bench->dones == 0)
		(void)ev_run(bench->loop, 0);
	return &bench->outcome;
}

const struct sync_outcome *
bench_sync(struct sync_bench *bench, const char *did)
{
	bench_start(bench, did);
	return bench_wait(bench);
}

void
bench_cancel_at(struct sync_bench *bench, const char *stage)
{
	bench->cancel_at = stage;
	while (bench->sync != NULL)
		(void)ev_run(bench->loop, 0);
	bench_turn(bench);
	assert_int_equal(bench->dones, 0);
}

void
bench_turn(struct sync_bench *bench)
{
	for (int i = 0; i < 50; i++)
		(void)ev_run(bench->loop, EVRUN_NOWAIT);
}

void
bench_expect_failed(struct sync_bench *bench, const char *class)
{
	const struct sync_outcome *outcome = bench_wait(bench);

	if (outcome->result != SYNC_FAILED)
		fail_msg("result %d instead of %s", (int)outcome->result, class);
	if (strcmp(outcome->error_class, class) != 0)
		fail_msg("%s (%s) instead of %s", outcome->error_class,
		    outcome->error_text, class);
	assert_int_equal(bench->indexer.commits, 0);
}

/* --- the vectors' account --- */

void
bench_add_k256(struct sync_bench *bench)
{
	account_add(bench->server, K256_DID, K256_KEY);
}

struct fake_repo *
bench_k256(struct sync_bench *bench)
{
	return fake_indexer_repo(&bench->indexer, K256_DID);
}

/* As if it had been synced before, at an older revision. */
struct fake_repo *
bench_index_old_k256(struct sync_bench *bench)
{
	struct fake_repo *repo = bench_k256(bench);
	struct cid cid = { { 0x01, 0x71, 0x12, 0x20, 7 } };

	strcpy(repo->status, "active");
	strcpy(repo->rev, "3kaaaaaaaaaa2");
	repo->commit = repo->data = cid;
	repo->has_cids = true;
	fake_records_put(&repo->records, STR("app.bsky.feed.post/0old"), &cid, 1);
	fake_records_put(&repo->records, STR("zz.old.thing/self"), &cid, 1);
	return repo;
}

void
bench_hang_at(struct sync_bench *bench, const char *path, const char *head, size_t len)
{
	fetch_server_add(bench->server, path, &(struct fetch_answer){ .bytes = head,
	    .len = len, .then = THEN_HANG });
}

/* Begin something that never ends, cancel it, and look that nothing comes back. */
void
bench_cancel_now(struct sync_bench *bench)
{
	sync_repo_cancel(&bench->sync);
	assert_null(bench->sync);
	bench_turn(bench);
	assert_int_equal(bench->dones, 0);
	assert_int_equal(bench->indexer.commits, 0);
	assert_int_equal(http_request_count(bench->env.http), 0);
}
