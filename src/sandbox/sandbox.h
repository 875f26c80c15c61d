/*
 * sandbox.h - what a process gives up for good before it reads hostile bytes.
 *
 * Process: those that parse what servers send, each on itself, before it has
 * threads.  The steps:
 *
 *	sandbox_network()	a network of its own with nothing in it; namespaces(7)
 *	sandbox_files()		no files but those under some paths; landlock(7)
 *	sandbox_syscalls()	no system calls but some; seccomp(2)
 *	sandbox_limit()		memory, time, descriptors; setrlimit(2)
 *
 * Each holds for all descendants and across exec, cannot be undone, and works
 * without the others; that is also the order to take them in, since a later one
 * may forbid what an earlier one needs.  Descriptors that are open stay usable.
 *
 * A kernel or a container may refuse any of them, so no step fails: what became of
 * each is kept in the struct, and its owner decides what it can do without, and
 * tells the operator with sandbox_format().
 */
#ifndef BF_SANDBOX_SANDBOX_H
#define BF_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, what an operator reads) */
#define SANDBOX_PARTS(X)		\
	X(NETWORK,	"network")	\
	X(FILES,	"files")	\
	X(SYSCALLS,	"system calls")	\
	X(LIMITS,	"limits")

enum sandbox_part {
#define X(name, text) SANDBOX_##name,
	SANDBOX_PARTS(X)
#undef X
	SANDBOX_PART_COUNT
};

#define SANDBOX_WHY_SIZE	128

struct sandbox_state {
	bool is_active;
	char why[SANDBOX_WHY_SIZE];	/* it is not; "" if it is, or was not asked for */
};

struct sandbox {
	struct sandbox_state parts[SANDBOX_PART_COUNT];
};

/* Nothing is active yet.  Sets no_new_privs, which the other steps need. */
void sandbox_init(struct sandbox *sandbox);

/* Also leaves the System V objects of the others behind. */
void sandbox_network(struct sandbox *sandbox);

enum sandbox_access {
	SANDBOX_READ = 1,	/* files and the lists of directories */
	SANDBOX_EXECUTE = 2,
	SANDBOX_WRITE = 4,	/* and create, rename, remove */
};

struct sandbox_path {
	const char *path;	/* a file, or a directory with all below it */
	unsigned access;	/* enum sandbox_access bits */
};

/* A path that does not exist is left out. */
void sandbox_files(struct sandbox *sandbox, const struct sandbox_path *paths,
    size_t count);

enum sandbox_verdict {
	SANDBOX_ALLOW,
	SANDBOX_DENY,		/* EPERM */
	SANDBOX_MISSING,	/* ENOSYS: the C library then tries an older call */
	SANDBOX_KILL,		/* the process, by SIGSYS */
	SANDBOX_TELL,		/* SIGSYS to the thread: sandbox_on_forbidden() */
};

struct sandbox_rule {
	const char *syscall;	/* one that the architecture lacks is left out */
	enum sandbox_verdict verdict;	/* another one than that of `others` */
	/* Only if (that argument & mask) == value; mask 0: in any case. */
	unsigned argument;
	uint64_t mask, value;
};

/* Calls without a rule get the verdict `others`. */
void sandbox_syscalls(struct sandbox *sandbox, const struct sandbox_rule *rules,
    size_t count, enum sandbox_verdict others);

/* Lower a resource of setrlimit(2), soft and hard.  Never raises one. */
void sandbox_limit(struct sandbox *sandbox, int resource, uint64_t value);

/*
 * From now on a call whose verdict is SANDBOX_TELL ends in `cb`, which gets its name
 * ("ptrace", or a number).  It runs in the thread that made the call, right where
 * it made it; the call was not done, and is not done if cb returns, which it should
 * not: then the process is killed by SIGSYS.  One handler per process.
 */
typedef void sandbox_forbidden_cb(const char *call, void *arg);
void sandbox_on_forbidden(sandbox_forbidden_cb *cb, void *arg);

/* "network"; what an operator reads. */
const char *sandbox_part_name(enum sandbox_part part);

bool sandbox_is_active(const struct sandbox *sandbox, enum sandbox_part part);

/* "network active, files not available (Landlock: ...), ..."; cut to the size. */
void sandbox_format(const struct sandbox *sandbox, char *text_out, size_t size);

#endif
