#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/env.h"

static int
fail(int rc, const char *dir, struct err *err)
{
	(void)err_set(err, ERR_SYSTEM, "store %s: %s", dir, mdb_strerror(rc));
	if (rc == ENOENT)
		err->code = ERR_NOT_FOUND;
	else if (rc == ENOSPC || rc == EIO || rc == EFBIG || rc == EDQUOT)
		err->code = ERR_DISK_FULL;
	else if (rc == MDB_INVALID || rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND)
		err->code = ERR_CORRUPT;
	return -1;
}

static int
sync_file(const char *dir, uint64_t *bytes_out, struct err *err)
{
	char path[4096];
	struct stat st;
	int fd, rc = 0;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return err_errno(err, "open(%s)", path);
	if (fsync(fd) == -1 || fstat(fd, &st) == -1)
		rc = err_errno(err, "fsync(%s)", path);
	else
		*bytes_out = (uint64_t)st.st_size;
	(void)close(fd);
	return rc;
}

int
store_backup(const char *from_dir, const char *to_dir, uint64_t *bytes_out,
    struct err *err)
{
	MDB_env *env;
	int rc;

	if (env_check_files(from_dir, err) == -1)
		return -1;
	rc = mdb_env_create(&env);
	if (rc != 0)
		return fail(rc, from_dir, err);
	rc = mdb_env_open(env, from_dir, MDB_RDONLY | MDB_NOTLS, 0600);
	if (rc == 0)
		rc = mdb_env_copy2(env, to_dir, MDB_CP_COMPACT);
	mdb_env_close(env);
	return rc == 0 ? sync_file(to_dir, bytes_out, err) : fail(rc, from_dir, err);
}
