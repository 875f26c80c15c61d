#include "atproto/repo.h"

#include <assert.h>
#include <stdlib.h>

#include "atproto/dagcbor.h"
#include "atproto/repo_internal.h"
#include "common/mem.h"

/* So much is appended at once: what was copied is hashed while it is cached. */
#define PIECE_BYTES	(64 * 1024)

struct repo *
repo_new(const struct repo_options *options)
{
	struct repo *repo = xcalloc(1, sizeof(*repo));

	repo->options = *options;
	if (repo->options.max_bytes > LIMIT_CAR_BYTES)
		repo->options.max_bytes = LIMIT_CAR_BYTES;
	if (repo->options.max_blocks > LIMIT_CAR_BLOCKS)
		repo->options.max_blocks = LIMIT_CAR_BLOCKS;
	repo->car = CAR_INIT;
	repo->sha = sha256_new();
	spool_init(&repo->spool, options->memory_bytes, options->spill_fd,
	    options->spill_has_car);
	blocks_init(&repo->blocks);
	return repo;
}

void
repo_free(struct repo **repo)
{
	if (*repo == NULL)
		return;
	tree_clear(&(*repo)->tree);
	blocks_clear(&(*repo)->blocks);
	spool_clear(&(*repo)->spool);
	buf_clear(&(*repo)->commit_block);
	buf_clear(&(*repo)->scratch);
	sha256_free(&(*repo)->sha);
	free(*repo);
	*repo = NULL;
}

int
repo_failed(struct repo *repo, const struct fault *fault)
{
	repo->fault = *fault;
	return -1;
}

/* Does the repository still stand?  If not, hand out what it failed with. */
static int
check_stage(const struct repo *repo, enum repo_stage stage, struct fault *fault)
{
	if (repo->fault.code != FAULT_NONE) {
		*fault = repo->fault;
		return -1;
	}
	assert(repo->stage == stage);
	return 0;
}

/* True for the start of a tree node: a map of two members, the first one "e". */
static bool
looks_like_node(struct bytes data)
{
	return data.len >= 3 && memcmp(data.ptr, "\xa2\x61" "e", 3) == 0;
}

/*
 * Is it known now, while its bytes are at hand, to be good as a record?  A node is
 * not looked at twice: the tree does that.
 */
static bool
is_record(const struct car_block *block)
{
	struct fault fault;

	return block->cid.ptr[1] == CID_DAG_CBOR && !looks_like_node(block->data) &&
	    block->data.len > 0 && block->data.len <= LIMIT_RECORD_BYTES &&
	    block->data.ptr[0] >> 5 == 5 && dagcbor_check(block->data, &fault) == 0;
}

static int
take_block(struct repo *repo, const struct car_block *block, struct fault *fault)
{
	uint8_t digest[SHA256_BYTES];

	if (block->cid.len != CID_BYTES || !cid_is_ours(block->cid.ptr))
		return fault_set(fault, FAULT_BLOCK_CID, block->offset);
	sha256_digest(repo->sha, block->data, digest);
	if (memcmp(digest, block->cid.ptr + 4, SHA256_BYTES) != 0)
		return fault_set(fault, FAULT_BLOCK_HASH, block->offset);
	if (repo->blocks.n >= repo->options.max_blocks)
		return fault_set(fault, FAULT_CAR_BLOCKS, block->offset);
	blocks_add(&repo->blocks, block->cid.ptr, block->offset, is_record(block));
	return 0;
}

/* Take all that is whole in what has arrived. */
static int
parse(struct repo *repo, struct fault *fault)
{
	struct bytes rest = spool_tail(&repo->spool, repo->car.offset);

	for (;;) {
		uint64_t from = repo->car.offset;
		struct car_block block;

		switch (car_next(&repo->car, rest, &block, fault)) {
		case CAR_FAILED:
			return -1;
		case CAR_MORE:
			return 0;
		case CAR_HEADER:
			break;
		case CAR_BLOCK:
			if (take_block(repo, &block, fault) < 0)
				return -1;
			break;
		}
		rest.ptr += repo->car.offset - from;
		rest.len -= (size_t)(repo->car.offset - from);
	}
}

int
repo_feed(struct repo *repo, struct bytes piece, struct fault *fault)
{
	if (check_stage(repo, REPO_FEEDING, fault) < 0)
		return -1;
	while (piece.len > 0) {
		struct bytes part = { piece.ptr, piece.len < PIECE_BYTES ? piece.len :
		    PIECE_BYTES };

		if (part.len > repo->options.max_bytes - repo->spool.len) {
			fault_set(fault, FAULT_CAR_BYTES, repo->options.max_bytes);
			return repo_failed(repo, fault);
		}
		if (spool_add(&repo->spool, part, repo->car.offset, fault) < 0 ||
		    parse(repo, fault) < 0)
			return repo_failed(repo, fault);
		piece.ptr += part.len;
		piece.len -= part.len;
	}
	return 0;
}

