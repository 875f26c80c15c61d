/*
 * null_raw.h - what null-op says past the harness, straight to fd 3.
 */
#ifndef BF_T_WORKERS_NULL_RAW_H
#define BF_T_WORKERS_NULL_RAW_H

#include "common/str.h"

#define RANDOM_FRAMES	20000

struct null_op;

/* Progress until SIGTERM: what the others go on with. */
void null_run(struct null_op *job);

void null_flood(struct null_op *job);
void null_done_hang(struct null_op *job);
void null_done_go_on(struct null_op *job);
void null_long_text(struct null_op *job);
void null_garbage(struct null_op *job);
void null_huge_frame(struct null_op *job);
void null_wrong_sender(struct null_op *job);
void null_close(struct null_op *job);

/* RANDOM_FRAMES messages of a worker with random contents, then one that is none.
 * All of it follows from the seed's text, which is the DID. */
void null_random_frames(struct null_op *job, struct str seed);

#endif
