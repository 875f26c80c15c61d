/*
 * cors.h - which pages may read our answers.  Pure.
 */
#ifndef BF_API_CORS_H
#define BF_API_CORS_H

#include "common/str.h"

enum cors {
	CORS_NO,
	CORS_ANY,		/* all, this one too */
	CORS_LISTED,		/* this one */
};

/* `origins` is the setting: "*" or origins as browsers write them, parted by blanks.
 * Without an Origin header (empty) CORS_ANY or CORS_NO. */
enum cors cors_judge(const char *origins, struct str origin);

#endif
