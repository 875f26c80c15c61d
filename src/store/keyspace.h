/*
 * keyspace.h - keys of any length in a table, in exact order.
 *
 * Only files of src/store include this.  An LMDB key has at most 511 bytes, a
 * DID up to 2048 and a path up to 830.  Nothing is hashed; a long key continues
 * in another space instead.  A space is a number, and the key of an entry is
 *
 *	space u64 | up to 479 bytes of key		-> the value itself
 *	space u64 | exactly 480 bytes of key		-> a head: the space u64 in
 *						   which the rest of the key,
 *						   which may be empty, goes on
 *
 * So a key of 480 bytes or more always passes through a head, and each key has
 * exactly one place.  Keys keep their bytewise order: all that starts with the
 * same 480 bytes stands behind one head.  A head goes when the last key behind
 * it goes; space numbers are never used again.
 */
#ifndef BF_STORE_KEYSPACE_H
#define BF_STORE_KEYSPACE_H

#include "store/table.h"

#define KEYSPACE_COUNTER	"next-space"	/* in the meta table */
#define KEYSPACE_PIECE_BYTES	480
#define KEYSPACE_WALK_DEPTH	18		/* a walk's keys: a row needs 18 */
#define KEYSPACE_WALK_KEY_BYTES	(KEYSPACE_WALK_DEPTH * KEYSPACE_PIECE_BYTES)

/* As table_find(), table_put2(), table_delete().  ERR_LIMIT for a key over 15 KB,
 * which is more than all that is stored under one. */
int keyspace_find(struct txn *txn, const struct table *table, uint64_t space,
    struct bytes key, struct value *value_out, struct err *err) BF_MUSTCHECK;
int keyspace_put(struct txn *txn, const struct table *table, uint64_t space,
    struct bytes key, struct bytes first, struct bytes second, struct err *err)
    BF_MUSTCHECK;
int keyspace_delete(struct txn *txn, const struct table *table, uint64_t space,
    struct bytes key, bool *was_there_out, struct err *err) BF_MUSTCHECK;

/*
 * A walk over the keys of a space in bytewise order, for reading only.  The key
 * is put together from its pieces in `key`; the value is borrowed from the map.
 */
struct keyspace_walk {
	struct txn *txn;		/* borrowed */
	const struct table *table;	/* borrowed */
	struct keyspace_level {
		struct cursor cursor;	/* owned */
		uint64_t space;
		bool is_done;		/* with the entry that the cursor stands on */
	} levels[KEYSPACE_WALK_DEPTH];
	unsigned depth;			/* levels in use */

	uint8_t key_bytes[KEYSPACE_WALK_KEY_BYTES];
	struct bytes key;		/* ptr is NULL: the end */
	struct value value;
};

/* Start at the first key >= from, or > from if is_after.  To be closed, also
 * after a failure, before the transaction ends. */
int keyspace_walk_open(struct keyspace_walk *walk, struct txn *txn,
    const struct table *table, uint64_t space, struct bytes from, bool is_after,
    struct err *err) BF_MUSTCHECK;
void keyspace_walk_close(struct keyspace_walk *walk);

/* Move to the first, then to each next entry. */
int keyspace_walk_next(struct keyspace_walk *walk, struct err *err) BF_MUSTCHECK;

#endif
