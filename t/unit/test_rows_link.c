/*
 * test_rows_link.c - src/workers/rows_link: batches and questions, to the indexer
 * of fake_indexer.h on the same loop.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "common/limits.h"
#include "t/unit/fake_indexer.h"
#include "workers/host_memory.h"
#include "workers/rows_link.h"
#include "workers/sync_env.h"

#define WAIT_SECS	60.
#define TABLE		4

struct bench {
	struct ev_loop *loop;
	struct fake_indexer indexer;
	struct records_link *link;
	struct ev_timer deadline;

	/* what was told */
	struct msg_ack ack;
	char refused[64];
	unsigned acks, ends, states, known, gone;
	struct buf seen;	/* "a=1 b=2 " */
	uint8_t cursor[16];
	size_t cursor_len;
};

static struct bytes
b(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *w BF_UNUSED,
    int revents BF_UNUSED)
{
	fail_msg("waited too long");
}

/* Until so many batches and questions have ended. */
static void
run_until(struct bench *bench, unsigned ends)
{
	while (bench->ends < ends && bench->gone == 0)
		ev_run(bench->loop, EVRUN_ONCE);
	assert_int_equal(bench->ends, ends);
}

/* Let both sides hear all that was said. */
static void
settle(struct bench *bench)
{
	for (int i = 0; i < 50; i++)
		ev_run(bench->loop, EVRUN_NOWAIT);
}

static void
on_gone(struct records_link *link BF_UNUSED, const struct err *why BF_UNUSED, void *arg)
{
	((struct bench *)arg)->gone++;
}

static int
bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	bench->loop = ev_loop_new(EVFLAG_AUTO);
	fake_indexer_init(&bench->indexer, bench->loop, fds[1]);
	bench->link = records_link_new(bench->loop, fds[0], "test", on_gone, bench);
	ev_timer_init(&bench->deadline, on_deadline, WAIT_SECS, 0.);
	ev_timer_start(bench->loop, &bench->deadline);
	*state = bench;
	return 0;
}

static int
bench_teardown(void **state)
{
	struct bench *bench = *state;

	records_link_free(&bench->link);
	fake_indexer_clear(&bench->indexer);
	ev_timer_stop(bench->loop, &bench->deadline);
	ev_loop_destroy(bench->loop);
	buf_clear(&bench->seen);
	free(bench);
	return 0;
}

/* --- what is told --- */

static void
on_ack(const struct msg_ack *ack, void *arg)
{
	struct bench *bench = arg;

	bench->ack = *ack;
	bench->acks++;
	bench->ends++;
}

static void
on_refuse(struct str class, struct str text BF_UNUSED, void *arg)
{
	struct bench *bench = arg;

	assert_true(str_copy(bench->refused, sizeof(bench->refused), class));
	bench->ends++;
}

static void
on_room(void *arg BF_UNUSED)
{
}

static const struct rows_batch_events events = { on_ack, on_refuse, on_room };

static void
on_row(struct bytes key, struct bytes value, void *arg)
{
	struct bench *bench = arg;

	buf_printf(&bench->seen, "%.*s=%.*s ", (int)key.len, (const char *)key.ptr,
	    (int)value.len, (const char *)value.ptr);
}

static void
on_record(const struct msg_record *record, void *arg)
{
	struct bench *bench = arg;

	buf_printf(&bench->seen, "%.*s/%.*s ", STR_FMT(record->did),
	    STR_FMT(record->path));
}

static void
on_repo(const struct msg_repo *repo, void *arg)
{
	struct bench *bench = arg;

	buf_printf(&bench->seen, "%.*s ", STR_FMT(repo->did));
	assert_true(repo->cursor.len <= sizeof(bench->cursor));
	memcpy(bench->cursor, repo->cursor.ptr, repo->cursor.len);
	bench->cursor_len = repo->cursor.len;
}

static void
on_end(const struct msg_refuse *why, void *arg)
{
	struct bench *bench = arg;

	if (why != NULL)
		assert_true(str_copy(bench->refused, sizeof(bench->refused), why->class));
	bench->ends++;
}

static void
on_state(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct bench *bench = arg;

	assert_null(why);
	bench->states++;
	bench->known += state->is_known;
	bench->ends++;
}

static void
on_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	assert_null(why);
	on_ack(tally, arg);
}

/* What was seen since the last time. */
static void
assert_seen(struct bench *bench, const char *expected)
{
	buf_add_byte(&bench->seen, '\0');
	assert_string_equal((const char *)buf_data(&bench->seen), expected);
	buf_reset(&bench->seen);
}

static void
make_repo(struct bench *bench, const char *did, int64_t checked_ms, unsigned records)
{
	struct fake_repo *repo = fake_indexer_repo(&bench->indexer, did);
	struct cid cid = { { 0 } };

	strcpy(repo->status, "active");
	repo->checked_ms = checked_ms;
	for (unsigned i = 0; i < records; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "a.b/%u", i);
		fake_records_put_record(&repo->records, str_from(path), &cid, b("x"));
	}
}

/* --- batches --- */

