/*
 * fake-peer HOSTS - the network of peer.h on 127.0.0.1, for Backfilld::FakePeer.
 *
 * Prints one line with its ports, that of the directory and relay first, then
 * those of the PDSs.  Ends with its standard input.  The test's own requests go to
 * the first port:
 *
 *	/-/add?count=&host=&records=&chive=	more repositories; the first's number
 *	/-/set?number=&count=&FIELD=...		change them; touch=1: a new version
 *	/-/fault?kind=&on=&host=&did=&skip=&times=...	its number (peer_fault.c)
 *	/-/clear				no faults any more
 *	/-/stop?host= and /-/start?host=	its port closes, with all connections
 *	/-/warm					make the heads of all repositories
 *	/-/forget				the ledger is empty
 *	/-/ledger	{requests: {"HOST NAME": n}, faults: [n], most: [n], log: [...]}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "t/peer/peer.h"

#define COUNTERS	512
#define LOG_ENTRIES	4000	/* the oldest are forgotten */

struct counter {
	unsigned host;
	char name[40];
	uint64_t n;
};

struct entry {
	int64_t at_ms;
	unsigned host;
	char name[40], did[PEER_DID_SIZE];
};

struct peer {
	struct peer_world world;
	struct peer_faults *faults;
	struct peer_http *http;
	struct counter counters[COUNTERS];
	size_t counter_count;
	struct entry log[LOG_ENTRIES];
	uint64_t log_count;
};

/* --- the ledger --- */

static void
enter(struct peer *peer, const struct peer_request *request)
{
	struct entry *entry = &peer->log[peer->log_count++ % LOG_ENTRIES];
	struct str did = request_param(request, "did");
	size_t i = 0;

	*entry = (struct entry){ .at_ms = clock_mono_ms(), .host = request->host };
	(void)snprintf(entry->name, sizeof(entry->name), "%.*s", STR_FMT(request->name));
	(void)str_copy(entry->did, sizeof(entry->did), did);
	while (i < peer->counter_count && (peer->counters[i].host != request->host ||
	    strcmp(peer->counters[i].name, entry->name) != 0))
		i++;
	if (i == COUNTERS)
		return;
	if (i == peer->counter_count)
		peer->counters[peer->counter_count++].n = 0;
	peer->counters[i].host = request->host;
	(void)strcpy(peer->counters[i].name, entry->name);
	peer->counters[i].n++;
}

static void
write_log(const struct peer *peer, struct json *json)
{
	uint64_t first = peer->log_count > LOG_ENTRIES ? peer->log_count - LOG_ENTRIES : 0;

	json_array_begin(json);
	for (uint64_t i = first; i < peer->log_count; i++) {
		const struct entry *entry = &peer->log[i % LOG_ENTRIES];

		json_object_begin(json);
		json_member_u64(json, STR("at_ms"), (uint64_t)entry->at_ms);
		json_member_u64(json, STR("host"), entry->host);
		json_member_str(json, STR("name"), str_from(entry->name));
		json_member_str(json, STR("did"), str_from(entry->did));
		json_object_end(json);
	}
	json_array_end(json);
}

static void
write_ledger(const struct peer *peer, struct buf *to)
{
	struct json json = json_to(to);
	char name[64];

	json_object_begin(&json);
	json_name(&json, STR("requests"));
	json_object_begin(&json);
	for (size_t i = 0; i < peer->counter_count; i++) {
		(void)snprintf(name, sizeof(name), "%u %s", peer->counters[i].host,
		    peer->counters[i].name);
		json_member_u64(&json, str_from(name), peer->counters[i].n);
	}
	json_object_end(&json);
	json_name(&json, STR("most"));
	json_array_begin(&json);
	for (unsigned i = 0; i <= peer->world.hosts; i++)
		json_u64(&json, peer_http_most(peer->http, i));
	json_array_end(&json);
	json_name(&json, STR("log"));
	write_log(peer, &json);
	json_name(&json, STR("faults"));
	faults_list(peer->faults, to);
	json_object_end(&json);
}

/* --- the test's requests --- */

static void
add(struct peer *peer, const struct peer_request *request, struct buf *to)
{
	uint64_t count = request_number(request, "count", 1);

	buf_printf(to, "%zu", peer->world.count);
	for (uint64_t i = 0; i < count; i++) {
		struct peer_repo *repo = world_add(&peer->world);

		repo->version = 1;
		repo->host = repo->doc_host = (uint8_t)request_number(request, "host", 1);
		repo->records = (uint16_t)request_number(request, "records", 3);
		repo->has_chive = request_number(request, "chive", 0) != 0;
	}
}

