#include "atproto/commit.h"

#include "atproto/dagcbor.h"
#include "atproto/dagcbor_write.h"
#include "atproto/did.h"
#include "common/limits.h"
#include "common/tid.h"

static int
bad_field(struct fault *fault, const char *name)
{
	return fault_set_detail(fault, FAULT_COMMIT_FIELD, 0, str_from(name));
}

/* `prev` is null or a link, in both versions. */
static int
check_prev(struct dagcbor map, struct fault *fault)
{
	struct dagcbor_item item;

	if (dagcbor_find_item(map, STR("prev"), DAGCBOR_NULL, &item) ||
	    dagcbor_find_item(map, STR("prev"), DAGCBOR_LINK, &item))
		return 0;
	return bad_field(fault, "prev");
}

static int
read_rev(struct dagcbor map, struct commit *commit, struct fault *fault)
{
	struct dagcbor value;
	struct dagcbor_item item;

	if (!dagcbor_find(map, STR("rev"), &value)) {
		commit->rev = STR_NONE;
		return commit->version == 2 ? 0 : bad_field(fault, "rev");
	}
	item = dagcbor_next(&value);
	if (item.type != DAGCBOR_TEXT)
		return bad_field(fault, "rev");
	if (!tid_is_valid(item.text))
		return fault_set_detail(fault, FAULT_COMMIT_REV, 0, item.text);
	commit->rev = item.text;
	return 0;
}

static int
read_fields(struct dagcbor map, struct commit *commit, struct fault *fault)
{
	struct dagcbor_item item;

	if (!dagcbor_find_item(map, STR("version"), DAGCBOR_INT, &item))
		return bad_field(fault, "version");
	if (item.integer != 2 && item.integer != 3)
		return fault_set(fault, FAULT_COMMIT_VERSION, 0);
	commit->version = item.integer;
	if (!dagcbor_find_item(map, STR("did"), DAGCBOR_TEXT, &item) ||
	    !did_is_valid(item.text))
		return bad_field(fault, "did");
	commit->did = item.text;
	if (!dagcbor_find_item(map, STR("data"), DAGCBOR_LINK, &item) ||
	    cid_unpack(item.bytes, &commit->data) < 0 ||
	    cid_codec(&commit->data) != CID_DAG_CBOR)
		return bad_field(fault, "data");
	if (!dagcbor_find_item(map, STR("sig"), DAGCBOR_BYTES, &item))
		return bad_field(fault, "sig");
	commit->sig = item.bytes;
	if (check_prev(map, fault) < 0)
		return -1;
	return read_rev(map, commit, fault);
}

/*
 * What was signed: the same map without `sig`.  The other members are canonical
 * already and keep their order, so their bytes are taken as they stand.
 */
static void
hash_unsigned(struct dagcbor map, struct sha256 *sha, uint8_t digest_out[SHA256_BYTES])
{
	struct buf without = BUF_INIT;
	uint64_t members = dagcbor_next(&map).count;

	dagcbor_write_map(&without, members - 1);
	for (uint64_t i = 0; i < members; i++) {
		const uint8_t *start = map.at;
		struct str name = dagcbor_next(&map).text;

		dagcbor_skip(&map);
		if (!str_eq(name, STR("sig")))
			buf_add(&without, start, (size_t)(map.at - start));
	}
	sha256_digest(sha, buf_bytes(&without), digest_out);
	buf_clear(&without);
}

int
commit_parse(struct bytes block, const struct cid *cid, struct sha256 *sha,
    struct commit *commit_out, struct fault *fault)
{
	struct commit commit = { .cid = *cid };
	struct dagcbor map;

	if (block.len > LIMIT_COMMIT_BYTES)
		return fault_set(fault, FAULT_COMMIT_SIZE, 0);
	if (dagcbor_check(block, fault) < 0)
		return -1;
	map = dagcbor_read(block);
	if (read_fields(map, &commit, fault) < 0)
		return -1;
	hash_unsigned(map, sha, commit.digest);
	*commit_out = commit;
	return 0;
}

static int
check_rev(const struct commit *commit, const struct commit_expect *expect,
    struct fault *fault)
{
	uint64_t tid;

	if (expect->now_us != 0 && tid_parse(commit->rev, &tid) == 0 &&
	    tid_us(tid) > expect->now_us + LIMIT_REV_AHEAD_US)
		return fault_set_detail(fault, FAULT_COMMIT_REV_FUTURE, FAULT_NO_OFFSET,
		    commit->rev);
	/* The text order of TIDs is their order in time. */
	if (expect->rev_known.len > 0 && str_cmp(commit->rev, expect->rev_known) < 0)
		return fault_set_detail(fault, FAULT_COMMIT_REV_OLDER, FAULT_NO_OFFSET,
		    commit->rev);
	return 0;
}

int
commit_check(const struct commit *commit, const struct commit_expect *expect,
    struct fault *fault)
{
	if (commit->version != 3 && !expect->allow_version2)
		return fault_set(fault, FAULT_COMMIT_VERSION, FAULT_NO_OFFSET);
	if (expect->did.len > 0 && !str_eq(commit->did, expect->did))
		return fault_set_detail(fault, FAULT_COMMIT_DID, FAULT_NO_OFFSET,
		    commit->did);
	if (check_rev(commit, expect, fault) < 0)
		return -1;
	if (expect->key == NULL)
		return 0;
	return key_verify(expect->key, commit->digest, commit->sig, true, fault);
}
