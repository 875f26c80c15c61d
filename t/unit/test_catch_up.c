/*
 * test_catch_up.c - the executable catch-up and 150 real events of a relay: what is
 * in the index afterwards is what the vectors say that these events did.
 *
 * The test is its supervisor, its indexer, the relay and the directory, whose
 * documents name the test's own server as everybody's PDS.
 */
#include "t/unit/unit.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atproto/firehose.h"
#include "atproto/sha256.h"
#include "common/exitcode.h"
#include "rows/cursor_row.h"
#include "rows/row_table.h"
#include "t/unit/fake_indexer.h"
#include "t/unit/fetch_server.h"
#include "t/unit/vectors.h"
#include "t/unit/worker_rig.h"
#include "t/unit/ws_server.h"

#define DATA		"jetstream/internal/corpus/testdata/"
#define FIRST_SEQ	31527015322
#define LAST_SEQ	31527015471
#define EVENTS		150
#define COMMITS		148
#define PATIENCE_S	120.

struct scene {
	struct ev_loop *loop;
	struct rig rig;
	struct fake_indexer indexer;
	struct ws_server relay;
	struct fetch_server *server;
	struct ev_io control;
	struct ev_timer deadline;
	json_t *docs;
	char selection[17];
	struct msg_done done;
	bool is_done;
};

/* --- before: the index as the events found it --- */

/* As sync_env.c names the list "*". */
static void
name_selection(char name_out[17])
{
	struct sha256 *sha = sha256_new();
	uint8_t digest[SHA256_BYTES];

	sha256_digest(sha, (struct bytes){ (const uint8_t *)"* ", 2 }, digest);
	for (int i = 0; i < 8; i++)
		(void)sprintf(name_out + 2 * i, "%02x", digest[i]);
	sha256_free(&sha);
}

static void
prepare_repo(struct scene *scene, const struct firehose_event *event)
{
	struct dagcbor at = event->ops;
	struct fake_repo *repo;
	char did[128];

	assert_true(str_copy(did, sizeof(did), event->did));
	repo = fake_indexer_repo(&scene->indexer, did);
	(void)str_copy(repo->rev, sizeof(repo->rev), event->since);
	(void)strcpy(repo->status, "active");
	(void)strcpy(repo->selection, scene->selection);
	(void)snprintf(repo->pds_url, sizeof(repo->pds_url), "%s",
	    fetch_server_origin(scene->server));
	repo->data = event->prev_data;
	repo->commit = event->prev_data;	/* is not looked at */
	repo->has_cids = true;
	for (uint64_t i = 0; i < event->op_count; i++) {
		struct firehose_op op;

		firehose_next_op(&at, &op);
		if (op.has_prev)
			fake_records_put(&repo->records, op.path, &op.prev, 1);
	}
}

/* The document, with the test's server in place of the account's. */
static void
serve_document(struct scene *scene, struct str did)
{
	char name[128], path[160];
	json_t *doc, *service;
	char *text;
	size_t i;

	assert_true(str_copy(name, sizeof(name), did));
	doc = json_deep_copy(json_object_get(scene->docs, name));
	assert_non_null(doc);
	json_array_foreach(json_object_get(doc, "service"), i, service)
		(void)json_object_set_new(service, "serviceEndpoint",
		    json_string(fetch_server_origin(scene->server)));
	text = json_dumps(doc, 0);
	(void)snprintf(path, sizeof(path), "/%s", name);
	fetch_server_serve(scene->server, path, "200 OK", "application/did+ld+json",
	    text, strlen(text));
	free(text);
	json_decref(doc);
}

typedef void event_fn(struct scene *scene, const struct firehose_event *event,
    struct bytes frame);

