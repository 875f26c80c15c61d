noinst_LIBRARIES += libbfop.a
libbfop_a_SOURCES = \
	src/op/gap.c src/op/gap.h \
	src/op/op.c src/op/op.h \
	src/op/op_json.c src/op/op_json.h \
	src/op/op_met.c src/op/op_met.h \
	src/op/op_progress.c src/op/op_progress.h \
	src/op/op_state.c src/op/op_state.h \
	src/op/op_tier.c src/op/op_tier.h \
	src/op/op_type.c src/op/op_type.h

UNIT_TESTS += t/unit/test_op_json
t_unit_test_op_json_SOURCES = t/unit/test_op_json.c t/unit/unit.h
t_unit_test_op_json_LDADD = libbfop.a $(UNIT_LDADD_COMMON)

UNIT_TESTS += t/unit/test_op
t_unit_test_op_SOURCES = t/unit/test_op.c
t_unit_test_op_LDADD = libbfop.a $(UNIT_LDADD_COMMON)

UNIT_TESTS += t/unit/test_gap
t_unit_test_gap_SOURCES = t/unit/test_gap.c t/unit/unit.h
t_unit_test_gap_LDADD = libbfop.a $(UNIT_LDADD_COMMON)
