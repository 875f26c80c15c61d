#include "t/unit/node_set.h"

#include "t/unit/unit.h"

#include "atproto/car.h"
#include "common/mem.h"

void
node_set_clear(struct node_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		buf_clear(&set->blocks[i].data);
	free(set->blocks);
	*set = (struct node_set){ .n = 0 };
}

struct node_set_block *
node_set_find(const struct node_set *set, const struct cid *cid)
{
	for (size_t i = 0; i < set->n; i++)
		if (cid_eq(&set->blocks[i].cid, cid))
			return &set->blocks[i];
	return NULL;
}

void
node_set_add(const struct cid *cid, struct bytes block, void *arg)
{
	struct node_set *set = arg;
	struct node_set_block *added;

	if (node_set_find(set, cid) != NULL)
		return;
	set->blocks = xrealloc(set->blocks, (set->n + 1) * sizeof(*set->blocks));
	added = &set->blocks[set->n++];
	*added = (struct node_set_block){ .cid = *cid, .data = BUF_INIT };
	buf_add(&added->data, block.ptr, block.len);
}

struct cid
node_set_add_car(struct node_set *set, struct bytes bytes)
{
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	enum car_step step;
	struct cid cid;

	while ((step = car_next(&car, (struct bytes){ bytes.ptr + car.offset,
	    bytes.len - (size_t)car.offset }, &block, &fault)) != CAR_MORE) {
		assert_int_not_equal(step, CAR_FAILED);
		if (step != CAR_BLOCK)
			continue;
		assert_int_equal(cid_unpack(block.cid, &cid), 0);
		node_set_add(&cid, block.data, set);
	}
	assert_true(car.has_root);
	return car.root;
}

int
node_set_read(const struct cid *cid, struct bytes *block_out,
    struct fault *fault BF_UNUSED, void *arg)
{
	const struct node_set_block *block = node_set_find(arg, cid);

	if (block == NULL || block->is_hidden)
		return 0;
	*block_out = buf_bytes(&block->data);
	return 1;
}
