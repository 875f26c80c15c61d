/*
 * tempdir.h - a directory for one test, gone with all that is in it afterwards.
 */
#ifndef BF_T_TEMPDIR_H
#define BF_T_TEMPDIR_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/unit/unit.h"

static inline int
tempdir_remove_one(const char *path, const struct stat *st BF_UNUSED, int kind BF_UNUSED,
    struct FTW *ftw BF_UNUSED)
{
	return remove(path);
}

/* The path is the caller's to free, by tempdir_free(). */
static inline char *
tempdir_new(void)
{
	const char *base = getenv("TMPDIR");
	char *path;

	assert_true(asprintf(&path, "%s/backfilld-test.XXXXXX",
	    base != NULL ? base : "/tmp") > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline void
tempdir_free(char **path)
{
	if (*path != NULL)
		(void)nftw(*path, tempdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*path);
	*path = NULL;
}

/* For cmocka: *state is the directory's path. */
static inline int
tempdir_setup(void **state)
{
	*state = tempdir_new();
	return 0;
}

static inline int
tempdir_teardown(void **state)
{
	char *path = *state;

	tempdir_free(&path);
	return 0;
}

#endif
