#include "t/unit/unit.h"

#include "t/unit/repo_rig.h"

#include <sys/mman.h>
#include <unistd.h>

#include "atproto/dagcbor.h"
#include "atproto/repo_internal.h"

const struct repo_way repo_ways[REPO_WAYS] = {
	{ SIZE_MAX, 64 << 20, false, false, false },
	{ 1, 64 << 20, false, false, false },
	{ 7, 64 << 20, false, false, false },
	{ 4096, 1, true, true, false },
	{ 100, 1000, true, true, false },
	{ 4096, 1, true, false, false },
	{ 5000, 1, true, true, true },
};

/* Where the address space is limited the spill file cannot be mapped: as if. */
static void
unmap(struct repo *repo)
{
	if (repo->spool.map != NULL)
		munmap((void *)(uintptr_t)repo->spool.map, repo->spool.len);
	repo->spool.map = NULL;
}

int
repo_rig_feed(struct repo *repo, struct bytes car, size_t piece_bytes,
    struct fault *fault)
{
	while (car.len > 0) {
		size_t n = car.len < piece_bytes ? car.len : piece_bytes;

		if (repo_feed(repo, (struct bytes){ car.ptr, n }, fault) < 0)
			return -1;
		car.ptr += n;
		car.len -= n;
	}
	return repo_feed_end(repo, fault);
}

struct repo *
repo_rig_new(const struct repo_way *way, FILE **spill_out)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;

	*spill_out = way->spills ? tmpfile() : NULL;
	options.memory_bytes = way->memory_bytes;
	options.spill_fd = way->spills ? fileno(*spill_out) : -1;
	options.spill_has_car = way->has_car;
	return repo_new(&options);
}

int
repo_rig_prove(struct repo *repo, struct bytes car, const struct repo_way *way,
    const struct commit_expect *expect, struct fault *fault)
{
	enum repo_step step;

	if (way->has_car)
		assert_int_equal(pwrite(repo->options.spill_fd, car.ptr, car.len, 0),
		    car.len);
	if (repo_rig_feed(repo, car, way->piece_bytes, fault) < 0)
		return -1;
	if (way->spills && !way->maps)
		unmap(repo);
	if (repo_check_commit(repo, expect, fault) < 0)
		return -1;
	do
		step = repo_check_tree(repo, 3, fault);
	while (step == REPO_AGAIN);
	return step == REPO_DONE ? 0 : -1;
}

struct buf
repo_rig_list(struct repo *repo, const struct filter *filter, size_t *bad_out)
{
	struct repo_walk *walk = repo_walk_new(repo, filter);
	struct repo_record record;
	struct buf text = BUF_INIT;
	struct fault fault;
	int rc;

	*bad_out = 0;
	while ((rc = repo_walk_next(walk, &record, &fault)) > 0) {
		char cid[CID_TEXT_SIZE];

		assert_int_equal(record.path.len,
		    record.collection.len + 1 + record.rkey.len);
		if (record.bad != FAULT_NONE) {
			assert_int_equal(repo_walk_fault(walk).code, record.bad);
			assert_int_equal(record.bytes.len, 0);
			++*bad_out;
			continue;
		}
		assert_int_equal(dagcbor_check(record.bytes, &fault), 0);
		cid_format(&record.cid, cid);
		buf_printf(&text, "%.*s\t%s\t%zu\n", STR_FMT(record.path), cid,
		    record.bytes.len);
	}
	assert_int_equal(rc, 0);
	repo_walk_free(&walk);
	return text;
}
