/*
 * sandbox_impl.h - how the steps of sandbox.h note what became of them.
 */
#ifndef BF_SANDBOX_SANDBOX_IMPL_H
#define BF_SANDBOX_SANDBOX_IMPL_H

#include "sandbox/sandbox.h"

void sandbox_active(struct sandbox *sandbox, enum sandbox_part part);

/* error is an errno. */
void sandbox_refused(struct sandbox *sandbox, enum sandbox_part part, const char *what,
    int error);

#endif
