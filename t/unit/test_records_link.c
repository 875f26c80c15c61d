/*
 * test_records_link.c - src/workers/records_link.c against an indexer that the
 * test plays on the other end.
 */
#include "t/unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"
#include "t/unit/worker_rig.h"
#include "workers/records_link.h"

static const uint8_t cid_bytes[36] = { 0x01, 0x71, 0x12, 0x20 };
#define CID		((struct bytes){ cid_bytes, sizeof(cid_bytes) })

/* What happened, as words, and what to do when it does. */
struct seen {
	char log[256];
	struct records_lane *lane;
	bool abort_in_handler, hold_in_handler;
};

struct bench {
	struct ev_loop *loop;
	struct records_link *link;
	struct client indexer;
	int gone;
	char why[ERR_TEXT_SIZE];
};

static void
note(struct seen *seen, const char *what)
{
	size_t len = strlen(seen->log);

	assert_true(len + strlen(what) + 2 < sizeof(seen->log));
	strcpy(seen->log + len, what);
	strcat(seen->log, " ");
	if (seen->hold_in_handler && seen->lane != NULL)
		records_hold(seen->lane);
	if (seen->abort_in_handler)
		records_abort(&seen->lane);
}

static void
on_state(const struct msg_state *state, void *arg)
{
	note(arg, state->is_busy ? "busy" : "state");
}

static void
on_entry(struct str path, struct bytes cid BF_UNUSED, void *arg)
{
	char text[32];

	assert_true(str_copy(text, sizeof(text), path));
	note(arg, text);
}

static void on_end(void *arg) { note(arg, "end"); }
static void on_room(void *arg) { note(arg, "room"); }

static void
on_ack(const struct msg_ack *ack BF_UNUSED, void *arg)
{
	note(arg, "ack");
}

static void
on_refuse(struct str class, struct str text BF_UNUSED, void *arg)
{
	char word[32];

	assert_true(str_copy(word, sizeof(word), class));
	note(arg, word);
}

static const struct records_lane_events events = {
	on_state, on_entry, on_end, on_room, on_ack, on_refuse,
};

static void
on_gone(struct records_link *link BF_UNUSED, const struct err *why, void *arg)
{
	struct bench *bench = arg;

	bench->gone++;
	(void)str_copy(bench->why, sizeof(bench->why),
	    str_from(why != NULL ? why->text : "end of file"));
}

static void
bench_open(struct bench *bench)
{
	struct err err;
	int fds[2];

	assert_int_equal(fd_socketpair(fds, &err), 0);
	*bench = (struct bench){ .loop = ev_loop_new(EVFLAG_AUTO) };
	bench->link = records_link_new(bench->loop, fds[0], "test", on_gone, bench);
	client_init(&bench->indexer, fds[1], FROM_RECORD_WRITER,
	    LIMIT_FRAME_RECORD_BYTES);
}

static void
bench_close(struct bench *bench)
{
	records_link_free(&bench->link);
	client_clear(&bench->indexer);
	ev_loop_destroy(bench->loop);
}

/* Let the link do everything that it can do now. */
static void
turn(struct bench *bench)
{
	for (int i = 0; i < 10; i++)
		(void)ev_run(bench->loop, EVRUN_NOWAIT);
}

static struct msg
heard(struct bench *bench, enum msg_type type)
{
	turn(bench);
	return rig_expect(&bench->indexer, type);
}

static void
say(struct bench *bench, const struct msg *msg)
{
	rig_say(&bench->indexer, msg);
	turn(bench);
}

static void
say_state(struct bench *bench, uint64_t lane, bool is_busy)
{
	say(bench, &(struct msg){ .type = MSG_TYPE_STATE,
	    .state = { .lane = lane, .is_busy = is_busy } });
}

static void
say_entry(struct bench *bench, uint64_t lane, const char *path)
{
	say(bench, &(struct msg){ .type = MSG_TYPE_ENTRY,
	    .entry = { .lane = lane, .path = str_from(path), .cid = CID } });
}

static void
say_end(struct bench *bench, uint64_t lane)
{
	say(bench, &(struct msg){ .type = MSG_TYPE_END, .end = { .lane = lane } });
}

static void
say_ack(struct bench *bench, uint64_t lane)
{
	say(bench, &(struct msg){ .type = MSG_TYPE_ACK, .ack = { .lane = lane } });
}

static struct records_lane *
begin(struct bench *bench, const char *did, struct seen *seen)
{
	*seen = (struct seen){ .log = "" };
	seen->lane = records_begin(bench->link, str_from(did), &events, seen);
	return seen->lane;
}

