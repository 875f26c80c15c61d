/*
 * fault.h - why bytes from a peer were refused, and where.
 *
 * The engine's counterpart of struct err: a reason out of one list (fault.def),
 * the byte of the CAR (or of the value given) that shows it, and the key, field
 * or CID concerned.  A fault costs no formatting until somebody reads it, so a
 * repository with a million bad records is as fast as a good one.
 *
 * Functions that take a struct fault write it only when they fail.
 */
#ifndef BF_ATPROTO_FAULT_H
#define BF_ATPROTO_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

enum fault_code {
	FAULT_NONE = 0,
#define FAULT(symbol, kind, text) FAULT_##symbol,
#include "atproto/fault.def"
#undef FAULT
	FAULT_CODES,			/* how many there are */
};

#define FAULT_DETAIL_SIZE	160	/* longer details are cut */
#define FAULT_NO_OFFSET		UINT64_MAX	/* no byte shows it */
#define FAULT_TEXT_SIZE		384

struct fault {
	enum fault_code code;
	uint64_t offset;			/* in bytes, or FAULT_NO_OFFSET */
	char detail[FAULT_DETAIL_SIZE];		/* printable; "" if there is none */
};

#define FAULT_INIT	((struct fault){ FAULT_NONE, FAULT_NO_OFFSET, "" })

/* Both return -1, so that a failing function can end with them.  Bytes of the
 * detail that are not printable ASCII are written as '?'. */
int fault_set(struct fault *fault, enum fault_code code, uint64_t offset);
int fault_set_detail(struct fault *fault, enum fault_code code, uint64_t offset,
    struct str detail);

const char *fault_kind(enum fault_code code);	/* "BadBlock"; "" for FAULT_NONE */
const char *fault_text(enum fault_code code);	/* "CID does not match its content" */
const char *fault_symbol(enum fault_code code);	/* "BLOCK_HASH", for tests and fuzzers */

/* "BadBlock at byte 48213: CID does not match its content (bafyrei...)". */
void fault_format(const struct fault *fault, char text_out[FAULT_TEXT_SIZE]);

/* The same text as a struct err: ERR_LIMIT for "TooLarge", ERR_SYSTEM for "Io",
 * ERR_INVALID for all else.  Returns -1. */
int fault_to_err(const struct fault *fault, struct err *err);

#endif
