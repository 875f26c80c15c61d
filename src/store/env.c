#include "store/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/number.h"

#define META_SCHEMA	"schema"
#define META_WRITER	"writer"
#define META_VERSION	1

#define MAP_MIN_BYTES	((size_t)1 << 30)	/* give up below */
#define READERS_MAX	512	/* slots of all processes together: 32 KiB of lock file */
#define OPEN_TRIES	5
#define OPEN_PAUSE_NS	20000000

static struct env *open_envs;

static bool
is_open(const struct stat *st)
{
	for (const struct env *e = open_envs; e != NULL; e = e->next_open)
		if (e->dev == st->st_dev && e->ino == st->st_ino)
			return true;
	return false;
}

static void
forget_open(const struct env *env)
{
	for (struct env **at = &open_envs; *at != NULL; at = &(*at)->next_open) {
		if (*at == env) {
			*at = env->next_open;
			return;
		}
	}
}

static void
on_assert(MDB_env *mdb, const char *text)
{
	const char *dir = "?";

	(void)mdb_env_get_path(mdb, &dir);
	log_error("store %s: LMDB: %s", dir, text);
	abort();
}

static enum err_code
code_of(int rc)
{
	switch (rc) {
	case EIO:	/* what a short write to a full disk becomes in LMDB */
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case MDB_MAP_FULL:
		return ERR_DISK_FULL;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_PERMISSION;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_INCOMPATIBLE:
		return ERR_CORRUPT;
	case MDB_VERSION_MISMATCH:
		return ERR_VERSION;
	case MDB_NOTFOUND:
	case ENOENT:
		return ERR_NOT_FOUND;
	case MDB_READERS_FULL:
	case MDB_MAP_RESIZED:
		return ERR_UNAVAILABLE;
	default:
		return ERR_SYSTEM;
	}
}

int
env_fail(struct env *env, int rc, const char *what, struct err *err)
{
	struct statvfs fs;

	if (rc == MDB_MAP_FULL)
		env->is_full = true;	/* before the next one it grows */
	if (rc == MDB_PANIC) {
		log_error("store %s: %s: %s", env->dir, what, mdb_strerror(rc));
		abort();
	}
	if (code_of(rc) == ERR_DISK_FULL && statvfs(env->dir, &fs) == 0)
		return err_set(err, ERR_DISK_FULL, "store %s: %s: %s; %llu MiB are free",
		    env->dir, what, mdb_strerror(rc),
		    (unsigned long long)fs.f_bavail * fs.f_frsize >> 20);
	return err_set(err, code_of(rc), "store %s: %s: %s", env->dir, what,
	    mdb_strerror(rc));
}

/* One attempt with one map size; mdb_out is NULL after a failure. */
static int
open_once(const char *dir, const struct env_options *options, size_t map_bytes,
    MDB_env **mdb_out)
{
	unsigned flags = MDB_NOTLS | (options->may_write ? 0 : MDB_RDONLY) |
	    (options->is_larger_than_memory ? MDB_NORDAHEAD : 0);
	MDB_env *mdb = NULL;
	int fd, rc;

	if ((rc = mdb_env_create(&mdb)) != 0)
		return rc;
	if ((rc = mdb_env_set_mapsize(mdb, map_bytes)) != 0 ||
	    (rc = mdb_env_set_maxdbs(mdb, options->tables_count + 1)) != 0 ||
	    (rc = mdb_env_set_maxreaders(mdb, READERS_MAX)) != 0 ||
	    (rc = mdb_env_set_assert(mdb, on_assert)) != 0 ||
	    (rc = mdb_env_open(mdb, dir, flags, 0600)) != 0 ||
	    (rc = mdb_env_get_fd(mdb, &fd)) != 0)
		goto fail;
	if (fd_set_cloexec(fd, true) == -1) {
		rc = errno;
		goto fail;
	}
	*mdb_out = mdb;
	return 0;
fail:
	mdb_env_close(mdb);
	return rc;
}

/* The lock file, by which env_lost_its_lock() knows it again. */
static void
remember_lock(struct env *env)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/lock.mdb", env->dir);
	if (stat(path, &st) == 0)
		env->lock_ino = st.st_ino;
}