static void
link__carries_a_repository_from_begin_to_ack(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen seen;
	struct msg msg;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &seen);
	msg = heard(&bench, MSG_TYPE_BEGIN);
	assert_true(str_eq(msg.begin.did, STR("did:plc:a")));
	say_state(&bench, 1, false);
	records_scan(seen.lane);
	assert_int_equal(heard(&bench, MSG_TYPE_SCAN).scan.lane, 1);
	say_entry(&bench, 1, "a.b.c/1");
	records_put(seen.lane, STR("a.b.c/0"), CID, CID);
	records_delete(seen.lane, STR("a.b.c/1"));
	say_end(&bench, 1);
	records_commit(seen.lane, &(struct msg_commit){ .rev = STR("3kaaaaaaaaaa2") });
	assert_true(str_eq(heard(&bench, MSG_TYPE_PUT).put.path, STR("a.b.c/0")));
	assert_true(str_eq(heard(&bench, MSG_TYPE_DELETE).delete.path, STR("a.b.c/1")));
	msg = heard(&bench, MSG_TYPE_COMMIT);
	assert_int_equal(msg.commit.lane, 1);
	assert_true(str_eq(msg.commit.rev, STR("3kaaaaaaaaaa2")));
	say_ack(&bench, 1);
	assert_string_equal(seen.log, "state a.b.c/1 end ack ");
	assert_int_equal(bench.gone, 0);
	bench_close(&bench);
}

static void
link__keeps_lanes_apart(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen a, b, c;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &a);
	begin(&bench, "did:plc:b", &b);
	begin(&bench, "did:plc:c", &c);
	say_state(&bench, 2, false);
	say_state(&bench, 3, true);
	say_state(&bench, 1, false);
	records_scan(b.lane);
	say_entry(&bench, 2, "a.b.c/1");
	say(&bench, &(struct msg){ .type = MSG_TYPE_REFUSE, .refuse = { .lane = 1,
	    .class = STR("disk-full"), .text = STR("no") } });
	assert_string_equal(a.log, "state disk-full ");
	assert_string_equal(b.log, "state a.b.c/1 ");
	assert_string_equal(c.log, "busy ");
	assert_int_equal(bench.gone, 0);
	bench_close(&bench);
}

/* Changes may have crossed it, so the indexer waits for the last word. */
static void
link__frees_a_lane_whose_scan_is_refused(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen seen;
	struct msg msg;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &seen);
	say_state(&bench, 1, false);
	records_scan(seen.lane);
	records_delete(seen.lane, STR("a.b.c/1"));
	say(&bench, &(struct msg){ .type = MSG_TYPE_REFUSE, .refuse = { .lane = 1,
	    .class = STR("index-corrupt") } });
	assert_string_equal(seen.log, "state index-corrupt ");
	do
		msg = rig_next(&bench.indexer);
	while (msg.type != MSG_TYPE_ABORT);
	assert_int_equal(msg.abort.lane, 1);
	bench_close(&bench);
}

/* The indexer takes an abort only for a lane that it has open. */
static void
link__aborts_a_claim_only_once_it_is_answered(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen a, b;
	struct msg msg;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &a);
	begin(&bench, "did:plc:b", &b);
	records_abort(&a.lane);
	records_abort(&b.lane);
	assert_null(a.lane);
	say_state(&bench, 1, true);
	say_state(&bench, 2, false);
	do
		msg = rig_next(&bench.indexer);
	while (msg.type != MSG_TYPE_ABORT);
	assert_int_equal(msg.abort.lane, 2);
	assert_string_equal(a.log, "");
	assert_string_equal(b.log, "");
	assert_int_equal(bench.gone, 0);
	bench_close(&bench);
}

static void
link__ignores_what_crossed_an_abort(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen a, b;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &a);
	begin(&bench, "did:plc:b", &b);
	say_state(&bench, 1, false);
	say_state(&bench, 2, false);
	records_scan(a.lane);
	records_abort(&a.lane);
	assert_int_equal(heard(&bench, MSG_TYPE_ABORT).abort.lane, 1);
	say_entry(&bench, 1, "a.b.c/1");
	say_end(&bench, 1);

	/* After its commit a lane is not aborted, only forgotten. */
	records_commit(b.lane, &(struct msg_commit){ .status = STR("active") });
	records_abort(&b.lane);
	(void)heard(&bench, MSG_TYPE_COMMIT);
	say_ack(&bench, 2);
	assert_string_equal(a.log, "state ");
	assert_string_equal(b.log, "state ");
	assert_int_equal(bench.gone, 0);
	bench_close(&bench);
}

