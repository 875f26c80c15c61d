/*
 * unit.h - what every cmocka program of t/unit/ starts with.
 */
#ifndef BF_T_UNIT_H
#define BF_T_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

/*
 * TAP on standard output.  cmocka 1.1 says "not ok 1 # SKIP" of a test that was
 * skipped, which TAP readers take for a failure: it becomes "ok 1 # SKIP".
 */
void unit_use_tap(void);

/* Run the tests of one program. */
#define UNIT_MAIN(tests)					\
	int							\
	main(void)						\
	{							\
		unit_use_tap();					\
		return cmocka_run_group_tests_name(#tests, tests, NULL, NULL); \
	}

#endif
