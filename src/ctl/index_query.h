/*
 * index_query.h - questions to the indexer over a record channel.
 */
#ifndef BF_CTL_INDEX_QUERY_H
#define BF_CTL_INDEX_QUERY_H

#include "proto/client.h"

typedef void index_answer_cb(const struct msg *msg, void *arg);

/*
 * Ask (a `records` or `repos` message) and hand out each answer of the given
 * type until `end`.  A `refuse` is the index's error.
 */
int index_query(struct client *records, const struct msg *question,
    enum msg_type type, index_answer_cb *on_answer, void *arg, struct err *err)
    BF_MUSTCHECK;

/* Fails with ERR_NOT_FOUND unless the index knows the repository. */
int index_query_has_repo(struct client *records, struct str did, struct err *err)
    BF_MUSTCHECK;

#endif
