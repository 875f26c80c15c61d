/*
 * frame.h - the lowest layer of the wire: a length, then a payload.
 *
 * Shared by channel.c (event loop) and client.c (blocking).
 */
#ifndef BF_PROTO_FRAME_H
#define BF_PROTO_FRAME_H

#include <sys/types.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/str.h"

#define FRAME_HEAD_BYTES	4	/* big-endian length of the payload */

/*
 * Look for a whole frame at the start of what was received.  1: there is one,
 * *payload_out lies FRAME_HEAD_BYTES into the bytes; 0: more is needed; -1:
 * its length is 0 or over max_bytes (ERR_LIMIT), however little has come.
 */
int frame_next(struct bytes received, size_t max_bytes, struct bytes *payload_out,
    struct err *err) BF_MUSTCHECK;

/*
 * recv() that also takes descriptors: up to LIMIT_CHANNEL_FDS go to fds_out,
 * close-on-exec, owned by the caller; fds_out NULL means that none are wanted
 * and the kernel drops them.  Returns as recv().
 */
ssize_t frame_recv(int fd, void *to, size_t size, int *fds_out,
    size_t *fds_count_out) BF_MUSTCHECK;

#endif
