/*
 * citation_table.h - all eprints of the index, for matching; and what is left of those
 * that are gone.
 */
#ifndef BF_WORKERS_CITATION_TABLE_H
#define BF_WORKERS_CITATION_TABLE_H

#include <stdint.h>

struct citation_env;
struct citation_sweep;
struct citation_table;
struct match_table;

/* table is complete and becomes the callee's; or NULL, with the reason.  The reading is
 * freed when this returns. */
typedef void citation_table_cb(struct match_table *table, const char *class,
    const char *text, void *arg);

/* Walk the eprints' records.  Never calls back from inside. */
struct citation_table *citation_table_start(struct citation_env *env,
    citation_table_cb *cb, void *arg);
void citation_table_cancel(struct citation_table **reading);

/* class is NULL, or why it did not come to its end. */
typedef void citation_sweep_cb(uint64_t swept, const char *class, const char *text,
    void *arg);

/*
 * Walk the extractions: the citations of eprints that the index does not have any more
 * go, one eprint's in one commit.  env->table says which need a closer look.
 */
struct citation_sweep *citation_sweep_start(struct citation_env *env,
    citation_sweep_cb *cb, void *arg);
void citation_sweep_cancel(struct citation_sweep **sweep);

#endif
