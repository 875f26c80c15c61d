noinst_LIBRARIES += libbfop.a
libbfop_a_SOURCES = \
	src/op/op.c src/op/op.h \
	src/op/op_state.c src/op/op_state.h \
	src/op/op_type.c src/op/op_type.h
