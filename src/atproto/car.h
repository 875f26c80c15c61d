/*
 * car.h - CAR version 1 framing, over bytes that the caller holds.
 *
 * A pull parser without a buffer of its own: the caller shows what it has from
 * car->offset on; the parser takes one header or block, or says that it needs
 * more.  Works for a whole file in memory and for bytes that arrive in pieces of
 * any size.  It does not hash; repo.h does, and is what most callers want.
 */
#ifndef BF_ATPROTO_CAR_H
#define BF_ATPROTO_CAR_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

struct car {
	uint64_t offset;	/* of the first byte not yet taken */
	bool has_root;		/* the header was read */
	struct cid root;	/* the first one; further roots are ignored (spec) */
};

#define CAR_INIT	((struct car){ .offset = 0, .has_root = false })

struct car_block {
	uint64_t offset;	/* of its length, in the CAR */
	uint64_t data_offset;	/* of its content, in the CAR */
	struct bytes cid;	/* binary, of any kind; borrows from the bytes shown */
	struct bytes data;	/* likewise */
};

enum car_step {
	CAR_FAILED = -1,	/* fault is set */
	CAR_MORE,		/* show more from car->offset on, or call car_end() */
	CAR_HEADER,		/* car->root is set */
	CAR_BLOCK,		/* *block_out is set */
};

/*
 * Take the next thing from bytes, which begin at car->offset of the CAR.  It
 * advances car->offset only by whole headers and blocks.  The header is taken
 * first.  A block's CID is only delimited: it may be of a kind that we refuse.
 */
enum car_step car_next(struct car *car, struct bytes bytes, struct car_block *block_out,
    struct fault *fault);

/* No more bytes follow; rest_bytes were left after the last CAR_MORE.  -1 if that
 * cuts something off, or if there was no header. */
int car_end(const struct car *car, uint64_t rest_bytes, struct fault *fault) BF_MUSTCHECK;

void car_write_header(struct buf *to, const struct cid *root);
void car_write_block(struct buf *to, const struct cid *cid, struct bytes data);

#endif
