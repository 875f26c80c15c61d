noinst_LIBRARIES += libbfproto.a
libbfproto_a_SOURCES = \
	src/proto/channel.c src/proto/channel.h \
	src/proto/client.c src/proto/client.h \
	src/proto/fdlayout.h \
	src/proto/frame.c src/proto/frame.h \
	src/proto/messages.def \
	src/proto/msg.c src/proto/msg.h \
	src/proto/wire.c src/proto/wire.h

UNIT_TESTS += t/unit/test_proto
t_unit_test_proto_SOURCES = t/unit/test_proto.c
t_unit_test_proto_LDADD = libbfproto.a libbfop.a $(UNIT_LDADD_COMMON) $(EV_LIBS)