/* Find the commit and read it out of a copy, which lives as long as the repository. */
static int
read_commit(struct repo *repo, struct fault *fault)
{
	const struct cid *root = &repo->car.root;
	struct block block;
	struct bytes data;
	char text[CID_TEXT_SIZE];
	int rc = blocks_find(&repo->blocks, &repo->spool, root->bytes, &repo->scratch,
	    &block, fault);

	if (rc < 0)
		return -1;
	if (rc == 0) {
		cid_format(root, text);
		return fault_set_detail(fault, FAULT_COMMIT_MISSING, FAULT_NO_OFFSET,
		    str_from(text));
	}
	if (block.len > LIMIT_COMMIT_BYTES)
		return fault_set(fault, FAULT_COMMIT_SIZE, block.offset);
	if (spool_read(&repo->spool, block.data_offset, block.len, &repo->scratch, &data,
	    fault) < 0)
		return -1;
	buf_add(&repo->commit_block, data.ptr, data.len);
	if (commit_parse(buf_bytes(&repo->commit_block), root, repo->sha, &repo->commit,
	    fault) < 0) {
		fault->offset += block.data_offset;
		return -1;
	}
	return 0;
}

int
repo_feed_end(struct repo *repo, struct fault *fault)
{
	if (check_stage(repo, REPO_FEEDING, fault) < 0)
		return -1;
	if (car_end(&repo->car, repo->spool.len - repo->car.offset, fault) < 0 ||
	    spool_end(&repo->spool, fault) < 0)
		return repo_failed(repo, fault);
	blocks_end(&repo->blocks);
	if (read_commit(repo, fault) < 0)
		return repo_failed(repo, fault);
	repo->stage = REPO_FED;
	return 0;
}

const struct commit *
repo_commit(const struct repo *repo)
{
	assert(repo->stage >= REPO_FED);
	return &repo->commit;
}

int
repo_check_commit(struct repo *repo, const struct commit_expect *expect,
    struct fault *fault)
{
	if (repo->fault.code != FAULT_NONE) {
		*fault = repo->fault;
		return -1;
	}
	assert(repo->stage >= REPO_FED);
	return commit_check(&repo->commit, expect, fault);
}

/* Why a block that was not found good on arrival is no record; 0 if it is one. */
static int
look_again(struct bytes data, struct fault *fault)
{
	if (data.len > LIMIT_RECORD_BYTES)
		return fault_set(fault, FAULT_RECORD_SIZE, 0);
	if (dagcbor_check(data, fault) < 0)
		return -1;
	if (data.ptr[0] >> 5 != 5)
		return fault_set(fault, FAULT_RECORD_NOT_MAP, 0);
	return 0;
}

static int
absent(const struct tree_leaf *leaf, struct fault *fault)
{
	return fault_set_detail(fault, FAULT_RECORD_MISSING, FAULT_NO_OFFSET, leaf->key);
}

int
repo_read_record(struct repo *repo, const struct tree_leaf *leaf,
    struct buf *scratch, struct bytes *bytes_out, enum fault_code *bad_out,
    struct fault *fault)
{
	struct block block;
	int rc;

	*bytes_out = BYTES_NONE;
	*bad_out = FAULT_NONE;
	if (leaf->value.len != CID_BYTES || !cid_is_ours(leaf->value.ptr) ||
	    leaf->value.ptr[1] != CID_DAG_CBOR) {
		fault_set_detail(fault, FAULT_RECORD_LINK, leaf->offset, leaf->key);
		*bad_out = fault->code;
		return 0;
	}
	rc = blocks_find(&repo->blocks, &repo->spool, leaf->value.ptr, scratch, &block,
	    fault);
	if (rc <= 0)
		return rc == 0 ? absent(leaf, fault) : -1;
	if (spool_read(&repo->spool, block.data_offset, block.len, scratch, bytes_out,
	    fault) < 0)
		return -1;
	if (!block.is_record && look_again(*bytes_out, fault) < 0) {
		*bytes_out = BYTES_NONE;
		*bad_out = fault->code;
		fault_set_detail(fault, fault->code, block.data_offset + fault->offset,
		    leaf->key);
	}
	return 0;
}

struct repo_stats
repo_stats(const struct repo *repo)
{
	struct repo_stats stats = repo->stats;

	stats.bytes = repo->spool.len;
	stats.blocks = repo->blocks.n;
	stats.spilled_bytes = repo->spool.spilled_bytes;
	return stats;
}