static void
each_frame(struct scene *scene, event_fn *fn)
{
	struct buf frames = vectors_read(DATA "frames.bin");

	while (buf_len(&frames) > 0) {
		struct firehose_event event;
		struct fault fault;
		struct bytes frame;
		uint32_t len;

		memcpy(&len, buf_data(&frames), sizeof(len));
		buf_consume(&frames, sizeof(len));
		frame = (struct bytes){ buf_data(&frames), le32toh(len) };
		assert_int_equal(firehose_read(frame, &event, &fault), 0);
		fn(scene, &event, frame);
		buf_consume(&frames, frame.len);
	}
	buf_clear(&frames);
}

static void
prepare(struct scene *scene, const struct firehose_event *event, struct bytes frame)
{
	ws_server_frame(&scene->relay, 0x82, frame.ptr, frame.len);
	if (event->type != FIREHOSE_COMMIT)
		return;
	prepare_repo(scene, event);
	serve_document(scene, event->did);
}

/* --- the run --- */

static void
on_control(struct ev_loop *loop, struct ev_io *io, int revents BF_UNUSED)
{
	struct scene *scene = io->data;
	struct msg msg = rig_hear(&scene->rig.control);

	if (msg.type == MSG_TYPE_FAIL)
		fail_msg("%.*s: %.*s", STR_FMT(msg.fail.class), STR_FMT(msg.fail.text));
	if (msg.type == MSG_TYPE_ITEM_FAILED)
		fail_msg("%.*s: %.*s", STR_FMT(msg.item_failed.item),
		    STR_FMT(msg.item_failed.text));
	if (msg.type != MSG_TYPE_DONE)
		return;
	scene->done = msg.done;
	scene->is_done = true;
	ev_break(loop, EVBREAK_ALL);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer BF_UNUSED,
    int revents BF_UNUSED)
{
	fail_msg("catch-up does not end");
}

static void
scene_open(struct scene *scene)
{
	*scene = (struct scene){ .loop = ev_loop_new(EVFLAG_AUTO) };
	name_selection(scene->selection);
	scene->docs = vectors_json(DATA "did_docs.json");
	scene->server = fetch_server_new(scene->loop);
	ws_server_init(&scene->relay, scene->loop);
	rig_start(&scene->rig, "catch-up");
	fake_indexer_init(&scene->indexer, scene->loop, dup(scene->rig.records.fd));
	ev_timer_init(&scene->deadline, on_deadline, PATIENCE_S, 0);
	ev_timer_start(scene->loop, &scene->deadline);
}

static void
scene_run(struct scene *scene)
{
	char relay[64];

	(void)snprintf(relay, sizeof(relay), "http://127.0.0.1:%u", scene->relay.port);
	rig_set(&scene->rig, "relay_url", relay);
	rig_set(&scene->rig, "relay_idle_ms", "1000");
	rig_set(&scene->rig, "plc_directory", fetch_server_origin(scene->server));
	rig_set(&scene->rig, "allow_private_addresses", "true");
	rig_set(&scene->rig, "allow_plain_http", "true");
	rig_set(&scene->rig, "host_requests_per_s", "100000");
	rig_set(&scene->rig, "host_connections", "8");
	rig_assign(&scene->rig, &(struct msg_assign){ .id = STR("3migo7fijwi2k"),
	    .type = STR("catch-up"), .attempt = 1 });
	ev_io_init(&scene->control, on_control, scene->rig.control.fd, EV_READ);
	scene->control.data = scene;
	ev_io_start(scene->loop, &scene->control);
	ev_run(scene->loop, 0);
	assert_true(scene->is_done);
}

static void
scene_close(struct scene *scene)
{
	int status = rig_wait(&scene->rig);

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK);
	ev_io_stop(scene->loop, &scene->control);
	ev_timer_stop(scene->loop, &scene->deadline);
	fake_indexer_clear(&scene->indexer);
	ws_server_clear(&scene->relay);
	fetch_server_free(&scene->server);
	rig_end(&scene->rig);
	json_decref(scene->docs);
	ev_loop_destroy(scene->loop);
}

/* --- afterwards --- */