static void
rows_link__writes_a_batch_and_reads_it_back(void **state)
{
	struct bench *bench = *state;
	struct rows_batch *batch = rows_batch_new(bench->link, &events, bench);

	make_repo(bench, "did:plc:a", 5, 0);
	assert_true(rows_has_room(batch));
	rows_put(batch, TABLE, b("b"), b("2"));
	rows_put(batch, TABLE, b("a"), b("1"));
	rows_put(batch, TABLE + 1, b("z"), b("9"));
	rows_delete(batch, TABLE, b("none"));
	rows_clear(batch, TABLE + 1, b("z"));
	rows_checked(batch, STR("did:plc:a"), 77);
	rows_commit_counted(batch);
	run_until(bench, 1);
	assert_int_equal(bench->ack.created, 3);
	assert_int_equal(bench->ack.deleted, 1);
	assert_int_equal(fake_indexer_repo(&bench->indexer, "did:plc:a")->checked_ms, 77);

	(void)rows_read(bench->link, TABLE, BYTES_NONE, BYTES_NONE, 0, on_row, on_end,
	    bench);
	run_until(bench, 2);
	assert_seen(bench, "a=1 b=2 ");
	(void)rows_read(bench->link, TABLE, BYTES_NONE, b("a"), 1, on_row, on_end, bench);
	(void)rows_get(bench->link, TABLE, b("a"), on_row, on_end, bench);
	(void)rows_get(bench->link, TABLE, b("c"), on_row, on_end, bench);
	run_until(bench, 5);
	assert_seen(bench, "b=2 a=1 ");

	/* Notes of ours are not in the tally. */
	batch = rows_batch_new(bench->link, &events, bench);
	rows_put(batch, TABLE, b("n"), b("1"));
	rows_commit(batch);
	run_until(bench, 6);
	(void)records_tally(bench->link, on_tally, bench);
	run_until(bench, 7);
	assert_int_equal(bench->ack.created, 3);
	assert_int_equal(bench->gone, 0);
}

static void
rows_link__forgets_a_batch_that_is_aborted(void **state)
{
	struct bench *bench = *state;
	struct rows_batch *batch = rows_batch_new(bench->link, &events, bench);

	rows_abort(&batch);	/* nothing was said of it */
	batch = rows_batch_new(bench->link, &events, bench);
	rows_put(batch, TABLE, b("a"), b("1"));
	rows_abort(&batch);
	assert_null(batch);
	batch = rows_batch_new(bench->link, &events, bench);
	rows_put(batch, TABLE, b("b"), b("1"));
	rows_commit(batch);
	rows_abort(&batch);	/* the answer only */
	(void)rows_read(bench->link, TABLE, BYTES_NONE, BYTES_NONE, 0, on_row, on_end,
	    bench);
	run_until(bench, 1);
	assert_seen(bench, "b=1 ");
	assert_int_equal(bench->acks, 0);
	assert_int_equal(bench->indexer.aborts, 1);
	assert_int_equal(bench->gone, 0);
}

static void
rows_link__tells_that_a_batch_is_refused(void **state)
{
	struct bench *bench = *state;
	struct rows_batch *batch = rows_batch_new(bench->link, &events, bench);

	bench->indexer.refuse_commit = "disk-full";
	rows_put(batch, TABLE, b("a"), b("1"));
	rows_commit(batch);
	run_until(bench, 1);
	assert_string_equal(bench->refused, "disk-full");
	assert_int_equal(fake_rows_in(&bench->indexer, TABLE), 0);
}

/* --- questions --- */

static void
rows_link__walks_in_pages(void **state)
{
	struct bench *bench = *state;
	struct records_walk walk = { .collection = STR("a.b"), .limit = 2 };

	make_repo(bench, "did:plc:a", 20, 2);
	make_repo(bench, "did:plc:b", 10, 1);
	(void)records_walk(bench->link, &walk, on_record, on_end, bench);
	run_until(bench, 1);
	assert_seen(bench, "did:plc:a/a.b/0 did:plc:a/a.b/1 ");
	walk.after_did = STR("did:plc:a");
	walk.after_path = STR("a.b/1");
	(void)records_walk(bench->link, &walk, on_record, on_end, bench);
	run_until(bench, 2);
	assert_seen(bench, "did:plc:b/a.b/0 ");
	walk.after_did = STR("did:plc:c");
	(void)records_walk(bench->link, &walk, on_record, on_end, bench);
	run_until(bench, 3);
	assert_string_equal(bench->refused, "not-found");

	(void)repos_walk(bench->link, REPOS_BY_CHECKED, BYTES_NONE, 1, on_repo, on_end,
	    bench);
	run_until(bench, 4);
	assert_seen(bench, "did:plc:b ");
	(void)repos_walk(bench->link, REPOS_BY_CHECKED,
	    (struct bytes){ bench->cursor, bench->cursor_len }, 0, on_repo, on_end, bench);
	run_until(bench, 5);
	assert_seen(bench, "did:plc:a ");
	(void)repos_walk(bench->link, REPOS_BY_ID, BYTES_NONE, 0, on_repo, on_end, bench);
	run_until(bench, 6);
	assert_seen(bench, "did:plc:a did:plc:b ");
}

