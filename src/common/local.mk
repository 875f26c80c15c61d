noinst_LIBRARIES += libbfcommon.a
libbfcommon_a_SOURCES = \
	src/common/attr.h \
	src/common/buf.c src/common/buf.h \
	src/common/building.h \
	src/common/certs.h src/common/clock.c src/common/clock.h \
	src/common/crashpoint.c src/common/crashpoint.def src/common/crashpoint.h \
	src/common/err.c src/common/err.h \
	src/common/exitcode.h \
	src/common/field.h \
	src/common/fields_codec.c src/common/fields_codec.h \
	src/common/fdutil.c src/common/fdutil.h \
	src/common/human.c src/common/human.h \
	src/common/json.c src/common/json.h \
	src/common/limits.h \
	src/common/log.c src/common/log.h \
	src/common/mem.c src/common/mem.h \
	src/common/number.h \
	src/common/settings.c src/common/settings.def src/common/settings.h \
	src/common/str.c src/common/str.h \
	src/common/tid.c src/common/tid.h \
	src/common/utf8.c src/common/utf8.h \
	src/common/web_url.c src/common/web_url.h
