#include "ctl/repo_session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atproto/diddoc.h"
#include "common/clock.h"
#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/limits.h"

#define READ_BYTES	(64 * 1024)
#define CHECK_NODES	100000	/* per call; nothing else waits for us */

void
repo_session_init(struct repo_session *s, const struct repo_args *args)
{
	*s = (struct repo_session){ .args = args, .fd = -1, .spill_fd = -1 };
}

void
repo_session_clear(struct repo_session *s)
{
	repo_free(&s->repo);
	buf_clear(&s->out);
	if (s->fd != STDIN_FILENO)
		fd_close(&s->fd);
	fd_close(&s->spill_fd);
}

int
repo_session_errno(const char *path)
{
	fprintf(stderr, "backfillctl repo: %s: %s\n", path, strerror(errno));
	return EXIT_SYSTEM;
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
	if (snprintf(path, sizeof(path), "%s/backfillctl-XXXXXX",
	    dir) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* A regular file is read again where it is; anything else has to be kept. */
static int
open_files(struct repo_session *s)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	bool is_stdin = strcmp(s->args->path, "-") == 0;
	struct stat st;

	s->fd = is_stdin ? STDIN_FILENO : open(s->args->path, O_RDONLY | O_CLOEXEC);
	if (s->fd == -1 || fstat(s->fd, &st) == -1)
		return repo_session_errno(s->args->path);
	if (S_ISREG(st.st_mode) && !is_stdin) {
		options.spill_fd = s->fd;
		options.spill_has_car = true;
	} else {
		s->spill_fd = open_spill();
		if (s->spill_fd == -1)
			return repo_session_errno("temporary file");
		options.spill_fd = s->spill_fd;
	}
	s->repo = repo_new(&options);
	return EXIT_OK;
}

/* EXIT_FAILED and a fault if the bytes are no repository. */
static int
feed(struct repo_session *s, struct fault *fault)
{
	static uint8_t piece[READ_BYTES];

	for (;;) {
		ssize_t n = read(s->fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return repo_session_errno(s->args->path);
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
		return repo_session_errno(path);
	/* One byte over the limit is enough for diddoc_parse() to refuse it. */
	while (buf_len(to) <= LIMIT_DIDDOC_BYTES) {
		ssize_t n = read(fd, buf_reserve(to, READ_BYTES), READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = repo_session_errno(path);
		if (n <= 0)
			break;
		buf_added(to, (size_t)n);
	}
	close(fd);
	return rc;
}

static int
key_of_did_doc(struct repo_session *s, struct str did)
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
find_key(struct repo_session *s, struct str did)
{
	if (s->args->did_doc != NULL)
		return key_of_did_doc(s, did);
	if (s->args->key == NULL)
		return EXIT_OK;
	if (key_parse_did_key(str_from(s->args->key), &s->key) < 0) {
		fprintf(stderr,
		    "backfillctl repo: %s: is not a did:key of secp256k1 or P-256\n",
		    s->args->key);
		return EXIT_USAGE;
	}
	s->has_key = true;
	return EXIT_OK;
}

int
repo_session_prove(struct repo_session *s, struct fault *fault)
{
	bool verifies = strcmp(s->args->verb, "verify") == 0;
	struct commit_expect expect = { .did = str_from(s->args->did),
	    .now_us = clock_wall_us(), .allow_version2 = !verifies };
	enum repo_step step;
	int rc = open_files(s);

	if (rc == EXIT_OK)
		rc = feed(s, fault);
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
