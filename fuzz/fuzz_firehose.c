/* A frame of a firehose: what is read of it is what its rules say. */
#include "fuzz/fuzz.h"

#include "atproto/did.h"
#include "atproto/firehose.h"
#include "atproto/rkey.h"
#include "common/limits.h"
#include "common/tid.h"

static void
walk_ops(const struct firehose_event *event)
{
	struct dagcbor at = event->ops;

	fuzz_require(event->op_count <= LIMIT_EVENT_OPS);
	for (uint64_t i = 0; i < event->op_count; i++) {
		struct str collection, rkey;
		struct firehose_op op;

		firehose_next_op(&at, &op);
		fuzz_require(path_parse(op.path, &collection, &rkey) == 0);
		fuzz_require(op.action != FIREHOSE_CREATE || !op.has_prev);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct firehose_event event;
	struct fault fault;

	if (firehose_read((struct bytes){ data, size }, &event, &fault) < 0)
		return 0;
	fuzz_require(event.seq <= FIREHOSE_SEQ_MAX);
	fuzz_require(event.did.len == 0 || did_is_valid(event.did));
	fuzz_require(event.rev.len == 0 || tid_is_valid(event.rev));
	if (event.type == FIREHOSE_COMMIT)
		walk_ops(&event);
	return 0;
}
