/*
 * fuzz.h - what every libFuzzer target of fuzz/ starts with.
 *
 * A target is a function of bytes that must neither crash nor hang nor leak, and
 * that aborts when a property it knows does not hold.  Inputs that found something
 * become files of fuzz/corpus/.
 */
#ifndef BF_FUZZ_FUZZ_H
#define BF_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for every input. */
static inline void
fuzz_require(bool holds)
{
	if (!holds)
		abort();
}

static inline struct str
fuzz_text(const uint8_t *data, size_t size)
{
	return (struct str){ (const char *)data, size };
}

#endif
