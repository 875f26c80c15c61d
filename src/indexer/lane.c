#include "indexer/lane.h"

#include <stdlib.h>

#include "common/mem.h"

void
claims_init(struct claims *claims)
{
	for (size_t i = 0; i < CLAIMS_BUCKETS; i++)
		LIST_INIT(&claims->buckets[i]);
}

/* FNV-1a.  DIDs made to collide only make a list as long as there are lanes. */
static struct lane_list *
bucket_of(struct claims *claims, struct str did)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < did.len; i++)
		hash = (hash ^ (uint8_t)did.ptr[i]) * 16777619u;
	return &claims->buckets[hash % CLAIMS_BUCKETS];
}

static struct lane *
make_lane(enum lane_kind kind, struct stage_pool *pool, struct peer *peer,
    uint64_t number)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));

	lane->kind = kind;
	lane->peer = peer;
	lane->number = number;
	lane->op_id = "";
	lane->is_counted = kind == LANE_REPO;
	lane->stage = stage_new(pool);
	return lane;
}

struct lane *
lane_new(struct claims *claims, struct stage_pool *pool, struct peer *peer,
    uint64_t number, struct str did)
{
	struct lane_list *bucket = bucket_of(claims, did);
	struct lane *lane;

	LIST_FOREACH(lane, bucket, of_claims)
		if (str_eq(str_from(lane->did), did))
			return NULL;
	lane = make_lane(LANE_REPO, pool, peer, number);
	lane->did = xstrndup(did.ptr, did.len);
	LIST_INSERT_HEAD(bucket, lane, of_claims);
	return lane;
}

struct lane *
lane_new_batch(struct stage_pool *pool, struct peer *peer, uint64_t number)
{
	return make_lane(LANE_BATCH, pool, peer, number);
}

void
lane_refuse(struct lane *lane)
{
	lane->is_refused = true;
	if (lane->did != NULL)
		LIST_REMOVE(lane, of_claims);
	free(lane->did);
	lane->did = NULL;
	stage_free(&lane->stage);
}

void
lane_free(struct lane **lane)
{
	if (*lane == NULL)
		return;
	lane_refuse(*lane);
	buf_clear(&(*lane)->commit_bytes);
	free(*lane);
	*lane = NULL;
}

void
lane_add(struct lane *lane, const struct stage_change *change)
{
	if (lane->is_broken || stage_add(lane->stage, change, &lane->why) == 0)
		return;
	lane->is_broken = true;
	stage_free(&lane->stage);
}

/* A slice of the same content in commit_bytes, where there is room for it. */
static struct str
keep(struct lane *lane, struct str from)
{
	struct str to = { (const char *)buf_data(&lane->commit_bytes) +
	    buf_len(&lane->commit_bytes), from.len };

	buf_add_str(&lane->commit_bytes, from);
	return to;
}

static struct bytes
keep_bytes(struct lane *lane, struct bytes from)
{
	struct str to = keep(lane, (struct str){ (const char *)from.ptr, from.len });

	return (struct bytes){ (const uint8_t *)to.ptr, to.len };
}

void
lane_set_commit(struct lane *lane, const struct repo_row *row)
{
	/* All the room at once, so that none of the slices moves. */
	(void)buf_reserve(&lane->commit_bytes, row->pds_url.len + row->rev.len +
	    row->status.len + row->selection.len + row->commit_cid.len +
	    row->data_cid.len + 1);
	lane->commit = (struct repo_row){
		.did = str_from(lane->did),
		.pds_url = keep(lane, row->pds_url),
		.rev = keep(lane, row->rev),
		.commit_cid = keep_bytes(lane, row->commit_cid),
		.data_cid = keep_bytes(lane, row->data_cid),
		.status = keep(lane, row->status),
		.selection = keep(lane, row->selection),
		.synced_ms = row->synced_ms,
	};
}