static void
expect_applied(struct scene *scene, const struct firehose_event *event,
    struct bytes frame BF_UNUSED)
{
	struct dagcbor at = event->ops;
	const struct fake_repo *repo;
	char did[128], path[1024];

	if (event->type != FIREHOSE_COMMIT)
		return;
	assert_true(str_copy(did, sizeof(did), event->did));
	repo = fake_indexer_repo(&scene->indexer, did);
	assert_true(str_eq(event->rev, str_from(repo->rev)));
	assert_true(cid_eq(&repo->commit, &event->commit));
	for (uint64_t i = 0; i < event->op_count; i++) {
		const struct fake_record *record;
		struct firehose_op op;

		firehose_next_op(&at, &op);
		assert_true(str_copy(path, sizeof(path), op.path));
		record = fake_records_get(&repo->records, path);
		if (op.action == FIREHOSE_DELETE)
			assert_null(record);
		else
			assert_true(record != NULL && cid_eq(&record->cid, &op.cid));
	}
}

/* The tree's root that the vectors tell, computed by another implementation. */
static void
expect_data(struct str line, void *arg)
{
	struct scene *scene = arg;
	json_t *want = json_loadb(line.ptr, line.len, 0, NULL);
	struct str data = vectors_member(want, "data");
	struct cid cid;

	if (data.len > 0) {
		const char *did = json_string_value(json_object_get(want, "did"));

		assert_int_equal(cid_parse(data, &cid), 0);
		assert_true(cid_eq(&fake_indexer_repo(&scene->indexer, did)->data, &cid));
	}
	json_decref(want);
}

static void
set_position(struct scene *scene, uint64_t seq, uint64_t time_ms)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	struct cursor_row row = { .seq = seq, .time_ms = time_ms };
	char relay[64];

	(void)snprintf(relay, sizeof(relay), "http://127.0.0.1:%u", scene->relay.port);
	cursor_row_relay_key(&key, str_from(relay));
	cursor_row_encode(&value, &row);
	fake_rows_put(&scene->indexer, ROW_CURSOR, buf_bytes(&key), buf_bytes(&value));
	buf_clear(&key);
	buf_clear(&value);
}

static uint64_t
position(struct scene *scene)
{
	struct buf key = BUF_INIT;
	const struct fake_row *found;
	struct cursor_row row;
	char relay[64];

	(void)snprintf(relay, sizeof(relay), "http://127.0.0.1:%u", scene->relay.port);
	cursor_row_relay_key(&key, str_from(relay));
	found = fake_rows_get(&scene->indexer, ROW_CURSOR, buf_bytes(&key));
	assert_non_null(found);
	assert_int_equal(cursor_row_decode(found->key, found->value, &row), 0);
	buf_clear(&key);
	return row.seq;
}

static void
the_real_events_do_what_the_vectors_say(void **state BF_UNUSED)
{
	struct scene *scene;

	vectors_need();
	scene = calloc(1, sizeof(*scene));
	scene_open(scene);
	each_frame(scene, prepare);
	set_position(scene, FIRST_SEQ - 1, 1783175888000);
	scene_run(scene);
	assert_int_equal(scene->done.processed, EVENTS);
	assert_int_equal(scene->done.failed, 0);
	assert_int_equal(scene->indexer.commits, COMMITS);
	assert_int_equal(scene->indexer.bad_cids, 0);
	assert_int_equal(fake_rows_in(&scene->indexer, ROW_DESYNC), 0);
	assert_int_equal(position(scene), LAST_SEQ);
	each_frame(scene, expect_applied);
	vectors_lines("derived/jetstream_frames_summary.jsonl", expect_data, scene);
	scene_close(scene);
	free(scene);
}

static const struct CMUnitTest catch_up_tests[] = {
	cmocka_unit_test(the_real_events_do_what_the_vectors_say),
};

UNIT_MAIN(catch_up_tests)
