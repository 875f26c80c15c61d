noinst_LIBRARIES += libbfproto.a
libbfproto_a_SOURCES = \
	src/proto/channel_impl.h \
	src/proto/channel_state.c \
	src/proto/channel.c src/proto/channel.h \
	src/proto/client.c src/proto/client.h \
	src/proto/fdlayout.h \
	src/proto/frame.c src/proto/frame.h \
	src/proto/messages.def \
	src/proto/msg.c src/proto/msg.h \
	src/proto/wire.c src/proto/wire.h

UNIT_TESTS += t/unit/test_msg t/unit/test_channel
t_unit_test_msg_SOURCES = t/unit/test_msg.c
t_unit_test_msg_LDADD = libbfproto.a libbfop.a $(UNIT_LDADD_COMMON) $(EV_LIBS)
t_unit_test_channel_SOURCES = t/unit/test_channel.c
t_unit_test_channel_LDADD = libbfproto.a libbfop.a $(UNIT_LDADD_COMMON) $(EV_LIBS)
