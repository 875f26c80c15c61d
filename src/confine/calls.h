/*
 * calls.h - the system calls of our processes.
 */
#ifndef BF_CONFINE_CALLS_H
#define BF_CONFINE_CALLS_H

#include "sandbox/sandbox.h"

/* needs: enum confine_need bits. */
void calls_keep(struct sandbox *sandbox, unsigned needs);

#endif
