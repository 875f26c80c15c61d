/*
 * repo-verify FILE.car [MEMORY_MB] - how close full verification is to its floor.
 * FILE.car comes from make-repo.
 *
 * The floor is hashing every block, and every key for its layer: what cannot be
 * left out.  Verification is all that a worker does before it trusts a record:
 * CAR, CIDs, strict DAG-CBOR of every block, commit with its signature, tree.
 * Both are run in turns in this process, over a file that is in memory, and the
 * medians are told: of the time that passed, and of the CPU time, which other programs
 * on the machine disturb less.
 * Blocks are read again from the file itself, as backfillctl does; with MEMORY_MB
 * they are kept in so much memory and beyond it in a spill file in $TMPDIR, as a
 * worker does.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atproto/car.h"
#include "atproto/mst.h"
#include "atproto/repo.h"
#include "common/exitcode.h"
#include "common/mem.h"
#include "t/unit/maker.h"

#define PIECE_BYTES	(64 * 1024)	/* as much as a socket gives at once */
#define MIN_RUNS	9
#define MAX_RUNS	1000
#define MIN_TIME_S	3.0		/* runs are repeated until so much has passed */

struct slices {
	struct bytes *at;
	size_t n, size;
};

struct seconds {
	double wall, cpu;
};

/* What the runs took. */
struct runs {
	size_t n;
	struct seconds floor[MAX_RUNS], arrival[MAX_RUNS], verify[MAX_RUNS];
};

struct bench {
	int fd, spill_fd;	/* spill_fd is -1 if blocks are read from fd again */
	struct bytes car;	/* fd, mapped */
	size_t memory_bytes;
	struct key key;
	struct repo_stats stats;
	struct seconds arrival;		/* of the last verification, until the commit */
	long anon_kb, rss_kb;	/* peaks of the first verification */
	bool measures_memory;
};

static double
read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct seconds
now(void)
{
	return (struct seconds){ read_clock(CLOCK_MONOTONIC),
	    read_clock(CLOCK_PROCESS_CPUTIME_ID) };
}

static struct seconds
since(struct seconds begin)
{
	struct seconds end = now();

	return (struct seconds){ end.wall - begin.wall, end.cpu - begin.cpu };
}

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_SYSTEM);
}

static void
invalid(const struct fault *fault)
{
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	fprintf(stderr, "repo-verify: %s\n", text);
	exit(EXIT_FAILED);
}

/* Memory of our own, without mapped files, now. */
static void
note_memory(struct bench *bench)
{
	FILE *status;
	char line[128];
	long kb;

	if (!bench->measures_memory)
		return;
	status = fopen("/proc/self/status", "r");
	if (status == NULL)
		die("/proc/self/status");
	while (fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "RssAnon: %ld", &kb) == 1 && kb > bench->anon_kb)
			bench->anon_kb = kb;
	fclose(status);
}

static void
feed(struct bench *bench, struct repo *repo)
{
	struct bytes rest = bench->car;
	struct fault fault;

	for (size_t i = 0; rest.len > 0; i++) {
		size_t n = rest.len < PIECE_BYTES ? rest.len : PIECE_BYTES;

		if (repo_feed(repo, (struct bytes){ rest.ptr, n }, &fault) < 0)
			invalid(&fault);
		if (i % 64 == 0)
			note_memory(bench);
		rest = (struct bytes){ rest.ptr + n, rest.len - n };
	}
	note_memory(bench);
	if (repo_feed_end(repo, &fault) < 0)
		invalid(&fault);
}

