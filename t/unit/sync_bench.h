/*
 * sync_bench.h - everything around one struct sync_repo, on one loop: a scripted
 * server that is its directory and its PDS, a fake indexer, and what it told.
 */
#ifndef BF_T_SYNC_BENCH_H
#define BF_T_SYNC_BENCH_H

#include "t/unit/unit.h"

#include "common/settings.h"
#include "t/unit/fake_account.h"
#include "t/unit/fake_indexer.h"
#include "t/unit/fetch_server.h"
#include "workers/records_link.h"
#include "workers/sync_env.h"
#include "workers/sync_repo.h"

struct sync_bench {
	struct ev_loop *loop;
	struct fetch_server *server;
	struct fake_indexer indexer;
	struct records_link *link;
	struct settings settings;
	struct sync_env env;
	bool defers;			/* env shall, from the next bench_set() on */
	int spill_fd;
	struct sync_repo *sync;		/* NULL when none runs */
	ev_timer deadline;
	ev_timer cancel;		/* fed, never started */
	const char *cancel_at;		/* stage */

	/* What it told. */
	unsigned dones;
	struct sync_outcome outcome;
	struct sync_progress progress;
	char stages[256];		/* "resolving fetching ..." */
	char notes[1024];
	unsigned bad_records;
	char bad_path[512], bad_kind[32];
	unsigned links_gone;
};

/* Of cmocka. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

#define B(test) cmocka_unit_test_setup_teardown(test, bench_set_up, bench_tear_down)

/* Another setting than the default, from now on. */
void bench_set(struct sync_bench *bench, const char *name, const char *value);

/* Start a sync; run it to its end and return how it ended. */
void bench_start(struct sync_bench *bench, const char *did);
const struct sync_outcome *bench_wait(struct sync_bench *bench);
const struct sync_outcome *bench_sync(struct sync_bench *bench, const char *did);

/* Run the sync to the begin of this stage and cancel it there. */
void bench_cancel_at(struct sync_bench *bench, const char *stage);

/* Let everybody do what they can do now. */
void bench_turn(struct sync_bench *bench);

/* The account of good-k256.car: known to the directory; in the index, made if it
 * is not there; there as if synced before, at an older revision. */
void bench_add_k256(struct sync_bench *bench);
struct fake_repo *bench_k256(struct sync_bench *bench);
struct fake_repo *bench_index_old_k256(struct sync_bench *bench);

/* The server says this and then nothing for ever. */
void bench_hang_at(struct sync_bench *bench, const char *path, const char *bytes,
    size_t len);

/* Cancel what runs, and look that nothing comes of it. */
void bench_cancel_now(struct sync_bench *bench);

/* It ends so, and nothing is committed. */
void bench_expect_failed(struct sync_bench *bench, const char *class);

#endif
