/*
 * indexer_unit.h - a real backfill-indexer for a test, and peers to talk to it.
 *
 * The test plays the supervisor on the control channel and the workers and
 * readers on record channels.  Every wait has a deadline and fails the test.
 */
#ifndef BF_T_INDEXER_UNIT_H
#define BF_T_INDEXER_UNIT_H

#include <sys/types.h>

#include "proto/client.h"
#include "t/unit/tempdir.h"

struct daemon {
	char *state_dir;
	pid_t pid;			/* 0: not running */
	struct client control;
	size_t file_limit_bytes;	/* RLIMIT_FSIZE of the next start; 0: none */
};

/* For cmocka: *state is a struct daemon that has been started. */
int daemon_setup(void **state);
int daemon_teardown(void **state);	/* fails unless it ends with status 0 */

void daemon_start(struct daemon *daemon);

/* The two halves of that: run it and send its settings; wait for its hello. */
void daemon_spawn(struct daemon *daemon);
void daemon_hear_ready(struct daemon *daemon);
void daemon_kill(struct daemon *daemon);		/* SIGKILL, and reap */
int daemon_wait(struct daemon *daemon);			/* wait(2) status */
int daemon_stop(struct daemon *daemon);			/* end of file, then wait */

/* Attach a peer and exchange hello.  It may write all tables but ROWS_OF_OTHERS. */
void peer_attach(struct daemon *daemon, struct client *peer, const char *op_id,
    bool may_write);
/* As peer_attach(), but the peer has said nothing yet. */
void peer_attach_silent(struct daemon *daemon, struct client *peer, bool may_write);

void peer_say(struct client *peer, struct msg msg);

/* The next message, which must be of this type. */
struct msg peer_hear(struct client *peer, enum msg_type type);
void assert_closed(struct client *peer);

/* Messages of a writer, and whole conversations. */
void say_begin(struct client *peer, uint64_t lane, const char *did);
void say_scan(struct client *peer, uint64_t lane);
void say_put(struct client *peer, uint64_t lane, const char *path, uint32_t version,
    size_t record_bytes);
void say_delete(struct client *peer, uint64_t lane, const char *path);
void say_commit(struct client *peer, uint64_t lane, const char *rev);
void open_lane(struct client *peer, uint64_t lane, const char *did); /* not busy */

/* A whole repository on lane 1: the records a/0, a/1, ... */
void say_repo(struct client *worker, const char *did, unsigned records);

/* Messages of a batch of rows, all in one table. */
#define ROWS_TABLE	4
#define ROWS_OF_OTHERS	9
struct bytes bytes_of(const char *text);
void say_row_put(struct client *peer, uint64_t lane, const char *key,
    const char *value);
void say_row_delete(struct client *peer, uint64_t lane, const char *key);
void say_row_clear(struct client *peer, uint64_t lane, unsigned table,
    const char *prefix);
void say_checked(struct client *peer, uint64_t lane, const char *did, uint64_t at_ms);
void say_row_commit(struct client *peer, uint64_t lane, bool is_counted);

/* The next message is this ack. */
void assert_acked(struct client *peer, uint64_t lane, uint64_t created,
    uint64_t updated, uint64_t deleted);

/* The CID and the record that say_put() sends for a version. */
struct bytes cid_of(uint32_t version, uint8_t cid[36]);
bool is_record_of(struct bytes record, uint32_t version);
uint32_t version_of(struct bytes cid);

#endif
