/*
 * peer_impl.h - the inside of peer.h.
 *
 * peer.c has a peer's life and hands out its messages: those of repositories to
 * peer_write.c, those of batches of rows to peer_rows.c, questions to peer_ask.c.
 */
#ifndef BF_INDEXER_PEER_IMPL_H
#define BF_INDEXER_PEER_IMPL_H

#include "indexer/peer.h"

/* --- peer.c --- */

struct lane *peer_find_lane(struct peer *peer, uint64_t number);
struct scan *peer_find_scan(struct peer *peer, uint64_t number);

/* ERR_PROTOCOL if the number is that of a lane or of a question. */
int peer_check_free(struct peer *peer, const char *what, uint64_t number,
    struct err *err) BF_MUSTCHECK;

/* Takes ownership of the lane. */
void peer_add_lane(struct peer *peer, struct lane *lane);
void peer_drop_lane(struct peer *peer, struct lane *lane);

/* lane_add(), unless the lane is refused. */
void peer_stage(struct lane *lane, const struct stage_change *change);

/* Its commit has come. */
void peer_make_ready(struct lane *lane);

void peer_start_scan(struct peer *peer, const struct scan_ask *ask);
void peer_drop_scan(struct peer *peer, struct scan *scan);

void peer_refuse(struct peer *peer, uint64_t lane, const struct err *why);

/* --- handlers; -1: the peer broke the protocol and goes --- */

/* peer_write.c */
int peer_on_begin(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_scan(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_put(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_delete(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_commit(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_abort(struct peer *peer, const struct msg *msg, struct err *err);

/* peer_rows.c */
int peer_on_row_put(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_row_delete(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_row_clear(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_checked(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_row_commit(struct peer *peer, const struct msg *msg, struct err *err);

/* peer_ask.c */
/* A table's number and a key, or the start of one: ERR_PROTOCOL, ERR_LIMIT. */
int peer_check_prefix(const char *what, uint64_t table, struct bytes prefix,
    struct err *err) BF_MUSTCHECK;
int peer_check_row(const char *what, uint64_t table, struct bytes key,
    struct err *err) BF_MUSTCHECK;
int peer_on_tally(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_count(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_look(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_records(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_repos(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_rows(struct peer *peer, const struct msg *msg, struct err *err);
int peer_on_row_get(struct peer *peer, const struct msg *msg, struct err *err);

#endif
