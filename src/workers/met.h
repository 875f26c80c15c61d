/*
 * met.h - what a worker met since it last told (op/op_met.h).  Part of the harness
 * (worker.c); the owner is the one who counts, nothing is allocated.
 */
#ifndef BF_WORKERS_MET_H
#define BF_WORKERS_MET_H

#include <stdint.h>

#include "op/op_met.h"
#include "proto/channel.h"

struct met {
	uint64_t counts[OP_MET_COUNT];	/* by enum op_met; all 0 is none */
};

/* A failed item, by any word that it may be said with. */
void met_item(struct met *met, const char *error_class);

/* Tell what there is, and begin again at 0. */
void met_tell(struct met *met, struct channel *to);

#endif
