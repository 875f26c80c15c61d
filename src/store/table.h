/*
 * table.h - tables of checked values.
 *
 * Only files of src/store include this.  A value on disk is
 *
 *	crc32c over the key and all that follows | u32
 *	version of the body's format             | u8
 *	body                                     | the rest
 *
 * and is checked whenever it is read: LMDB itself has no checksums, and hands
 * out damaged pages as they are.  A mismatch is ERR_CORRUPT, which names the
 * table and the key.
 */
#ifndef BF_STORE_TABLE_H
#define BF_STORE_TABLE_H

#include <lmdb.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

struct txn;

struct table {
	const char *name;
	uint8_t version;	/* the newest that this binary knows, and writes */
	MDB_dbi dbi;		/* set when the environment is opened */
};

/* Borrowed until the transaction ends or, in one that writes, changes anything. */
struct value {
	struct bytes body;	/* ptr is NULL if there is no value */
	uint8_t version;	/* 1..table->version */
};

static inline struct bytes
key_text(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static inline struct bytes
key_str(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

/* No value is no failure: body.ptr is then NULL. */
int table_find(struct txn *txn, const struct table *table, struct bytes key,
    struct value *value_out, struct err *err) BF_MUSTCHECK;

/* Neither key nor body may lie in the map (be borrowed from this store). */
int table_put(struct txn *txn, const struct table *table, struct bytes key,
    struct bytes body, struct err *err) BF_MUSTCHECK;

/* As table_put(), with a body of two parts. */
int table_put2(struct txn *txn, const struct table *table, struct bytes key,
    struct bytes first, struct bytes second, struct err *err) BF_MUSTCHECK;

int table_delete(struct txn *txn, const struct table *table, struct bytes key,
    bool *was_there_out, struct err *err) BF_MUSTCHECK;

/* How many entries the table has. */
int table_entries(struct txn *txn, const struct table *table, uint64_t *count_out,
    struct err *err) BF_MUSTCHECK;

/* A position in a table.  To be closed before its transaction ends. */
struct cursor {
	struct txn *txn;		/* borrowed */
	const struct table *table;	/* borrowed */
	MDB_cursor *mdb;		/* owned; NULL: closed */
	struct bytes key;		/* ptr is NULL: no entry there */
	MDB_val data;			/* not checked yet */
};

int cursor_open(struct cursor *cursor, struct txn *txn, const struct table *table,
    struct err *err) BF_MUSTCHECK;
void cursor_close(struct cursor *cursor);	/* may be closed already */

/* Each moves and sets the key; key.ptr is NULL when there is none. */
int cursor_seek(struct cursor *cursor, struct bytes from, struct err *err)
    BF_MUSTCHECK;			/* the first key >= from */
int cursor_seek_below(struct cursor *cursor, struct bytes bound, struct err *err)
    BF_MUSTCHECK;			/* the last key < bound */
int cursor_last(struct cursor *cursor, struct err *err) BF_MUSTCHECK;
int cursor_next(struct cursor *cursor, struct err *err) BF_MUSTCHECK;
int cursor_prev(struct cursor *cursor, struct err *err) BF_MUSTCHECK;

/* The value of the entry that the cursor stands on. */
int cursor_value(struct cursor *cursor, struct value *value_out, struct err *err)
    BF_MUSTCHECK;

/* There is an entry and its key starts with the prefix. */
bool cursor_is_in(const struct cursor *cursor, struct bytes prefix);

/* ERR_CORRUPT for an entry whose checksum is right but whose content is not. */
int table_corrupt(const struct txn *txn, const struct table *table,
    struct bytes key, const char *why, struct err *err);

#endif
