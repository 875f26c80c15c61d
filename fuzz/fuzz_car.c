/* A CAR, fed in two ways, which must agree; then walked. */
#include "fuzz/fuzz.h"

#include "atproto/dagcbor.h"
#include "atproto/repo.h"

static enum fault_code
prove(struct repo *repo, struct bytes car, size_t piece_bytes)
{
	struct commit_expect any = { .did = STR_NONE, .allow_version2 = true };
	struct fault fault = FAULT_INIT;

	while (car.len > 0) {
		size_t n = car.len < piece_bytes ? car.len : piece_bytes;

		if (repo_feed(repo, (struct bytes){ car.ptr, n }, &fault) < 0)
			return fault.code;
		car = (struct bytes){ car.ptr + n, car.len - n };
	}
	if (repo_feed_end(repo, &fault) < 0 ||
	    repo_check_commit(repo, &any, &fault) < 0 ||
	    repo_check_tree(repo, SIZE_MAX, &fault) != REPO_DONE)
		return fault.code;
	return FAULT_NONE;
}

static void
walk(struct repo *repo)
{
	struct repo_walk *walk = repo_walk_new(repo, NULL);
	struct repo_record record;
	struct fault fault;
	uint64_t records = 0, bad = 0;
	int rc;

	while ((rc = repo_walk_next(walk, &record, &fault)) > 0) {
		records++;
		bad += record.bad != FAULT_NONE;
		fuzz_require(record.bad != FAULT_NONE ||
		    dagcbor_check(record.bytes, &fault) == 0);
	}
	fuzz_require(rc == 0);
	fuzz_require(records == repo_stats(repo).records &&
	    bad == repo_stats(repo).records_bad);
	repo_walk_free(&walk);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct repo *whole = repo_new(&options), *pieces = repo_new(&options);
	enum fault_code code = prove(whole, (struct bytes){ data, size }, SIZE_MAX);

	fuzz_require(prove(pieces, (struct bytes){ data, size }, 5) == code);
	if (code == FAULT_NONE)
		walk(whole);
	repo_free(&whole);
	repo_free(&pieces);
	return 0;
}
