# libbfsandbox.a: what a process gives up before it reads hostile bytes.
noinst_LIBRARIES += libbfsandbox.a
libbfsandbox_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
libbfsandbox_a_SOURCES = \
	src/sandbox/landlock.c \
	src/sandbox/sandbox.c src/sandbox/sandbox.h src/sandbox/sandbox_impl.h \
	src/sandbox/seccomp.c

# What a program that uses the library links.
SANDBOX_LIBS = libbfsandbox.a $(SECCOMP_LIBS)

UNIT_TESTS += t/unit/test_sandbox
t_unit_test_sandbox_SOURCES = t/unit/test_sandbox.c t/unit/unit.h
t_unit_test_sandbox_LDADD = $(SANDBOX_LIBS) $(UNIT_LDADD_COMMON)
