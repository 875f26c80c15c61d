/*
 * worker_rig.h - a real worker process between a supervisor and an indexer that
 * a test plays.
 *
 * rig_start() execs a worker as the supervisor would; the test then talks to it
 * on the other ends of fd 3 and fd 4.  Everything waits at most RIG_WAIT_MS and
 * then fails the test.
 */
#ifndef BF_T_UNIT_WORKER_RIG_H
#define BF_T_UNIT_WORKER_RIG_H

#include <sys/types.h>

#include "proto/client.h"

#define RIG_WAIT_MS	20000

struct rig {
	pid_t pid;		/* 0 once it is reaped */
	struct client control;	/* the supervisor's end of fd 3 */
	struct client records;	/* the indexer's end of fd 4 */
	int spill_fd;		/* what assign carries; -1: nothing */
};

/* Where a program of the build is; `program` is relative to the build directory. */
void rig_program_path(const char *program, char *path, size_t size);

void rig_start(struct rig *rig, const char *program);

/* Say a setting; before rig_assign(). */
void rig_set(struct rig *rig, const char *name, const char *value);

/* Wait for its hello, answer, and hand out the operation with a spill file. */
void rig_assign(struct rig *rig, const struct msg_assign *assign);

void rig_say(struct client *client, const struct msg *msg);

/* The next message of this type; others are passed over.  Good until the next
 * call for the same client. */
struct msg rig_expect(struct client *client, enum msg_type type);

/* The next message of any type but `confined`, of which a worker says a few, and the
 * `pong` that says that it answers pings. */
struct msg rig_next(struct client *client);

/* The next message; does not wait if something can be read. */
struct msg rig_hear(struct client *client);

/* Until it has ended; a wait(2) status. */
int rig_wait(struct rig *rig);

/* Takes the process with it if it is still there. */
void rig_end(struct rig *rig);

#endif