static struct repo *
verify(struct bench *bench)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct commit_expect expect = { .did = STR(MAKER_DID), .key = &bench->key };
	struct seconds begin = now();
	struct repo *repo;
	struct fault fault;
	enum repo_step step;

	options.spill_has_car = bench->spill_fd == -1;
	options.spill_fd = options.spill_has_car ? bench->fd : bench->spill_fd;
	options.memory_bytes = bench->memory_bytes;
	if (bench->spill_fd != -1 && ftruncate(bench->spill_fd, 0) < 0)
		die("spill file");
	repo = repo_new(&options);
	feed(bench, repo);
	bench->arrival = since(begin);
	if (repo_check_commit(repo, &expect, &fault) < 0)
		invalid(&fault);
	do {
		step = repo_check_tree(repo, 10000, &fault);
		note_memory(bench);
	} while (step == REPO_AGAIN);
	if (step == REPO_FAILED)
		invalid(&fault);
	bench->stats = repo_stats(repo);
	return repo;
}

static void
add_slice(struct slices *slices, const void *ptr, size_t len)
{
	if (slices->n == slices->size) {
		slices->size = slices->size > 0 ? slices->size * 2 : 1024;
		slices->at = xrealloc(slices->at, slices->size * sizeof(*slices->at));
	}
	slices->at[slices->n++] = (struct bytes){ ptr, len };
}

static struct slices
list_blocks(struct bytes car_bytes)
{
	struct slices blocks = { NULL, 0, 0 };
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	enum car_step step;

	do {
		struct bytes rest = { car_bytes.ptr + car.offset,
		    car_bytes.len - (size_t)car.offset };

		step = car_next(&car, rest, &block, &fault);
		if (step == CAR_BLOCK)
			add_slice(&blocks, block.data.ptr, block.data.len);
	} while (step == CAR_BLOCK || step == CAR_HEADER);
	return blocks;
}

static struct slices
list_keys(struct repo *repo, struct buf *text)
{
	struct slices keys = { NULL, 0, 0 };
	struct repo_walk *walk = repo_walk_new(repo, NULL);
	struct repo_record record;
	struct fault fault;
	size_t at = 0;

	while (repo_walk_next(walk, &record, &fault) > 0) {
		buf_add_str(text, record.path);
		add_slice(&keys, NULL, record.path.len);
	}
	for (size_t i = 0; i < keys.n; at += keys.at[i++].len)
		keys.at[i].ptr = buf_data(text) + at;
	repo_walk_free(&walk);
	return keys;
}

static void
hash_all(struct sha256 *sha, const struct slices *slices)
{
	uint8_t digest[SHA256_BYTES];

	for (size_t i = 0; i < slices->n; i++)
		sha256_digest(sha, slices->at[i], digest);
}

static struct seconds
time_floor(struct sha256 *sha, const struct slices *blocks, const struct slices *keys)
{
	struct seconds begin = now();

	hash_all(sha, blocks);
	hash_all(sha, keys);
	return since(begin);
}

static struct seconds
time_verify(struct bench *bench)
{
	struct seconds begin = now(), took;
	struct repo *repo = verify(bench);

	took = since(begin);
	repo_free(&repo);
	return took;
}

