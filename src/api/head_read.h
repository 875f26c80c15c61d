/*
 * head_read.h - the headers of a request, from libmicrohttpd into struct head.
 */
#ifndef BF_API_HEAD_READ_H
#define BF_API_HEAD_READ_H

#include <microhttpd.h>

#include "api/head.h"

/*
 * In the first call of the access handler, while the request line and the headers lie
 * as they were received.  target is as it is there now, target_len as it was before it
 * was taken apart.  ERR_INVALID, ERR_LIMIT: it cannot be trusted, and why.
 */
int head_read(struct MHD_Connection *mhd, const char *target, size_t target_len,
    const char *version, struct head *head, struct err *err) BF_MUSTCHECK;

#endif
