sbin_PROGRAMS += backfilld
backfilld_SOURCES = src/supervisor/main.c
backfilld_LDADD = libbfcommon.a $(EV_LIBS)