/* The names of a new store's files, and its own, are not on the disk by themselves. */
static int
sync_names(const struct env *env, struct err *err)
{
	static const char *const names[] = { "", "/.." };
	char path[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd, rc;

		(void)snprintf(path, sizeof(path), "%s%s", env->dir, names[i]);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			return err_errno(err, "open(%s)", path);
		rc = fsync(fd);
		if (rc == -1)
			(void)err_errno(err, "fsync(%s)", path);
		fd_close(&fd);
		if (rc == -1)
			return -1;
	}
	return 0;
}

int
env_check_files(const char *dir, struct err *err)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char path[4096];
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
			return err_set(err, ERR_CORRUPT, "store %s: is no regular file", path);
	}
	return 0;
}

/*
 * Less address space is tried where there is not enough (RLIMIT_AS, valgrind).
 * EAGAIN means that another process opens or closes it at this very moment.
 */
static int
open_mdb(struct env *env, const struct env_options *options, struct err *err)
{
	size_t map_bytes = options->map_bytes;
	int tries = OPEN_TRIES;
	int rc;

	while ((rc = open_once(env->dir, options, map_bytes, &env->mdb)) != 0) {
		if (rc == ENOMEM && map_bytes / 4 >= MAP_MIN_BYTES)
			map_bytes /= 4;
		else if (rc == EAGAIN && --tries > 0)
			(void)nanosleep(&(struct timespec){ .tv_nsec = OPEN_PAUSE_NS },
			    NULL);
		else
			return env_fail(env, rc, "open", err);
	}
	return 0;
}

static int
open_table(struct txn *txn, struct table *table, bool may_make, bool *is_there_out,
    struct err *err)
{
	int rc;

	table->dbi = 0;
	rc = mdb_dbi_open(txn->mdb, table->name, may_make ? MDB_CREATE : 0,
	    &table->dbi);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return env_fail(txn->env, rc, table->name, err);
	*is_there_out = rc == 0;
	return 0;
}

/* A fresh environment has nothing in it; anything else without our meta table
 * is somebody else's. */
static int
check_fresh(struct txn *txn, struct err *err)
{
	MDB_stat stat;
	MDB_dbi main_dbi;
	int rc;

	if ((rc = mdb_dbi_open(txn->mdb, NULL, 0, &main_dbi)) != 0 ||
	    (rc = mdb_stat(txn->mdb, main_dbi, &stat)) != 0)
		return env_fail(txn->env, rc, "main table", err);
	if (stat.ms_entries > 0)
		return err_set(err, ERR_CORRUPT, "store %s: has no meta table",
		    txn->env->dir);
	return 0;
}

static int
check_schema(struct txn *txn, const struct env_options *options,
    bool *is_current_out, struct err *err)
{
	struct env *env = txn->env;
	struct value schema, writer;
	uint64_t number;

	if (table_find(txn, &env->meta, key_text(META_SCHEMA), &schema, err) == -1 ||
	    table_find(txn, &env->meta, key_text(META_WRITER), &writer, err) == -1)
		return -1;
	if (schema.body.len != sizeof(number))
		return err_set(err, ERR_CORRUPT, "store %s: has no schema version",
		    env->dir);
	number = u64_decode(schema.body.ptr);
	if (number > options->schema)
		return err_set(err, ERR_VERSION, "store %s: has schema %llu, written by "
		    "version %.*s; this version knows schema %llu only", env->dir,
		    (unsigned long long)number,
		    (int)writer.body.len, (const char *)writer.body.ptr,
		    (unsigned long long)options->schema);
	*is_current_out = number == options->schema &&
	    bytes_eq(writer.body, key_text(PACKAGE_VERSION));
	return 0;
}

/* Open all tables and see what a writer would have to do. */
static int
look(struct env *env, const struct env_options *options, bool *is_current_out,
    struct err *err)
{
	struct txn txn;
	bool is_there = false, is_current = false;

	if (txn_begin_read(env, &txn, err) == -1)
		return -1;
	if (open_table(&txn, &env->meta, false, &is_there, err) == -1)
		goto fail;
	if (is_there) {
		if (check_schema(&txn, options, &is_current, err) == -1)
			goto fail;
	} else if (check_fresh(&txn, err) == -1) {
		goto fail;
	}
	for (unsigned i = 0; i < options->tables_count; i++) {
		if (open_table(&txn, &options->tables[i], false, &is_there, err) == -1)
			goto fail;
		is_current = is_current && is_there;
	}
	*is_current_out = is_current;
	return txn_commit(&txn, err);	/* an abort would close the tables again */
fail:
	txn_abort(&txn);
	return -1;
}

