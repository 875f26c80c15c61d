#include "ctl/cmd_repo.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atproto/dagcbor_json.h"
#include "atproto/did.h"
#include "atproto/diddoc.h"
#include "atproto/repo.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/json.h"
#include "common/limits.h"

#define READ_BYTES	(64 * 1024)
#define CHECK_NODES	100000	/* per call; nothing else waits for us */
#define FLUSH_BYTES	(256 * 1024)

struct args {
	const char *verb;
	const char *path;		/* "-" is standard input */
	const char *did, *key, *did_doc;	/* or NULL */
	bool json;
	struct filter *filter;		/* owned; NULL: everything */
};

/* An opened repository and what is known of it. */
struct session {
	const struct args *args;
	struct repo *repo;		/* owned */
	int fd, spill_fd;		/* owned */
	struct key key;
	bool has_key;
	struct buf out;			/* owned: what goes to standard output */
};

static int
usage(void)
{
	fputs("usage: backfillctl repo verify FILE.car [--did DID]\n"
	    "           [--key did:key:... | --did-doc FILE] [--json]\n"
	    "       backfillctl repo ls FILE.car [--collection PATTERN]...\n"
	    "       backfillctl repo export FILE.car [--collection PATTERN]...\n"
	    "FILE.car can be - for standard input.  A PATTERN is a collection's name, or\n"
	    "its beginning as in pub.chive.*\n", stderr);
	return EXIT_USAGE;
}

static int
say_usage(const char *text, const char *what)
{
	fprintf(stderr, "backfillctl repo: %s: %s\n", what, text);
	return usage();
}

/* errno tells why. */
static int
say_errno(const char *path)
{
	fprintf(stderr, "backfillctl repo: %s: %s\n", path, strerror(errno));
	return EXIT_SYSTEM;
}

static int
add_collection(struct args *args, const char *pattern)
{
	if (args->filter == NULL)
		args->filter = filter_new();
	if (filter_add(args->filter, str_from(pattern)) < 0)
		return say_usage("is not a collection or a pattern of them", pattern);
	return EXIT_OK;
}

/* One option; EXIT_OK if it is right. */
static int
take_option(struct args *args, int option)
{
	switch (option) {
	case 'd':
		args->did = optarg;
		if (!did_is_valid(str_from(optarg)))
			return say_usage("is not a DID", optarg);
		return EXIT_OK;
	case 'k':
		args->key = optarg;
		return EXIT_OK;
	case 'D':
		args->did_doc = optarg;
		return EXIT_OK;
	case 'j':
		args->json = true;
		return EXIT_OK;
	case 'c':
		return add_collection(args, optarg);
	default:
		return usage();
	}
}