static void
set_one(struct peer_repo *repo, const struct peer_request *request)
{
	struct str endpoint = request_param(request, "endpoint");

	repo->version += (uint32_t)request_number(request, "touch", 0);
	repo->version = (uint32_t)request_number(request, "version", repo->version);
	repo->host = (uint8_t)request_number(request, "host", repo->host);
	repo->doc_host = (uint8_t)request_number(request, "doc_host", repo->doc_host);
	repo->doc_key = (uint8_t)request_number(request, "doc_key", repo->doc_key);
	repo->commit_key = (uint8_t)request_number(request, "commit_key",
	    repo->commit_key);
	repo->status = (uint8_t)request_number(request, "status", repo->status);
	repo->is_tombstoned = request_number(request, "tombstoned",
	    repo->is_tombstoned) != 0;
	if (endpoint.len > 0) {
		free(repo->endpoint);
		repo->endpoint = xstrndup(endpoint.ptr, endpoint.len);
	}
	repo->is_unlisted = request_number(request, "unlisted", repo->is_unlisted) != 0;
	/* Another key signs another commit. */
	repo->head_version = 0;
}

static void
set(struct peer *peer, const struct peer_request *request)
{
	uint64_t first = request_number(request, "number", 0);
	uint64_t count = request_number(request, "count", 1);

	for (uint64_t i = first; i < first + count && i < peer->world.count; i++)
		set_one(world_repo(&peer->world, i), request);
}

static void
control(struct peer *peer, const struct peer_request *request,
    struct peer_answer *answer)
{
	struct str verb = { request->path.ptr + 3, request->path.len - 3 };
	unsigned host = (unsigned)request_number(request, "host", 1);
	struct buf *to = &answer->body;

	if (str_eq(verb, STR("ledger"))) {
		write_ledger(peer, to);
		return;
	}
	if (str_eq(verb, STR("add"))) {
		add(peer, request, to);
		return;
	}
	if (str_eq(verb, STR("set")))
		set(peer, request);
	else if (str_eq(verb, STR("clear")))
		faults_clear(peer->faults);
	else if (str_eq(verb, STR("stop")) && host <= peer->world.hosts)
		peer_http_stop(peer->http, host);
	else if (str_eq(verb, STR("forget")))
		peer->counter_count = peer->log_count = 0;
	else if (str_eq(verb, STR("warm")))
		for (size_t i = 0; i < peer->world.count; i++)
			(void)world_head(&peer->world, i);
	else if (str_eq(verb, STR("start")) && host <= peer->world.hosts &&
	    peer_http_restart(peer->http, host, peer->world.ports[host]) == 0)
		host = 0;
	else if (str_eq(verb, STR("fault"))) {
		buf_printf(to, "%d", faults_add(peer->faults, request));
		return;
	} else
		answer->status = 400;
	buf_printf(to, "0");
}

static void
on_request(const struct peer_request *request, struct peer_answer *answer, void *arg)
{
	struct peer *peer = arg;

	if (request->host == 0 && str_starts_with(request->path, STR("/-/"))) {
		control(peer, request, answer);
		return;
	}
	enter(peer, request);
	answer_request(&peer->world, request, answer);
	faults_apply(peer->faults, &peer->world, request, answer);
}

static void
on_stdin(struct ev_loop *loop, ev_io *watcher, int revents BF_UNUSED)
{
	char byte;

	if (read(watcher->fd, &byte, 1) <= 0)
		ev_break(loop, EVBREAK_ALL);
}

int
main(int argc, char **argv)
{
	struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
	struct peer *peer = xcalloc(1, sizeof(*peer));
	ev_io input;

	peer->world.hosts = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	if (peer->world.hosts < 1 || peer->world.hosts > PEER_HOSTS_MAX) {
		(void)fprintf(stderr, "usage: fake-peer HOSTS\n");
		return 2;
	}
	peer->faults = faults_new();
	peer->http = peer_http_new(loop, on_request, peer);
	for (unsigned i = 0; i <= peer->world.hosts; i++) {
		peer->world.ports[i] = peer_http_listen(peer->http, i);
		(void)printf("%s%u", i > 0 ? " " : "", peer->world.ports[i]);
	}
	(void)printf("\n");
	(void)fflush(stdout);
	ev_io_init(&input, on_stdin, STDIN_FILENO, EV_READ);
	ev_io_start(loop, &input);
	(void)ev_run(loop, 0);
	ev_io_stop(loop, &input);
	peer_http_free(&peer->http);
	faults_free(&peer->faults);
	world_clear(&peer->world);
	free(peer);
	ev_loop_destroy(loop);
	return 0;
}