/* Both in turns: another load on the machine meets both alike. */
static void
run(struct bench *bench, struct repo *repo, struct runs *runs)
{
	struct buf text = BUF_INIT;
	struct slices blocks = list_blocks(bench->car), keys = list_keys(repo, &text);
	struct sha256 *sha = sha256_new();
	struct seconds start = now();

	while (runs->n < MIN_RUNS ||
	    (runs->n < MAX_RUNS && since(start).wall < MIN_TIME_S)) {
		runs->floor[runs->n] = time_floor(sha, &blocks, &keys);
		runs->verify[runs->n] = time_verify(bench);
		runs->arrival[runs->n++] = bench->arrival;
	}
	free(blocks.at);
	free(keys.at);
	buf_clear(&text);
	sha256_free(&sha);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct seconds
median_of(const struct seconds *runs, size_t n, double *best_out)
{
	double wall[MAX_RUNS], cpu[MAX_RUNS];

	for (size_t i = 0; i < n; i++) {
		wall[i] = runs[i].wall;
		cpu[i] = runs[i].cpu;
	}
	qsort(wall, n, sizeof(*wall), compare_doubles);
	qsort(cpu, n, sizeof(*cpu), compare_doubles);
	*best_out = wall[0];
	return (struct seconds){ wall[n / 2], cpu[n / 2] };
}

static struct seconds
print_time(const char *what, const struct seconds *runs, size_t n)
{
	double best;
	struct seconds median = median_of(runs, n, &best);

	printf("%-17s %.3f ms, best %.3f, CPU %.3f\n", what, median.wall * 1e3,
	    best * 1e3, median.cpu * 1e3);
	return median;
}

/* Each verification beside the floor that was run just before it. */
static void
print_ratio(const struct runs *runs)
{
	struct seconds ratios[MAX_RUNS], median;
	double least;

	for (size_t i = 0; i < runs->n; i++) {
		ratios[i].wall = runs->verify[i].wall / runs->floor[i].wall;
		ratios[i].cpu = runs->verify[i].cpu / runs->floor[i].cpu;
	}
	median = median_of(ratios, runs->n, &least);
	printf("ratio             %.2f, least %.2f, of CPU time %.2f\n", median.wall, least,
	    median.cpu);
}

static void
print_results(const struct bench *bench, const struct runs *runs)
{
	const struct repo_stats *stats = &bench->stats;
	double records = (double)stats->records;
	struct seconds floor, took;

	printf("records           %" PRIu64 "\n", stats->records);
	printf("blocks            %" PRIu64 "\n", stats->blocks);
	printf("bytes             %" PRIu64 "\n", stats->bytes);
	printf("spilled bytes     %" PRIu64 "\n", stats->spilled_bytes);
	printf("runs              %zu\n", runs->n);
	floor = print_time("floor", runs->floor, runs->n);
	took = print_time("verification", runs->verify, runs->n);
	print_time("  arrival", runs->arrival, runs->n);
	print_ratio(runs);
	printf("records/s         %.0f\n", records / took.wall);
	printf("ns per record     %.0f, CPU %.0f; floor %.0f, CPU %.0f\n",
	    took.wall * 1e9 / records, took.cpu * 1e9 / records,
	    floor.wall * 1e9 / records, floor.cpu * 1e9 / records);
	printf("MB/s              %.0f\n", (double)stats->bytes / took.wall / 1e6);
	printf("peak own memory   %.1f MB\n", (double)bench->anon_kb / 1024);
	printf("peak RSS          %.1f MB (with pages of the mapped files)\n",
	    (double)bench->rss_kb / 1024);
}

static void
open_files(struct bench *bench, const char *path, bool spills)
{
	const char *dir = getenv("TMPDIR");
	struct stat st;
	void *map;

	bench->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (bench->fd == -1 || fstat(bench->fd, &st) < 0)
		die(path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
	    bench->fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	bench->car = (struct bytes){ map, (size_t)st.st_size };
	bench->spill_fd = -1;
	if (!spills)
		return;
	bench->spill_fd = open(dir != NULL ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC,
	    0600);
	if (bench->spill_fd == -1)
		die("spill file");
}

int
main(int argc, char **argv)
{
	struct bench bench = { .measures_memory = true };
	static struct runs runs;
	struct keypair *pair = maker_keypair(KEY_K256);
	struct rusage usage;
	struct repo *repo;
	uint64_t mb = 0;

	if (argc < 2 || argc > 3 || (argc == 3 && str_to_u64(str_from(argv[2]),
	    &mb) < 0)) {
		fputs("usage: repo-verify FILE.car [MEMORY_MB]\n", stderr);
		return EXIT_USAGE;
	}
	bench.memory_bytes = (size_t)mb << 20;
	bench.key = keypair_public(pair);
	open_files(&bench, argv[1], argc == 3);
	repo = verify(&bench);
	getrusage(RUSAGE_SELF, &usage);
	bench.rss_kb = usage.ru_maxrss;
	bench.measures_memory = false;
	run(&bench, repo, &runs);
	repo_free(&repo);
	print_results(&bench, &runs);
	keypair_free(&pair);
	return EXIT_OK;
}