/* A fresh store has no schema yet, and nothing to convert. */
static int
convert(struct txn *txn, const struct env_options *options, struct err *err)
{
	struct value schema;
	uint64_t number;

	if (table_find(txn, &txn->env->meta, key_text(META_SCHEMA), &schema, err) == -1)
		return -1;
	if (schema.body.ptr == NULL)
		return 0;
	number = u64_decode(schema.body.ptr);
	if (number == options->schema || options->convert == NULL)
		return 0;
	log_info("store %s: converting from schema %llu to %llu", txn->env->dir,
	    (unsigned long long)number, (unsigned long long)options->schema);
	return options->convert(txn, number, options->tables, err);
}

static int
set_up(struct env *env, const struct env_options *options, struct err *err)
{
	uint8_t schema[sizeof(uint64_t)];
	struct txn txn;
	bool is_there;

	if (txn_begin_write(env, &txn, err) == -1)
		return -1;
	if (open_table(&txn, &env->meta, true, &is_there, err) == -1)
		goto fail;
	for (unsigned i = 0; i < options->tables_count; i++)
		if (open_table(&txn, &options->tables[i], true, &is_there, err) == -1)
			goto fail;
	if (convert(&txn, options, err) == -1)
		goto fail;
	u64_encode(schema, options->schema);
	if (table_put(&txn, &env->meta, key_text(META_SCHEMA),
	    (struct bytes){ schema, sizeof(schema) }, err) == -1 ||
	    table_put(&txn, &env->meta, key_text(META_WRITER),
	    key_text(PACKAGE_VERSION), err) == -1)
		goto fail;
	return txn_commit(&txn, err);
fail:
	txn_abort(&txn);
	return -1;
}

/*
 * A writer that is killed between the end of a commit and telling other processes of
 * it leaves them, and its successor, the snapshot of before, as long as any of them
 * has the environment open.  LMDB mends that for who takes the write lock next, so a
 * writer does so before it reads anything.
 */
static int
take_over(struct env *env, struct err *err)
{
	struct txn txn;

	if (txn_begin_write(env, &txn, err) == -1)
		return -1;
	txn_abort(&txn);
	return 0;
}

static bool
has_all_tables(const struct env *env, const struct env_options *options)
{
	for (unsigned i = 0; i < options->tables_count; i++)
		if (options->tables[i].dbi == 0)
			return false;
	return env->meta.dbi != 0;
}

int
env_open(const char *dir, const struct env_options *options, struct env **env_out,
    struct err *err)
{
	struct env *env;
	struct stat st;
	bool is_current;

	if (stat(dir, &st) == -1) {
		(void)err_errno(err, "stat(%s)", dir);
		if (errno == ENOENT)
			err->code = ERR_NOT_FOUND;
		return -1;
	}
	if (is_open(&st))
		return err_set(err, ERR_EXISTS, "store %s: is open in this process", dir);

	env = xcalloc(1, sizeof(*env));
	env->dir = xstrdup(dir);
	env->meta = (struct table){ .name = "meta", .version = META_VERSION };
	env->dev = st.st_dev;
	env->ino = st.st_ino;
	env->next_open = open_envs;
	open_envs = env;

	if (env_check_files(env->dir, err) == -1 || open_mdb(env, options, err) == -1)
		goto fail;
	remember_lock(env);
	(void)env_check_readers(env);
	if (options->may_write && take_over(env, err) == -1)
		goto fail;
	if (look(env, options, &is_current, err) == -1)
		goto fail;
	if (!is_current && options->may_write &&
	    (set_up(env, options, err) == -1 || sync_names(env, err) == -1))
		goto fail;
	if (!has_all_tables(env, options)) {
		(void)err_set(err, ERR_NOT_FOUND, "store %s: is not set up", dir);
		goto fail;
	}
	*env_out = env;
	return 0;
fail:
	env_close(&env);
	return -1;
}

void
env_close(struct env **env)
{
	if (*env == NULL)
		return;
	forget_open(*env);
	if ((*env)->mdb != NULL)
		mdb_env_close((*env)->mdb);
	free((*env)->dir);
	free(*env);
	*env = NULL;
}
