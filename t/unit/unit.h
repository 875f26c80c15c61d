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

/* Run the tests of one program with TAP on standard output. */
#define UNIT_MAIN(tests)					\
	int							\
	main(void)						\
	{							\
		cmocka_set_message_output(CM_OUTPUT_TAP);	\
		return cmocka_run_group_tests_name(#tests, tests, NULL, NULL); \
	}

#endif
