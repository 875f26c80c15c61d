/*
 * op_codec.h - an operation as the body of a value in the table `op`.
 *
 * The fields of op.h under their numbers (fields_codec.h).  OP_VERSION is the
 * version that stands in front of the body; when it is raised, the decoder of
 * each older version stays here (docs/store.md).
 */
#ifndef BF_STORE_OP_CODEC_H
#define BF_STORE_OP_CODEC_H

#include "common/attr.h"
#include "common/buf.h"
#include "op/op.h"

void op_encode(struct buf *to, const struct op *op);

/* The text of op_out points into body.  -1 if body is not an operation. */
int op_decode(struct bytes body, struct op *op_out) BF_MUSTCHECK;

#endif
