/*
 * tid.h - TIDs, AT Protocol's sortable time identifiers (spec: TID).
 *
 * 13 characters of base32-sortable for a 64-bit number: top bit 0, 53 bits of
 * microseconds since 1970, 10 bits of clock id.  Text order is number order.
 * Operation ids are TIDs; so are the revisions of a repository.
 */
#ifndef BF_COMMON_TID_H
#define BF_COMMON_TID_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

#define TID_LEN		13
#define TID_SIZE	(TID_LEN + 1)	/* with the final NUL */

void tid_format(uint64_t tid, char text_out[TID_SIZE]);

/* -1 unless the text is exactly a TID: 13 characters, the right alphabet, the
 * top bit 0. */
int tid_parse(struct str text, uint64_t *tid_out) BF_MUSTCHECK;
bool tid_is_valid(struct str text);

static inline int64_t tid_us(uint64_t tid) { return (int64_t)(tid >> 10); }

/*
 * The TID after `last` at the given time: greater than `last` even when the
 * clock stands or goes back.  clock_id is 0..1023.
 */
uint64_t tid_next(uint64_t last, int64_t now_us, unsigned clock_id);

#endif
