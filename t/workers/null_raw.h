/*
 * null_raw.h - what null-op says past the harness, straight to fd 3.
 */
#ifndef BF_T_WORKERS_NULL_RAW_H
#define BF_T_WORKERS_NULL_RAW_H

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

#endif
