#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/env.h"

int
env_check_readers(struct env *env)
{
	int dead = 0;

	return mdb_reader_check(env->mdb, &dead) == 0 ? dead : -1;
}

struct old {
	uint64_t before;
	pid_t *pids;
	size_t size, count;
};

/* A row of mdb_reader_list(): process, thread, and the snapshot or a dash. */
static int
look_at_reader(const char *row, void *arg)
{
	struct old *old = arg;
	uint64_t snapshot;
	int pid;

	if (sscanf(row, "%d %*x %" SCNu64, &pid, &snapshot) != 2 || snapshot >= old->before)
		return 0;
	for (size_t i = 0; i < old->count; i++)
		if (old->pids[i] == pid)
			return 0;
	if (old->count < old->size)
		old->pids[old->count++] = pid;
	return 0;
}

size_t
env_old_readers(struct env *env, uint64_t before, pid_t *pids_out, size_t size)
{
	struct old old = { .before = before, .pids = pids_out, .size = size };

	(void)mdb_reader_list(env->mdb, look_at_reader, &old);
	return old.count;
}

uint64_t
env_last_txn(struct env *env)
{
	MDB_envinfo info;

	return mdb_env_info(env->mdb, &info) == 0 ? info.me_last_txnid : 0;
}

bool
env_lost_its_lock(const struct env *env)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/lock.mdb", env->dir);
	return stat(path, &st) == -1 || st.st_ino != env->lock_ino;
}
