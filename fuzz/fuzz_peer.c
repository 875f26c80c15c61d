/*
 * fuzz_peer.c - the indexer's side of fd 4: a worker that was taken over says anything to
 * a real peer with a real store.
 *
 * The process goes on, the peer is freed when it goes, and nothing of it is left: no
 * lane, no claim, no staged byte, no descriptor.  The store is one for all inputs.
 */
#include "fuzz/fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "fuzz/fuzz_feed.h"
#include "indexer/peer.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"
#include "store/records.h"

#define FLAG_READS	4	/* a reader instead of a writer */
#define FLAG_SILENT	8	/* without our hello in front */
#define TURNS_MOST	2000

static char dir[] = "/tmp/backfilld-fuzz.XXXXXX";
static struct records *records;

struct target {
	struct work work;
	struct peer_list peers;
	struct feed feed;
};

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void
clean_up(void)
{
	records_close(&records);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
open_store(void)
{
	struct err err;

	log_set_level(LOG_LEVEL_ERROR);
	if (mkdtemp(dir) == NULL ||
	    records_open(dir, RECORDS_WRITE, &records, &err) == -1)
		abort();
	(void)atexit(clean_up);
}

static bool
is_over(void *arg)
{
	struct target *target = arg;

	return LIST_EMPTY(&target->peers);
}

static void
turned(void *arg)
{
	struct target *target = arg;

	work_turn(&target->work);
}

static void
attach(struct target *target, struct ev_loop *loop, int fd)
{
	uint8_t tables[LIMIT_ROW_TABLES];
	struct msg_attach attach = { .id = STR("3migo7fijwi2k") };

	for (size_t i = 0; i < sizeof(tables); i++)
		tables[i] = (uint8_t)(i % 2 == 0 ? i + 1 : 0);
	attach.may_write = (target->feed.flags & FLAG_READS) == 0;
	if (attach.may_write)
		attach.tables = (struct bytes){ tables, sizeof(tables) };
	peer_new(&target->work, loop, &target->peers, fd, &attach);
}

static void
say_hello(int fd)
{
	struct buf frame = BUF_INIT;

	msg_pack(&frame, &(struct msg){ .type = MSG_TYPE_HELLO, .hello = {
	    .version = PROTO_VERSION, .program = STR("fuzz"), .pid = 1 } });
	fuzz_require(write(fd, buf_data(&frame), buf_len(&frame)) ==
	    (ssize_t)buf_len(&frame));
	buf_clear(&frame);
}

static void
run(struct target *target, struct ev_loop *loop, int peer_fd)
{
	if ((target->feed.flags & FLAG_SILENT) == 0)
		say_hello(peer_fd);
	feed_send(&target->feed, peer_fd, loop, is_over, turned, target);
	(void)shutdown(peer_fd, SHUT_WR);
	for (int i = 0; i < TURNS_MOST && !LIST_EMPTY(&target->peers); i++) {
		char answers[65536];

		ev_run(loop, EVRUN_NOWAIT);
		turned(target);
		while (recv(peer_fd, answers, sizeof(answers), MSG_DONTWAIT) > 0)
			continue;
	}
}

static void
check(const struct target *target)
{
	fuzz_require(LIST_EMPTY(&target->peers));
	fuzz_require(TAILQ_EMPTY(&target->work.ready));
	fuzz_require(TAILQ_EMPTY(&target->work.running));
	fuzz_require(target->work.stages.memory_used == 0);
	for (size_t i = 0; i < CLAIMS_BUCKETS; i++)
		fuzz_require(LIST_EMPTY(&target->work.claims.buckets[i]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target target = { .peers = LIST_HEAD_INITIALIZER(target.peers) };
	struct ev_loop *loop;
	int open_fds, fds[2];

	if (records == NULL)
		open_store();
	open_fds = feed_open_fds();
	if (feed_init(&target.feed, (struct bytes){ data, size }) == -1)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		abort();
	loop = ev_loop_new(EVFLAG_AUTO);
	work_init(&target.work, records, dir);
	attach(&target, loop, fds[0]);
	run(&target, loop, fds[1]);
	check(&target);
	(void)close(fds[1]);
	ev_loop_destroy(loop);
	feed_clear(&target.feed);
	fuzz_require(feed_open_fds() == open_fds);
	return 0;
}
