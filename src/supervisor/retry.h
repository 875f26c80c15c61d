/*
 * retry.h - an operation that runs what failed in an earlier one.
 *
 * It has the type and the parameters of the earlier one, and its id in `items_of`.
 * The items stay with the earlier one; assign.c streams them to the worker.
 */
#ifndef BF_SUPERVISOR_RETRY_H
#define BF_SUPERVISOR_RETRY_H

#include "common/buf.h"
#include "supervisor/opctl.h"

/*
 * Complete a request that has items_of: type and parameters that are not given
 * become those of the earlier operation; its texts are then kept in *texts.
 * Errors: OperationNotFound; InvalidRequest: it has not ended, it is of another
 * type or target, or nothing failed in it that can be run alone.
 */
int retry_complete(struct supervisor *sup, struct op *op, struct buf *texts,
    struct opctl_error *error) BF_MUSTCHECK;

#endif
