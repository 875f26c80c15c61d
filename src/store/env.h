/*
 * env.h - an LMDB environment, opened the way all our stores need it.
 *
 * Only files of src/store include this.  One environment is a directory with
 * data.mdb and lock.mdb; one process writes it, others read.  LMDB's rules that
 * are kept here so that nobody else has to know them:
 *
 * - An environment is opened once per process: a second open would drop the
 *   first one's locks.  A process-wide list (the only one in this library)
 *   refuses it.
 * - The map is far larger than the data will ever be: it is address space, not
 *   disk.  Where there was little of that, the writer makes the map larger between
 *   two transactions, and the others follow.
 * - Every descriptor is close-on-exec (0.9.24 forgets one).
 * - An internal assertion, or a panic after which LMDB refuses all further work,
 *   is logged and aborts: only a restart helps, and what was committed is safe.
 */
#ifndef BF_STORE_ENV_H
#define BF_STORE_ENV_H

#include <lmdb.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "store/table.h"

struct env {
	/* owned */
	MDB_env *mdb;
	char *dir;
	struct table meta;	/* schema, writer, counters */
	MDB_txn *group;		/* NULL: none is open */
	MDB_txn *part;		/* of the group; NULL: none is open */
	bool part_has_failed;
	unsigned open;		/* transactions of this process: the map must not move */
	bool is_full;		/* a write did not fit into the map */

	/* what the guard knows it by */
	struct env *next_open;
	dev_t dev;
	ino_t ino;
	ino_t lock_ino;
};

struct txn;

struct env_options {
	bool may_write;
	bool is_larger_than_memory;	/* no readahead: it would push out what is hot */
	uint64_t schema;	/* of this binary */
	size_t map_bytes;
	struct table *tables;	/* borrowed; env_open() fills in their handles */
	unsigned tables_count;
	/*
	 * Bring a store of an older schema to this one, in the transaction that will
	 * raise its number.  All tables are open, new ones are empty.  NULL: there is
	 * no older schema.
	 */
	int (*convert)(struct txn *txn, uint64_t from_schema,
	    const struct table *tables, struct err *err);
};

/* ERR_CORRUPT if one of the files is there and no regular one: LMDB would open a fifo,
 * and wait. */
int env_check_files(const char *dir, struct err *err) BF_MUSTCHECK;

/*
 * Open an environment in a directory that exists, check its schema and open its
 * tables.  A writer makes what is missing, and writes nothing at all before it
 * knows that the schema is not newer than its own.
 *
 * ERR_EXISTS: open in this process.  ERR_VERSION: the schema, or the LMDB format,
 * is newer.  ERR_NOT_FOUND: a reader found no store there.  ERR_CORRUPT: damaged,
 * or not a store of ours.
 */
int env_open(const char *dir, const struct env_options *options,
    struct env **env_out, struct err *err) BF_MUSTCHECK;
void env_close(struct env **env);

/* Free the reader slots of dead processes; returns how many, or -1. */
int env_check_readers(struct env *env);

/*
 * Processes that read a snapshot older than that of the transaction `before`, each
 * once; at most `size` of them.  With the last transaction of some time ago: those
 * that have been reading ever since, and keep its pages from being used again.
 */
size_t env_old_readers(struct env *env, uint64_t before, pid_t *pids_out, size_t size);
uint64_t env_last_txn(struct env *env);		/* that was committed; 0: not known */

/* The lock file that we hold is not the one that others would open: the two do not
 * know of each other, and the store's pages may be used twice. */
bool env_lost_its_lock(const struct env *env);

/* A transaction: embedded, over after txn_commit() or txn_abort(). */
struct txn {
	struct env *env;	/* borrowed */
	MDB_txn *mdb;		/* NULL: over */
	bool is_of_part;	/* a write among others of one: that is what ends it */
};

int txn_begin_read(struct env *env, struct txn *txn_out, struct err *err)
    BF_MUSTCHECK;
int txn_begin_write(struct env *env, struct txn *txn_out, struct err *err)
    BF_MUSTCHECK;

/*
 * A group: until it is committed, every write transaction is a child of it, or belongs
 * to its open part, and is on disk only when the group is.  Reads see what was committed
 * before.  Begun and committed by one function, like any transaction.
 */
int env_group_begin(struct env *env, struct err *err) BF_MUSTCHECK;
int env_group_commit(struct env *env, struct err *err) BF_MUSTCHECK;
void env_group_abort(struct env *env);

/*
 * A part of a group: what is written until it is committed is all or nothing together.
 * LMDB gives each child transaction 2 MB to note its pages in, which is much for a line:
 * so one for all that there is about an operation.  A write that was aborted leaves
 * nothing to do but to abort the part, too.
 */
int env_part_begin(struct env *env, struct err *err) BF_MUSTCHECK;
int env_part_commit(struct env *env, struct err *err) BF_MUSTCHECK;
void env_part_abort(struct env *env);

/* On disk when it returns 0, unless in a group.  In either case it is over. */
int txn_commit(struct txn *txn, struct err *err) BF_MUSTCHECK;
void txn_abort(struct txn *txn);	/* also ends a read; may be over already */

/* The next value of a counter in the meta table: 1, 2, ... */
int txn_next_number(struct txn *txn, const char *counter, uint64_t *number_out,
    struct err *err) BF_MUSTCHECK;

/* Turn LMDB's result into an err; returns -1.  Aborts on MDB_PANIC. */
int env_fail(struct env *env, int rc, const char *what, struct err *err);

#endif