static void
link__lets_a_handler_abort_its_own_lane(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen seen;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &seen);
	say_state(&bench, 1, false);
	records_scan(seen.lane);
	seen.abort_in_handler = true;
	say_entry(&bench, 1, "a.b.c/1");
	say_entry(&bench, 1, "a.b.c/2");
	assert_string_equal(seen.log, "state a.b.c/1 ");
	bench_close(&bench);
}

static void
link__stops_reading_while_a_lane_holds(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen a, b;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &a);
	begin(&bench, "did:plc:b", &b);
	say_state(&bench, 1, false);
	records_scan(a.lane);
	a.hold_in_handler = true;
	say_entry(&bench, 1, "a.b.c/1");
	say_entry(&bench, 1, "a.b.c/2");
	say_state(&bench, 2, false);
	assert_string_equal(a.log, "state a.b.c/1 ");
	assert_string_equal(b.log, "");
	a.hold_in_handler = false;
	records_release(a.lane);
	turn(&bench);
	assert_string_equal(a.log, "state a.b.c/1 a.b.c/2 ");
	assert_string_equal(b.log, "state ");

	/* A lane that ends while it holds does not hold for ever. */
	records_hold(a.lane);
	records_abort(&a.lane);
	say(&bench, &(struct msg){ .type = MSG_TYPE_REFUSE, .refuse = { .lane = 2,
	    .class = STR("x") } });
	assert_string_equal(b.log, "state x ");
	bench_close(&bench);
}

static void
link__tells_when_there_is_room_again(void **state BF_UNUSED)
{
	size_t size = 1024 * 1024;
	uint8_t *record = xcalloc(1, size);
	struct bench bench;
	struct seen seen;
	int puts = 0;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &seen);
	say_state(&bench, 1, false);
	while (records_has_room(seen.lane)) {
		records_put(seen.lane, STR("a.b.c/1"), CID, (struct bytes){ record,
		    size });
		puts++;
	}
	assert_true(puts > 1 && puts < LIMIT_CHANNEL_QUEUE_BYTES / (int)size);
	assert_string_equal(seen.log, "state ");
	while (!records_has_room(seen.lane)) {
		turn(&bench);
		assert_true(read(bench.indexer.fd, record, size) != 0);
	}
	assert_string_equal(seen.log, "state room ");
	assert_true(records_has_room(seen.lane));
	free(record);
	bench_close(&bench);
}

static void
link__ends_with_an_indexer_that_is_gone(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen seen;

	bench_open(&bench);
	begin(&bench, "did:plc:a", &seen);
	fd_close(&bench.indexer.fd);
	turn(&bench);
	assert_int_equal(bench.gone, 1);
	assert_string_equal(bench.why, "end of file");
	assert_string_equal(seen.log, "");
	bench_close(&bench);
}

static void
link__ends_with_an_indexer_that_breaks_the_order(void **state BF_UNUSED)
{
	struct bench bench;
	struct seen seen;

	/* an entry before any scan */
	bench_open(&bench);
	begin(&bench, "did:plc:a", &seen);
	say_state(&bench, 1, false);
	say_entry(&bench, 1, "a.b.c/1");
	say_entry(&bench, 1, "a.b.c/2");
	assert_int_equal(bench.gone, 1);
	assert_string_equal(bench.why, "entry came out of order");
	assert_string_equal(seen.log, "state ");
	bench_close(&bench);

	/* a lane that was never begun */
	bench_open(&bench);
	say_ack(&bench, 1);
	assert_int_equal(bench.gone, 1);
	bench_close(&bench);
}

static const struct CMUnitTest records_link_tests[] = {
	cmocka_unit_test(link__carries_a_repository_from_begin_to_ack),
	cmocka_unit_test(link__keeps_lanes_apart),
	cmocka_unit_test(link__frees_a_lane_whose_scan_is_refused),
	cmocka_unit_test(link__aborts_a_claim_only_once_it_is_answered),
	cmocka_unit_test(link__ignores_what_crossed_an_abort),
	cmocka_unit_test(link__lets_a_handler_abort_its_own_lane),
	cmocka_unit_test(link__stops_reading_while_a_lane_holds),
	cmocka_unit_test(link__tells_when_there_is_room_again),
	cmocka_unit_test(link__ends_with_an_indexer_that_is_gone),
	cmocka_unit_test(link__ends_with_an_indexer_that_breaks_the_order),
};

UNIT_MAIN(records_link_tests)
