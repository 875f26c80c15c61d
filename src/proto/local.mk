noinst_LIBRARIES += libbfproto.a
libbfproto_a_SOURCES = \
	src/proto/fdlayout.h \
	src/proto/messages.def \
	src/proto/msg.c src/proto/msg.h \
	src/proto/wire.c src/proto/wire.h
