#include "common/clock.h"
#include "common/limits.h"
#include "indexer/peer_impl.h"

/* The batch of a lane, opened if the lane is free. */
static struct lane *
open_batch(struct peer *peer, const char *what, uint64_t number, struct err *err)
{
	struct lane *lane = peer_find_lane(peer, number);

	if (lane != NULL && (lane->kind != LANE_BATCH || lane->is_ready)) {
		(void)err_set(err, ERR_PROTOCOL, "%s: lane %llu is no open batch", what,
		    (unsigned long long)number);
		return NULL;
	}
	if (lane != NULL)
		return lane;
	if (peer_check_free(peer, what, number, err) == -1)
		return NULL;
	if (peer->lanes_count == LIMIT_LANES) {
		(void)err_set(err, ERR_LIMIT, "%s: %d lanes are open", what, LIMIT_LANES);
		return NULL;
	}
	lane = lane_new_batch(&peer->work->stages, peer, number);
	peer_add_lane(peer, lane);
	return lane;
}

static struct str
text_of(struct bytes bytes)
{
	return (struct str){ (const char *)bytes.ptr, bytes.len };
}

/* Where a worker that was taken over could lie to others is not for it to write. */
static int
check_table(const struct peer *peer, const char *what, uint64_t table, struct err *err)
{
	if (peer->writes_table[table])
		return 0;
	return err_set(err, ERR_PROTOCOL, "%s: table %llu is not one that this type of "
	    "operation may write", what, (unsigned long long)table);
}

int
peer_on_row_put(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_row_put *put = &msg->row_put;
	struct lane *lane;

	if (peer_check_row("row_put", put->table, put->key, err) == -1 ||
	    check_table(peer, "row_put", put->table, err) == -1)
		return -1;
	if (put->value.len > LIMIT_ROW_VALUE_BYTES)
		return err_set(err, ERR_LIMIT, "row_put: a value of %zu bytes",
		    put->value.len);
	if ((lane = open_batch(peer, "row_put", put->lane, err)) == NULL)
		return -1;
	peer_stage(lane, &(struct stage_change){
		.kind = STAGE_ROW_PUT, .table = (uint8_t)put->table,
		.key = text_of(put->key), .record = put->value,
	});
	return 0;
}

int
peer_on_row_delete(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_row_delete *delete = &msg->row_delete;
	struct lane *lane;

	if (peer_check_row("row_delete", delete->table, delete->key, err) == -1 ||
	    check_table(peer, "row_delete", delete->table, err) == -1 ||
	    (lane = open_batch(peer, "row_delete", delete->lane, err)) == NULL)
		return -1;
	peer_stage(lane, &(struct stage_change){
		.kind = STAGE_ROW_DELETE, .table = (uint8_t)delete->table,
		.key = text_of(delete->key),
	});
	return 0;
}

int
peer_on_row_clear(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_row_clear *clear = &msg->row_clear;
	struct lane *lane;

	if (peer_check_prefix("row_clear", clear->table, clear->prefix, err) == -1 ||
	    check_table(peer, "row_clear", clear->table, err) == -1 ||
	    (lane = open_batch(peer, "row_clear", clear->lane, err)) == NULL)
		return -1;
	peer_stage(lane, &(struct stage_change){
		.kind = STAGE_ROW_CLEAR, .table = (uint8_t)clear->table,
		.key = text_of(clear->prefix),
	});
	return 0;
}

/* A worker's clock is ours; a time that is not yet would keep the repository from
 * being checked again. */
int
peer_on_checked(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_checked *checked = &msg->checked;
	uint64_t now_ms = (uint64_t)clock_wall_ms();
	struct lane *lane;

	if (checked->did.len == 0 || checked->did.len > LIMIT_DID_BYTES)
		return err_set(err, ERR_LIMIT, "checked: a DID of %zu bytes",
		    checked->did.len);
	if ((lane = open_batch(peer, "checked", checked->lane, err)) == NULL)
		return -1;
	peer_stage(lane, &(struct stage_change){
		.kind = STAGE_CHECKED, .key = checked->did,
		.at_ms = (int64_t)(checked->at_ms < now_ms ? checked->at_ms : now_ms),
	});
	return 0;
}

int
peer_on_row_commit(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct lane *lane = open_batch(peer, "row_commit", msg->row_commit.lane, err);

	if (lane == NULL)
		return -1;
	lane->is_counted = msg->row_commit.is_counted;
	peer_make_ready(lane);
	return 0;
}
