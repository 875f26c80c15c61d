#include "common/clock.h"
#include "common/limits.h"
#include "indexer/peer_impl.h"

/* A repository that is open and not being committed. */
static struct lane *
open_lane(struct peer *peer, const char *what, uint64_t number, struct err *err)
{
	struct lane *lane = peer_find_lane(peer, number);

	if (lane == NULL || lane->is_ready || lane->kind != LANE_REPO) {
		(void)err_set(err, ERR_PROTOCOL, "%s: lane %llu is not open", what,
		    (unsigned long long)number);
		return NULL;
	}
	return lane;
}

/* What the index knows of a repository; not to know it is an answer too. */
static int
answer_state(struct peer *peer, uint64_t lane, struct str did, struct err *err)
{
	struct repo_row row = { .id = 0 };
	struct records_read *read;
	int rc;

	if (records_read_begin(peer->work->records, &read, err) == -1)
		return -1;
	rc = records_get_repo(read, did, &row, err);
	if (rc == -1 && err->code == ERR_NOT_FOUND)
		rc = 0;
	if (rc == 0)
		scan_send_state(peer->channel, lane, &row);
	records_read_end(&read);
	return rc;
}

int
peer_on_begin(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct work *work = peer->work;
	uint64_t number = msg->begin.lane;
	struct str did = msg->begin.did;
	struct lane *lane;
	struct err why;

	if (peer_check_free(peer, "begin", number, err) == -1)
		return -1;
	if (peer->lanes_count == LIMIT_LANES)
		return err_set(err, ERR_LIMIT, "begin: %d lanes are open", LIMIT_LANES);
	if (!str_starts_with(did, STR("did:")) || did.len > LIMIT_DID_BYTES ||
	    !str_is_visible(did))
		return err_set(err, ERR_PROTOCOL, "begin: not a DID");

	lane = lane_new(&work->claims, &work->stages, peer, number, did);
	if (lane == NULL) {
		channel_send(peer->channel, &(struct msg){ .type = MSG_TYPE_STATE,
		    .state = { .lane = number, .is_busy = true } });
		return 0;
	}
	peer_add_lane(peer, lane);
	if (answer_state(peer, number, did, &why) == -1) {
		peer_refuse(peer, number, &why);
		peer_drop_lane(peer, lane);
	}
	return 0;
}

int
peer_on_scan(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct lane *lane = open_lane(peer, "scan", msg->scan.lane, err);

	if (lane == NULL)
		return -1;
	if (lane->is_refused)
		return 0;
	if (peer_find_scan(peer, lane->number) != NULL)
		return err_set(err, ERR_PROTOCOL, "scan: lane %llu is being scanned",
		    (unsigned long long)lane->number);
	peer_start_scan(peer, &(struct scan_ask){
		.kind = SCAN_ENTRIES, .lane = lane->number, .did = str_from(lane->did),
	});
	return 0;
}

int
peer_on_put(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_put *put = &msg->put;
	struct lane *lane = open_lane(peer, "put", put->lane, err);
	struct str collection;

	if (lane == NULL)
		return -1;
	if (records_check_path(put->path, &collection, err) == -1)
		return err_wrap(err, "put");
	if (put->cid.len != LIMIT_CID_BYTES)
		return err_set(err, ERR_PROTOCOL, "put: a CID of %zu bytes", put->cid.len);
	if (put->record.len == 0 || put->record.len > LIMIT_RECORD_BYTES)
		return err_set(err, ERR_LIMIT, "put: a record of %zu bytes",
		    put->record.len);
	peer_stage(lane, &(struct stage_change){
		.kind = STAGE_PUT, .key = put->path, .cid = put->cid,
		.record = put->record,
	});
	return 0;
}

int
peer_on_delete(struct peer *peer, const struct msg *msg, struct err *err)
{
	struct lane *lane = open_lane(peer, "delete", msg->delete.lane, err);
	struct str collection;

	if (lane == NULL)
		return -1;
	if (records_check_path(msg->delete.path, &collection, err) == -1)
		return err_wrap(err, "delete");
	peer_stage(lane, &(struct stage_change){
		.kind = STAGE_DELETE, .key = msg->delete.path,
	});
	return 0;
}

static int
check_commit(struct peer *peer, const struct msg_commit *commit, struct err *err)
{
	if (peer_find_scan(peer, commit->lane) != NULL)
		return err_set(err, ERR_PROTOCOL, "commit: lane %llu is being scanned",
		    (unsigned long long)commit->lane);
	if ((commit->commit_cid.len != 0 && commit->commit_cid.len != LIMIT_CID_BYTES) ||
	    (commit->data_cid.len != 0 && commit->data_cid.len != LIMIT_CID_BYTES))
		return err_set(err, ERR_PROTOCOL, "commit: a CID of a wrong length");
	if (commit->pds_url.len > LIMIT_URL_BYTES || commit->rev.len > LIMIT_REV_BYTES ||
	    commit->status.len > LIMIT_STATUS_BYTES ||
	    commit->selection.len > LIMIT_STATUS_BYTES)
		return err_set(err, ERR_LIMIT, "commit: a field is too long");
	return 0;
}

int
peer_on_commit(struct peer *peer, const struct msg *msg, struct err *err)
{
	const struct msg_commit *commit = &msg->commit;
	struct lane *lane = open_lane(peer, "commit", commit->lane, err);

	if (lane == NULL || check_commit(peer, commit, err) == -1)
		return -1;
	if (lane->is_refused) {
		peer_drop_lane(peer, lane);
		return 0;
	}
	lane_set_commit(lane, &(struct repo_row){
		.pds_url = commit->pds_url,
		.rev = commit->rev,
		.commit_cid = commit->commit_cid,
		.data_cid = commit->data_cid,
		.status = commit->status,
		.selection = commit->selection,
		.synced_ms = clock_wall_ms(),
	});
	peer_make_ready(lane);
	return 0;
}

/* Of a repository, a batch or a question.  Its answer may have crossed this, so that
 * a free lane is no mistake. */
int
peer_on_abort(struct peer *peer, const struct msg *msg, struct err *err)
{
	uint64_t number = msg->abort.lane;
	struct lane *lane = peer_find_lane(peer, number);
	struct scan *scan = peer_find_scan(peer, number);

	if (lane != NULL && lane->is_ready)
		return err_set(err, ERR_PROTOCOL, "abort: lane %llu is being committed",
		    (unsigned long long)number);
	if (scan != NULL)
		peer_drop_scan(peer, scan);
	if (lane != NULL)
		peer_drop_lane(peer, lane);
	return 0;
}
