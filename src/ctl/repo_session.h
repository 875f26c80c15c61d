/*
 * repo_session.h - a CAR file that `backfillctl repo` looks into: opened, read into
 * a struct repo, and proved.
 */
#ifndef BF_CTL_REPO_SESSION_H
#define BF_CTL_REPO_SESSION_H

#include <stdbool.h>

#include "atproto/filter.h"
#include "atproto/key.h"
#include "atproto/repo.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/json.h"

/* What the command line says. */
struct repo_args {
	const char *verb;		/* "verify", "ls", "export" */
	const char *path;		/* "-" is standard input */
	const char *did, *key, *did_doc;	/* or NULL */
	bool json;
	struct filter *filter;		/* owned; NULL: everything */
};

struct repo_session {
	const struct repo_args *args;	/* borrowed */
	/* owned */
	struct repo *repo;		/* NULL until repo_session_open() */
	int fd, spill_fd;
	struct buf out;			/* what goes to standard output */
	struct json json;		/* to out, while a list stands open */
	/* what the commit was checked with */
	struct key key;
	bool has_key;
};

void repo_session_init(struct repo_session *s, const struct repo_args *args);
void repo_session_clear(struct repo_session *s);

/*
 * Open the file, read it and prove all of it.  Returns an exit status; what a user
 * has to know was then said on standard error, except for a fault of the
 * repository: EXIT_FAILED with fault->code set is the caller's to tell.
 */
int repo_session_prove(struct repo_session *s, struct fault *fault);

/* "backfillctl repo: PATH: " and errno's text.  Returns EXIT_SYSTEM. */
int repo_session_errno(const char *path);

#endif