static void
rows_link__answers_any_number_of_looks(void **state)
{
	struct bench *bench = *state;
	char did[32];

	make_repo(bench, "did:plc:7", 1, 0);
	for (unsigned i = 0; i < 4 * LIMIT_QUESTIONS; i++) {
		(void)snprintf(did, sizeof(did), "did:plc:%u", i);
		(void)records_look(bench->link, str_from(did), on_state, bench);
	}
	run_until(bench, 4 * LIMIT_QUESTIONS);
	assert_int_equal(bench->known, 1);
	assert_int_equal(bench->gone, 0);
}

static void
rows_link__sends_no_more_questions_than_the_indexer_takes(void **state)
{
	struct link_question *questions[LIMIT_QUESTIONS + 2];
	struct bench *bench = *state;

	bench->indexer.is_silent = true;
	for (unsigned i = 0; i < BF_ARRAY_LEN(questions); i++)
		questions[i] = records_look(bench->link, STR("did:plc:a"), on_state, bench);
	settle(bench);
	assert_int_equal(bench->indexer.looks, LIMIT_QUESTIONS);

	/* One that is not wanted any more makes room for the next one. */
	link_question_cancel(&questions[0]);
	assert_null(questions[0]);
	link_question_cancel(&questions[LIMIT_QUESTIONS + 1]);	/* was not sent */
	settle(bench);
	assert_int_equal(bench->indexer.looks, LIMIT_QUESTIONS + 1);
	assert_int_equal(bench->indexer.aborts, 1);
	assert_int_equal(bench->states, 0);
}

static void
rows_link__tells_nothing_of_a_question_that_is_cancelled(void **state)
{
	struct bench *bench = *state;
	struct link_question *question = records_look(bench->link, STR("did:plc:a"),
	    on_state, bench);

	link_question_cancel(&question);
	(void)records_look(bench->link, STR("did:plc:b"), on_state, bench);
	run_until(bench, 1);
	settle(bench);
	assert_int_equal(bench->states, 1);
	assert_int_equal(bench->indexer.looks, 2);	/* its answer was passed over */
	assert_int_equal(bench->gone, 0);
}

static void
rows_link__breaks_off_at_an_answer_to_another_question(void **state)
{
	struct bench *bench = *state;

	bench->indexer.is_silent = true;
	(void)records_look(bench->link, STR("did:plc:a"), on_state, bench);
	settle(bench);
	channel_send(bench->indexer.channel, &(struct msg){ .type = MSG_TYPE_ROW,
	    .row = { .lane = 1, .key = b("a") } });
	settle(bench);
	assert_int_equal(bench->gone, 1);
	assert_int_equal(bench->states, 0);
}

/* --- hosts --- */

static void
on_hosts_ready(const char *why, void *arg)
{
	assert_null(why);
	((struct bench *)arg)->ends++;
}

static void
see_hosts(struct host_memory *hosts, const char *name, unsigned count,
    enum host_source source)
{
	for (unsigned i = 0; i < count; i++) {
		char url[64];

		(void)snprintf(url, sizeof(url), "https://h%u.%s.example", i, name);
		host_memory_see(hosts, str_from(url), source);
	}
}

static void
hosts_of_documents__leave_room_for_those_of_relay_and_operator(void **state)
{
	struct bench *bench = *state;
	struct settings settings;
	struct sync_env env = { .loop = bench->loop, .records = bench->link,
		.settings = &settings };
	struct host_memory *hosts;

	settings_init(&settings);
	hosts = host_memory_new(&env, NULL, on_hosts_ready, bench);
	run_until(bench, 1);
	see_hosts(hosts, "document", LIMIT_HOSTS_OF_DOCUMENTS + 10, HOST_FROM_DOCUMENT);
	assert_int_equal(host_memory_count(hosts), LIMIT_HOSTS_OF_DOCUMENTS);
	see_hosts(hosts, "relay", LIMIT_FETCH_HOSTS, HOST_FROM_RELAY);
	assert_int_equal(host_memory_count(hosts), LIMIT_FETCH_HOSTS);
	see_hosts(hosts, "operator", 2, HOST_FROM_CONFIG);
	assert_int_equal(host_memory_count(hosts), LIMIT_FETCH_HOSTS + 2);
	host_memory_free(&hosts);
	settings_clear(&settings);
}

static const struct CMUnitTest rows_link_tests[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
	TEST(rows_link__writes_a_batch_and_reads_it_back),
	TEST(rows_link__forgets_a_batch_that_is_aborted),
	TEST(rows_link__tells_that_a_batch_is_refused),
	TEST(rows_link__walks_in_pages),
	TEST(rows_link__answers_any_number_of_looks),
	TEST(rows_link__sends_no_more_questions_than_the_indexer_takes),
	TEST(rows_link__tells_nothing_of_a_question_that_is_cancelled),
	TEST(rows_link__breaks_off_at_an_answer_to_another_question),
	TEST(hosts_of_documents__leave_room_for_those_of_relay_and_operator),
};

UNIT_MAIN(rows_link_tests)
