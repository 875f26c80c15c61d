/*
 * fault_expect.h - shared by the files of test_fault: which faults were produced.
 */
#ifndef BF_T_UNIT_FAULT_EXPECT_H
#define BF_T_UNIT_FAULT_EXPECT_H

#include <stdbool.h>

#include "atproto/fault.h"
#include "atproto/repo.h"
#include "common/buf.h"

extern bool fault_produced[FAULT_CODES];

/* Fails the test unless a call failed with that fault. */
void fault_expect(enum fault_code want, int rc, const struct fault *fault);

/* Feed one CAR and prove it. */
int fault_prove_with(struct bytes car, struct repo_options options, struct fault *fault);
int fault_prove(const struct buf *car, struct fault *fault);

/* The tests of fault_trees.c. */
void tree_faults(void **state);
void a_node_without_entries_and_subtree_is_refused_below_the_root(void **state);
void tree_limits(void **state);
void record_faults(void **state);

/* The tests of fault_firehose.c. */
void frame_faults(void **state);
void frame_limits(void **state);
void proof_faults(void **state);
void a_proof_is_bounded(void **state);
void the_keys_of_a_proof_are_bounded(void **state);

#endif
