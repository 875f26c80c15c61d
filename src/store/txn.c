#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/log.h"
#include "common/number.h"
#include "store/env.h"

/* --- the size of the map --- */

/*
 * LMDB unmaps the old map before it tries the new one, and is of no use any more if
 * there is no room for that: so whether there is room is asked before.
 */
static bool
has_room_for(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return false;
	(void)munmap(map, bytes);
	return true;
}

/* 0: to the size that another process gave it.  Nothing may be open. */
static void
set_map(struct env *env, size_t bytes)
{
	int rc = mdb_env_set_mapsize(env->mdb, bytes);

	if (rc == 0)
		return;
	log_error("store %s: cannot be mapped any more: %s", env->dir, mdb_strerror(rc));
	abort();
}

/* Room for a write is made before it is needed: one that finds none has failed. */
static void
make_room(struct env *env)
{
	MDB_envinfo info;
	MDB_stat stat;
	size_t used;

	if (env->open > 0 || mdb_env_info(env->mdb, &info) != 0 ||
	    mdb_env_stat(env->mdb, &stat) != 0)
		return;
	used = (info.me_last_pgno + 1) * stat.ms_psize;
	if (!env->is_full && used < info.me_mapsize / 4 * 3)
		return;
	env->is_full = false;
	(void)env_check_readers(env);	/* a dead one keeps old pages */
	if (!has_room_for(2 * info.me_mapsize)) {
		log_warn("store %s: %zu of %zu MiB of its map are used, and there is no "
		    "address space for more", env->dir, used >> 20, info.me_mapsize >> 20);
		return;
	}
	set_map(env, 2 * info.me_mapsize);
	log_info("store %s: its map is %zu MiB now", env->dir, 2 * info.me_mapsize >> 20);
}

/* --- transactions --- */

static int
begin(struct env *env, MDB_txn *parent, unsigned flags, MDB_txn **mdb_out,
    struct err *err)
{
	int rc;

	if (parent == NULL && (flags & MDB_RDONLY) == 0)
		make_room(env);
	rc = mdb_txn_begin(env->mdb, parent, flags, mdb_out);
	if (rc == MDB_READERS_FULL && env_check_readers(env) > 0)
		rc = mdb_txn_begin(env->mdb, parent, flags, mdb_out);
	if (rc == MDB_MAP_RESIZED && env->open == 0) {
		set_map(env, 0);
		rc = mdb_txn_begin(env->mdb, parent, flags, mdb_out);
	}
	if (rc != 0)
		return env_fail(env, rc, "begin", err);
	env->open++;
	return 0;
}

static int
begin_txn(struct env *env, MDB_txn *parent, unsigned flags, struct txn *txn_out,
    struct err *err)
{
	MDB_txn *mdb;

	if (begin(env, parent, flags, &mdb, err) == -1)
		return -1;
	*txn_out = (struct txn){ .env = env, .mdb = mdb };
	return 0;
}

/* Either ends it. */
static int
commit(struct env *env, MDB_txn **mdb, struct err *err)
{
	int rc = mdb_txn_commit(*mdb);

	*mdb = NULL;
	env->open--;
	return rc == 0 ? 0 : env_fail(env, rc, "commit", err);
}

static void
drop(struct env *env, MDB_txn **mdb)
{
	mdb_txn_abort(*mdb);
	*mdb = NULL;
	env->open--;
}

int
env_group_begin(struct env *env, struct err *err)
{
	assert(env->group == NULL);
	return begin(env, NULL, 0, &env->group, err);
}

int
env_group_commit(struct env *env, struct err *err)
{
	return commit(env, &env->group, err);
}

void
env_group_abort(struct env *env)
{
	drop(env, &env->group);
}

int
env_part_begin(struct env *env, struct err *err)
{
	assert(env->group != NULL && env->part == NULL);
	env->part_has_failed = false;
	return begin(env, env->group, 0, &env->part, err);
}

int
env_part_commit(struct env *env, struct err *err)
{
	assert(!env->part_has_failed);
	return commit(env, &env->part, err);
}

void
env_part_abort(struct env *env)
{
	drop(env, &env->part);
}

int
txn_begin_read(struct env *env, struct txn *txn_out, struct err *err)
{
	return begin_txn(env, NULL, MDB_RDONLY, txn_out, err);
}

int
txn_begin_write(struct env *env, struct txn *txn_out, struct err *err)
{
	if (env->part != NULL) {
		*txn_out = (struct txn){ .env = env, .mdb = env->part,
		    .is_of_part = true };
		return 0;
	}
	return begin_txn(env, env->group, 0, txn_out, err);
}

int
txn_commit(struct txn *txn, struct err *err)
{
	if (!txn->is_of_part)
		return commit(txn->env, &txn->mdb, err);
	txn->mdb = NULL;
	return 0;
}

void
txn_abort(struct txn *txn)
{
	if (txn->mdb == NULL)
		return;
	if (txn->is_of_part) {
		txn->env->part_has_failed = true;
		txn->mdb = NULL;
		return;
	}
	drop(txn->env, &txn->mdb);
}

int
txn_next_number(struct txn *txn, const char *counter, uint64_t *number_out,
    struct err *err)
{
	const struct table *meta = &txn->env->meta;
	uint8_t body[sizeof(uint64_t)];
	struct value last;
	uint64_t number = 1;

	if (table_find(txn, meta, key_text(counter), &last, err) == -1)
		return -1;
	if (last.body.len == sizeof(number))
		number = u64_decode(last.body.ptr) + 1;
	u64_encode(body, number);
	if (table_put(txn, meta, key_text(counter),
	    (struct bytes){ body, sizeof(body) }, err) == -1)
		return -1;
	*number_out = number;
	return 0;
}
