#include "atproto/repo.h"

#include <assert.h>
#include <stdlib.h>

#include "atproto/repo_internal.h"
#include "common/mem.h"

struct repo_walk {
	struct repo *repo;	/* borrowed */
	struct tree tree;
	struct fault bad;	/* of the last record */
	/* owned */
	struct buf scratch;
};

struct repo_walk *
repo_walk_new(struct repo *repo, const struct filter *filter)
{
	struct repo_walk *walk = xcalloc(1, sizeof(*walk));

	assert(repo->stage == REPO_CHECKED);
	walk->repo = repo;
	walk->bad = FAULT_INIT;
	tree_init(&walk->tree, &repo->blocks, &repo->spool, &repo->commit.data, filter);
	walk->tree.wants_records = true;
	return walk;
}

void
repo_walk_free(struct repo_walk **walk)
{
	if (*walk == NULL)
		return;
	tree_clear(&(*walk)->tree);
	buf_clear(&(*walk)->scratch);
	free(*walk);
	*walk = NULL;
}

static int
read_record(struct repo_walk *walk, const struct tree_leaf *leaf,
    struct repo_record *record, struct fault *fault)
{
	const char *slash = memchr(leaf->key.ptr, '/', leaf->key.len);
	size_t collection_len = (size_t)(slash - leaf->key.ptr);

	record->path = leaf->key;
	record->collection = (struct str){ leaf->key.ptr, collection_len };
	record->rkey = (struct str){ slash + 1, leaf->key.len - collection_len - 1 };
	memset(&record->cid, 0, sizeof(record->cid));
	if (leaf->value.len == CID_BYTES)
		memcpy(record->cid.bytes, leaf->value.ptr, CID_BYTES);
	walk->bad.code = FAULT_NONE;
	if (repo_read_record(walk->repo, leaf, &walk->scratch, &record->bytes,
	    &record->bad, fault) < 0)
		return -1;
	if (record->bad != FAULT_NONE)
		walk->bad = *fault;
	return 1;
}

int
repo_walk_next(struct repo_walk *walk, struct repo_record *record_out,
    struct fault *fault)
{
	struct tree_leaf leaf;

	for (;;) {
		switch (tree_next(&walk->tree, &leaf, fault)) {
		case TREE_FAILED:
			return -1;
		case TREE_END:
			return 0;
		case TREE_NODE:
			break;
		case TREE_LEAF:
			return read_record(walk, &leaf, record_out, fault);
		}
	}
}

struct fault
repo_walk_fault(const struct repo_walk *walk)
{
	return walk->bad;
}

uint64_t
repo_walk_nodes(const struct repo_walk *walk)
{
	return walk->tree.nodes;
}
