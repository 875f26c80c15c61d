/*
 * landlock.c - files, by Landlock.
 *
 * The C library has no functions for it, and the headers of a distribution are
 * older than the kernels that people run, so calls and rights are spelled out.  A
 * kernel refuses rights that it does not know: they are taken by its version.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox_impl.h"

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE	(1ULL << 14)	/* since version 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV	(1ULL << 15)	/* since version 5 */
#endif

#define READ_RIGHTS	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS							\
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |	\
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |	\
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |	\
	LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE)
/* Sockets, pipes and devices are made, and devices spoken to, by nobody here. */
#define OTHER_RIGHTS							\
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |	\
	LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |	\
	LANDLOCK_ACCESS_FS_IOCTL_DEV)
#define FILE_RIGHTS							\
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |	\
	LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

static uint64_t
rights_known(long version)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_EXECUTE | READ_RIGHTS | WRITE_RIGHTS |
	    OTHER_RIGHTS;

	if (version < 2)
		rights &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
	if (version < 3)
		rights &= ~LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version < 5)
		rights &= ~LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

static uint64_t
rights_of(unsigned access)
{
	return (access & SANDBOX_READ ? READ_RIGHTS : 0) |
	    (access & SANDBOX_EXECUTE ? LANDLOCK_ACCESS_FS_EXECUTE : 0) |
	    (access & SANDBOX_WRITE ? WRITE_RIGHTS : 0);
}

/* 0 also for a path that is not there. */
static int
allow(int ruleset, const struct sandbox_path *path, uint64_t known)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights_of(path->access) & known,
	};
	struct stat st;
	int result = 0;

	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (fstat(rule.parent_fd, &st) == -1)
		result = -1;
	else if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_RIGHTS;
	if (result == 0 && syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == -1)
		result = -1;
	(void)close(rule.parent_fd);
	return result;
}

void
sandbox_files(struct sandbox *sandbox, const struct sandbox_path *paths, size_t count)
{
	struct landlock_ruleset_attr attr = { 0 };
	int ruleset, result = 0;
	long version;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (version == -1) {
		sandbox_refused(sandbox, SANDBOX_FILES, "Landlock", errno);
		return;
	}
	attr.handled_access_fs = rights_known(version);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset == -1) {
		sandbox_refused(sandbox, SANDBOX_FILES, "landlock_create_ruleset", errno);
		return;
	}
	for (size_t i = 0; i < count && result == 0; i++)
		result = allow(ruleset, &paths[i], attr.handled_access_fs);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (result == -1)
		sandbox_refused(sandbox, SANDBOX_FILES, "landlock_restrict_self", errno);
	else
		sandbox_active(sandbox, SANDBOX_FILES);
	(void)close(ruleset);
}
