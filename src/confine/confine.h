/*
 * confine.h - what each of our processes keeps for itself, and gives up the rest.
 *
 * Process: every worker, the indexer, the resolver and the API, each on itself, once
 * its libraries are set up and it knows its settings, and before it is given any
 * work.  The limits of setrlimit(2) are not from here: the supervisor sets them
 * before exec (supervisor/spawn.h), for workers in any language.
 *
 * What the kernel lacks is left out: the report to the supervisor says so, which
 * logs it once and tells `backfillctl doctor`.
 */
#ifndef BF_CONFINE_CONFINE_H
#define BF_CONFINE_CONFINE_H

#include <stddef.h>

#include "sandbox/sandbox.h"

struct channel;

/* Beyond what every process may: memory, threads, its loop, its descriptors, the
 * clock, and reading what it may open. */
enum confine_need {
	CONFINE_CONNECT = 1,	/* to servers, with names resolved and TLS */
	CONFINE_UNIX = 2,	/* only to sockets of this machine */
	CONFINE_ACCEPT = 4,	/* on a listening socket that it was given */
	CONFINE_WRITE = 8,	/* files: of those paths that say so */
	CONFINE_HELPER = 16,	/* start a program, which confines itself further */
};

#define CONFINE_PATHS_MAX	16

/* The error class of an operation whose worker made a forbidden call. */
#define CLASS_FORBIDDEN_CALL	"forbidden-call"

struct confine {
	unsigned needs;				/* enum confine_need bits */
	struct sandbox_path paths[CONFINE_PATHS_MAX];	/* texts are borrowed */
	size_t count;
};

/* The paths that those needs imply: what TLS and the resolver read. */
void confine_init(struct confine *confine, unsigned needs);

/* One path more. */
void confine_add(struct confine *confine, const char *path, unsigned access);

/*
 * Give up everything else and report to the supervisor on its channel.  A
 * forbidden call then ends in cb (sandbox.h); NULL: it is logged and the process
 * dies by SIGSYS.  A process that connects to no server gets a network of its own.
 */
void confine_self(const struct confine *confine, struct channel *control,
    sandbox_forbidden_cb *cb, void *arg);

#endif