static int
parse_args(struct args *args, int argc, char **argv)
{
	static const struct option options[] = {
		{ "did", required_argument, NULL, 'd' },
		{ "key", required_argument, NULL, 'k' },
		{ "did-doc", required_argument, NULL, 'D' },
		{ "json", no_argument, NULL, 'j' },
		{ "collection", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	if (argc < 2)
		return usage();
	args->verb = argv[1];
	if (strcmp(args->verb, "verify") != 0 && strcmp(args->verb, "ls") != 0 &&
	    strcmp(args->verb, "export") != 0)
		return usage();
	optind = 0;	/* getopt may have run over the whole command line before */
	while ((option = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1) {
		int rc = take_option(args, option);

		if (rc != EXIT_OK)
			return rc;
	}
	if (argc - 1 - optind != 1)
		return usage();
	if (args->key != NULL && args->did_doc != NULL)
		return say_usage("give only one of them", "--key and --did-doc");
	args->path = argv[1 + optind];
	return EXIT_OK;
}

static void
flush(struct session *s, size_t above_bytes)
{
	if (buf_len(&s->out) > above_bytes) {
		fwrite(buf_data(&s->out), 1, buf_len(&s->out), stdout);
		buf_reset(&s->out);
	}
}

/* An unlinked file for what does not fit into memory. */
static int
open_spill(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (snprintf(path, sizeof(path), "%s/backfillctl-XXXXXX", dir) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int
open_files(struct session *s)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	bool is_stdin = strcmp(s->args->path, "-") == 0;

	s->fd = is_stdin ? STDIN_FILENO : open(s->args->path, O_RDONLY | O_CLOEXEC);
	if (s->fd == -1)
		return say_errno(s->args->path);
	s->spill_fd = open_spill();
	if (s->spill_fd == -1)
		return say_errno("temporary file");
	options.spill_fd = s->spill_fd;
	s->repo = repo_new(&options);
	return EXIT_OK;
}

/* EXIT_FAILED and a fault if the bytes are no repository. */
static int
feed(struct session *s, struct fault *fault)
{
	static uint8_t piece[READ_BYTES];

	for (;;) {
		ssize_t n = read(s->fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return say_errno(s->args->path);
		if (n == 0)
			break;
		if (repo_feed(s->repo, (struct bytes){ piece, (size_t)n }, fault) < 0)
			return EXIT_FAILED;
	}
	return repo_feed_end(s->repo, fault) < 0 ? EXIT_FAILED : EXIT_OK;
}

static int
read_did_doc(const char *path, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = EXIT_OK;

	if (fd == -1)
		return say_errno(path);
	/* One byte over the limit is enough for diddoc_parse() to refuse it. */
	while (buf_len(to) <= LIMIT_DIDDOC_BYTES) {
		ssize_t n = read(fd, buf_reserve(to, READ_BYTES), READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = say_errno(path);
		if (n <= 0)
			break;
		buf_added(to, (size_t)n);
	}
	close(fd);
	return rc;
}

static int
key_of_did_doc(struct session *s, struct str did)
{
	struct buf json = BUF_INIT;
	struct diddoc doc;
	struct err err;
	int rc = read_did_doc(s->args->did_doc, &json);

	if (rc == EXIT_OK && diddoc_parse(buf_bytes(&json), did, true, &doc, &err) < 0) {
		fprintf(stderr, "backfillctl repo: %s: %s\n", s->args->did_doc, err.text);
		rc = EXIT_FAILED;
	} else if (rc == EXIT_OK) {
		s->key = doc.key;
		s->has_key = doc.has_key;
		diddoc_clear(&doc);
		if (!s->has_key) {
			fprintf(stderr, "backfillctl repo: %s: no signing key #atproto\n",
			    s->args->did_doc);
			rc = EXIT_FAILED;
		}
	}
	buf_clear(&json);
	return rc;
}

static int
find_key(struct session *s, struct str did)
{
	if (s->args->did_doc != NULL)
		return key_of_did_doc(s, did);
	if (s->args->key == NULL)
		return EXIT_OK;
	if (key_parse_did_key(str_from(s->args->key), &s->key) < 0)
		return say_usage("is not a did:key of secp256k1 or P-256", s->args->key);
	s->has_key = true;
	return EXIT_OK;
}

/* The whole proof.  EXIT_FAILED with fault->code FAULT_NONE if the reason was said. */
static int
check(struct session *s, struct fault *fault)
{
	bool verifies = strcmp(s->args->verb, "verify") == 0;
	struct commit_expect expect = { .did = str_from(s->args->did),
	    .now_us = clock_wall_us(), .allow_version2 = !verifies };
	enum repo_step step;
	int rc = feed(s, fault);

	if (rc != EXIT_OK)
		return rc;
	rc = find_key(s, expect.did.len > 0 ? expect.did : repo_commit(s->repo)->did);
	if (rc != EXIT_OK)
		return rc;
	expect.key = s->has_key ? &s->key : NULL;
	if (repo_check_commit(s->repo, &expect, fault) < 0)
		return EXIT_FAILED;
	do
		step = repo_check_tree(s->repo, CHECK_NODES, fault);
	while (step == REPO_AGAIN);
	return step == REPO_DONE ? EXIT_OK : EXIT_FAILED;
}

static int
each_record(struct session *s, void each(struct session *, const struct repo_record *,
    const struct repo_walk *))
{
	struct repo_walk *walk = repo_walk_new(s->repo, s->args->filter);
	struct repo_record record;
	struct fault fault;
	char text[FAULT_TEXT_SIZE];
	int rc;

	while ((rc = repo_walk_next(walk, &record, &fault)) > 0) {
		each(s, &record, walk);
		flush(s, FLUSH_BYTES);
	}
	if (rc < 0) {
		fault_format(&fault, text);
		fprintf(stderr, "backfillctl repo: %s\n", text);
	}
	repo_walk_free(&walk);
	return rc < 0 ? EXIT_SYSTEM : EXIT_OK;
}

static void
say_bad(const struct repo_walk *walk)
{
	struct fault fault = repo_walk_fault(walk);
	char text[FAULT_TEXT_SIZE];

	fault_format(&fault, text);
	fprintf(stderr, "bad record: %s\n", text);
}

static void
ls_one(struct session *s, const struct repo_record *record, const struct repo_walk *walk)
{
	char cid[CID_TEXT_SIZE];

	cid_format(&record->cid, cid);
	buf_printf(&s->out, "%.*s\t%s\t", STR_FMT(record->path), cid);
	if (record->bad == FAULT_NONE) {
		buf_printf(&s->out, "%zu\n", record->bytes.len);
	} else {
		buf_printf(&s->out, "-\n");
		say_bad(walk);
	}
}

static void
export_one(struct session *s, const struct repo_record *record,
    const struct repo_walk *walk)
{
	char cid[CID_TEXT_SIZE];

	if (record->bad != FAULT_NONE) {
		say_bad(walk);
		return;
	}
	/* DIDs, paths and CIDs have no characters that JSON escapes. */
	cid_format(&record->cid, cid);
	buf_printf(&s->out, "{\"uri\":\"at://%.*s/%.*s\",\"cid\":\"%s\",\"value\":",
	    STR_FMT(repo_commit(s->repo)->did), STR_FMT(record->path), cid);
	dagcbor_to_json(record->bytes, &s->out);
	buf_add_str(&s->out, STR("}\n"));
}

static void
verify_one(struct session *s, const struct repo_record *record,
    const struct repo_walk *walk)
{
	struct fault fault = repo_walk_fault(walk);
	char text[FAULT_TEXT_SIZE];

	if (record->bad == FAULT_NONE)
		return;
	fault_format(&fault, text);
	buf_printf(&s->out, "bad record %.*s: %s\n", STR_FMT(record->path), text);
}

static void
bad_json_one(struct session *s, const struct repo_record *record,
    const struct repo_walk *walk)
{
	struct fault fault = repo_walk_fault(walk);
	struct json json = json_to(&s->out);

	if (record->bad == FAULT_NONE)
		return;
	/* The list stands open; its first member is preceded by '['. */
	json.needs_comma = buf_data(&s->out)[buf_len(&s->out) - 1] == '}';
	json_object_begin(&json);
	json_member_str(&json, STR("path"), record->path);
	json_member_str(&json, STR("reason"), str_from(fault_kind(fault.code)));
	json_member_str(&json, STR("text"), str_from(fault_text(fault.code)));
	json_member_u64(&json, STR("offset"), fault.offset);
	json_object_end(&json);
}

static void
write_fault(struct session *s, const struct fault *fault)
{
	struct json json = json_to(&s->out);
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	if (!s->args->json) {
		buf_printf(&s->out, "invalid: %s\n", text);
		return;
	}
	json_object_begin(&json);
	json_member_bool(&json, STR("valid"), false);
	json_member_str(&json, STR("reason"), str_from(fault_kind(fault->code)));
	json_member_str(&json, STR("message"), str_from(text));
	if (fault->offset != FAULT_NO_OFFSET)
		json_member_u64(&json, STR("offset"), fault->offset);
	if (fault->detail[0] != '\0')
		json_member_str(&json, STR("detail"), str_from(fault->detail));
	json_object_end(&json);
	buf_add_byte(&s->out, '\n');
}

static int
write_valid_json(struct session *s)
{
	const struct commit *commit = repo_commit(s->repo);
	struct repo_stats stats = repo_stats(s->repo);
	struct json json = json_to(&s->out);
	char cid[CID_TEXT_SIZE];
	int rc;

	json_object_begin(&json);
	json_member_bool(&json, STR("valid"), true);
	json_member_str(&json, STR("did"), commit->did);
	json_member_str(&json, STR("rev"), commit->rev);
	cid_format(&commit->cid, cid);
	json_member_str(&json, STR("commit"), str_from(cid));
	cid_format(&commit->data, cid);
	json_member_str(&json, STR("data"), str_from(cid));
	json_member_bool(&json, STR("signatureChecked"), s->has_key);
	json_member_u64(&json, STR("records"), stats.records);
	json_member_u64(&json, STR("recordsBad"), stats.records_bad);
	json_member_u64(&json, STR("nodes"), stats.nodes);
	json_member_u64(&json, STR("blocks"), stats.blocks);
	json_member_u64(&json, STR("bytes"), stats.bytes);
	json_name(&json, STR("bad"));
	json_array_begin(&json);
	rc = stats.records_bad > 0 ? each_record(s, bad_json_one) : EXIT_OK;
	json_array_end(&json);
	json_object_end(&json);
	buf_add_byte(&s->out, '\n');
	return rc;
}

static int
write_valid(struct session *s)
{
	const struct commit *commit = repo_commit(s->repo);
	struct repo_stats stats = repo_stats(s->repo);
	char cid[CID_TEXT_SIZE], data[CID_TEXT_SIZE];

	if (s->args->json)
		return write_valid_json(s);
	cid_format(&commit->cid, cid);
	cid_format(&commit->data, data);
	buf_printf(&s->out, "valid: %.*s at %.*s\n", STR_FMT(commit->did),
	    STR_FMT(commit->rev));
	buf_printf(&s->out, "commit %s\ndata %s\n", cid, data);
	buf_printf(&s->out, "signature %s\n", s->has_key ? "checked" :
	    "not checked: give --key or --did-doc");
	buf_printf(&s->out, "records %" PRIu64 ", of these bad %" PRIu64 "\n", stats.records,
	    stats.records_bad);
	buf_printf(&s->out, "nodes %" PRIu64 ", blocks %" PRIu64 ", bytes %" PRIu64 "\n",
	    stats.nodes, stats.blocks, stats.bytes);
	return stats.records_bad > 0 ? each_record(s, verify_one) : EXIT_OK;
}

static int
run(struct session *s)
{
	struct fault fault = FAULT_INIT;
	int rc = open_files(s);

	if (rc != EXIT_OK)
		return rc;
	rc = check(s, &fault);
	if (rc == EXIT_FAILED && fault.code != FAULT_NONE)
		write_fault(s, &fault);
	if (rc != EXIT_OK)
		return rc;
	if (strcmp(s->args->verb, "ls") == 0)
		return each_record(s, ls_one);
	if (strcmp(s->args->verb, "export") == 0)
		return each_record(s, export_one);
	return write_valid(s);
}

int
cmd_repo(int argc, char **argv)
{
	struct args args = { .verb = NULL };
	struct session session = { .args = &args, .fd = -1, .spill_fd = -1 };
	int rc = parse_args(&args, argc, argv);

	if (rc == EXIT_OK) {
		rc = run(&session);
		flush(&session, 0);
		if ((fflush(stdout) != 0 || ferror(stdout)) && rc == EXIT_OK)
			rc = say_errno("standard output");
	}
	repo_free(&session.repo);
	buf_clear(&session.out);
	if (session.fd != STDIN_FILENO)
		fd_close(&session.fd);
	fd_close(&session.spill_fd);
	filter_free(&args.filter);
	return rc;
}
