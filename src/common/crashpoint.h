/*
 * crashpoint.h - die here, if a test asks for it.
 *
 * In builds with sanitizers, which are for tests, BF_CRASHPOINT=NAME:N:FILE in the
 * environment makes the process kill itself, by SIGKILL, when it comes to the point
 * NAME for the Nth time.  It leaves the file, which must not be there yet: so a crash
 * is seen to have happened, and happens once.  In all other builds a crash point is
 * nothing.
 */
#ifndef BF_COMMON_CRASHPOINT_H
#define BF_COMMON_CRASHPOINT_H

#include "common/crashpoint.def"

enum crashpoint {
#define X(NAME, name, process)	CRASHPOINT_##NAME,
	CRASHPOINTS(X)
#undef X
};

#ifdef BF_SANITIZED
void crashpoint(enum crashpoint at);
#else
static inline void crashpoint(enum crashpoint at) { (void)at; }
#endif

#endif
