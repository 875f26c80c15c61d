/*
 * fake_rows.h - the rows of fake_indexer.h, and its answers to questions.
 */
#ifndef BF_T_FAKE_ROWS_H
#define BF_T_FAKE_ROWS_H

#include <stdbool.h>

#include "common/str.h"
#include "proto/msg.h"

struct fake_indexer;

struct fake_row {
	unsigned table;
	struct bytes key, value;	/* owned */
};

/* Sorted by table, then key. */
struct fake_rows {
	struct fake_row *items;		/* owned */
	size_t count, room;
};

/* What a batch will do, in order: row_put, row_delete, row_clear, checked. */
struct fake_batch {
	bool is_open;
	uint64_t id;
	struct fake_change {
		enum msg_type type;
		unsigned table;
		struct bytes key, value;	/* owned; key: of `checked` the DID */
		int64_t at_ms;
	} *changes;			/* owned */
	size_t count;
};

/* For preparing and for looking; NULL: there is none. */
void fake_rows_put(struct fake_indexer *indexer, unsigned table, struct bytes key,
    struct bytes value);
const struct fake_row *fake_rows_get(const struct fake_indexer *indexer,
    unsigned table, struct bytes key);
size_t fake_rows_in(const struct fake_indexer *indexer, unsigned table);

/* --- for fake_indexer.c --- */

/* False if the message is none of rows or questions. */
bool fake_rows_on_msg(struct fake_indexer *indexer, const struct msg *msg);
void fake_batch_abort(struct fake_indexer *indexer, uint64_t id);
void fake_rows_count(struct fake_indexer *indexer, const struct msg_ack *changes);
void fake_rows_clear_all(struct fake_indexer *indexer);

#endif
