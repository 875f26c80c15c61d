/*
 * calls.c - the one table of system calls that our processes may make, and why.
 *
 * What is not in it fails with EPERM, so that a newer C library that tries
 * something new falls back on what it did before.  What only an attacker does
 * ends the process and is told by name.
 */
#include "confine/calls.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/attr.h"
#include "confine/confine.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA	0x53564d41	/* since Linux 5.17 */
#endif

#define ROWS_MAX	320
#define ALL_BITS	(~0ull)

struct row {
	const char *call;
	unsigned needs;		/* any of these bits; 0: every process */
	enum sandbox_verdict verdict;
	/* only if (that argument & mask) == value; mask 0: in any case */
	unsigned argument;
	uint64_t mask, value;
};

#define ALLOW(name)		{ .call = name }
#define FOR(need, name)		{ .call = name, .needs = need }
#define ALLOW_IF(name, number, bits, is) \
	{ .call = name, .argument = number, .mask = bits, .value = is }
#define FOR_IF(need, name, number, bits, is) \
	{ .call = name, .needs = need, .argument = number, .mask = bits, .value = is }
#define ATTACK(name)		{ .call = name, .verdict = SANDBOX_TELL }

#define SOCKETS	(CONFINE_CONNECT | CONFINE_UNIX)

static const struct row rows[] = {
	/* descriptors that are open; what else may be opened is a matter of paths */
	ALLOW("read"), ALLOW("readv"), ALLOW("pread64"), ALLOW("preadv"),
	ALLOW("preadv2"), ALLOW("write"), ALLOW("writev"), ALLOW("pwrite64"),
	ALLOW("pwritev"), ALLOW("pwritev2"), ALLOW("lseek"), ALLOW("_llseek"),
	ALLOW("close"), ALLOW("close_range"), ALLOW("dup"), ALLOW("dup2"),
	ALLOW("dup3"), ALLOW("fcntl"), ALLOW("fcntl64"), ALLOW("ioctl"),
	ALLOW("flock"), ALLOW("fsync"), ALLOW("fdatasync"), ALLOW("ftruncate"),
	ALLOW("ftruncate64"), ALLOW("fallocate"), ALLOW("fadvise64"),
	ALLOW("sync_file_range"), ALLOW("pipe"), ALLOW("pipe2"),
	ALLOW("memfd_create"),
	/* reading: the C library, TLS, time zones, SQLite */
	ALLOW_IF("open", 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
	ALLOW_IF("openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
	ALLOW("access"), ALLOW("faccessat"), ALLOW("faccessat2"), ALLOW("stat"),
	ALLOW("stat64"), ALLOW("lstat"), ALLOW("lstat64"), ALLOW("fstat"),
	ALLOW("fstat64"), ALLOW("newfstatat"), ALLOW("fstatat64"), ALLOW("statx"),
	ALLOW("statfs"), ALLOW("statfs64"), ALLOW("fstatfs"), ALLOW("fstatfs64"),
	ALLOW("getdents"), ALLOW("getdents64"), ALLOW("getcwd"),
	ALLOW("readlink"), ALLOW("readlinkat"),
	/* writing, for the stores */
	FOR(CONFINE_WRITE, "open"), FOR(CONFINE_WRITE, "openat"),
	FOR(CONFINE_WRITE, "mkdir"), FOR(CONFINE_WRITE, "mkdirat"),
	FOR(CONFINE_WRITE, "rmdir"), FOR(CONFINE_WRITE, "unlink"),
	FOR(CONFINE_WRITE, "unlinkat"), FOR(CONFINE_WRITE, "rename"),
	FOR(CONFINE_WRITE, "renameat"), FOR(CONFINE_WRITE, "renameat2"),
	FOR(CONFINE_WRITE, "fchmod"), FOR(CONFINE_WRITE, "fchown"),
	FOR(CONFINE_WRITE, "umask"), FOR(CONFINE_WRITE, "utimensat"),
	/* memory */
	ALLOW("brk"), ALLOW("mmap"), ALLOW("mmap2"), ALLOW("munmap"),
	ALLOW("mremap"), ALLOW("mprotect"), ALLOW("madvise"), ALLOW("msync"),
	ALLOW("mincore"), ALLOW("membarrier"),
	/* threads: libcurl resolves names in one, LMDB copies in another */
	ALLOW_IF("clone", 0, CLONE_THREAD, CLONE_THREAD),
	{ .call = "clone3", .verdict = SANDBOX_MISSING },	/* its flags are in memory */
	ALLOW("futex"), ALLOW("futex_time64"), ALLOW("set_robust_list"),
	ALLOW("get_robust_list"), ALLOW("rseq"), ALLOW("set_tid_address"),
	ALLOW("exit"), ALLOW("exit_group"), ALLOW("sched_yield"),
	ALLOW("sched_getaffinity"), ALLOW("getcpu"), ALLOW("arch_prctl"),
	ALLOW_IF("prctl", 0, ALL_BITS, PR_SET_NAME),
	ALLOW_IF("prctl", 0, ALL_BITS, PR_GET_NAME),
	ALLOW_IF("prctl", 0, ALL_BITS, PR_SET_VMA),
	/* the loop, the clock, signals */
	ALLOW("epoll_create"), ALLOW("epoll_create1"), ALLOW("epoll_ctl"),
	ALLOW("epoll_wait"), ALLOW("epoll_pwait"), ALLOW("epoll_pwait2"),
	ALLOW("poll"), ALLOW("ppoll"), ALLOW("ppoll_time64"), ALLOW("select"),
	ALLOW("_newselect"), ALLOW("pselect6"), ALLOW("eventfd"),
	ALLOW("eventfd2"), ALLOW("timerfd_create"), ALLOW("timerfd_settime"),
	ALLOW("clock_gettime"), ALLOW("clock_gettime64"), ALLOW("clock_getres"),
	ALLOW("clock_getres_time64"), ALLOW("gettimeofday"), ALLOW("time"),
	ALLOW("times"), ALLOW("nanosleep"), ALLOW("clock_nanosleep"),
	ALLOW("clock_nanosleep_time64"), ALLOW("restart_syscall"), ALLOW("pause"),
	ALLOW("alarm"), ALLOW("setitimer"), ALLOW("rt_sigaction"),
	ALLOW("rt_sigprocmask"), ALLOW("rt_sigreturn"), ALLOW("rt_sigpending"),
	ALLOW("rt_sigtimedwait"), ALLOW("rt_sigsuspend"), ALLOW("sigaltstack"),
	ALLOW("sigreturn"), ALLOW("signalfd4"), ALLOW("wait4"), ALLOW("waitid"),
	/* about itself */
	ALLOW("getpid"), ALLOW("getppid"), ALLOW("gettid"), ALLOW("getuid"),
	ALLOW("geteuid"), ALLOW("getgid"), ALLOW("getegid"), ALLOW("getresuid"),
	ALLOW("getresgid"), ALLOW("getpgrp"), ALLOW("getpgid"), ALLOW("getsid"),
	ALLOW("getgroups"), ALLOW("getpriority"), ALLOW("getrandom"),
	ALLOW("getrlimit"), ALLOW("ugetrlimit"), ALLOW("setrlimit"),
	ALLOW("getrusage"), ALLOW("sysinfo"), ALLOW("uname"), ALLOW("capget"),
	ALLOW_IF("prlimit64", 0, ALL_BITS, 0),
	/* sockets that it has: the channels, and what it connects or accepts */
	ALLOW("sendmsg"), ALLOW("sendmmsg"), ALLOW("sendto"), ALLOW("recvmsg"),
	ALLOW("recvmmsg"), ALLOW("recvfrom"), ALLOW("shutdown"),
	ALLOW("getsockname"), ALLOW("getpeername"), ALLOW("getsockopt"),
	ALLOW("setsockopt"), ALLOW("socketpair"),
	FOR_IF(SOCKETS, "socket", 0, ALL_BITS, AF_UNIX),	/* also nscd's */
	FOR_IF(CONFINE_CONNECT, "socket", 0, ALL_BITS, AF_INET),
	FOR_IF(CONFINE_CONNECT, "socket", 0, ALL_BITS, AF_INET6),
	/* getaddrinfo() asks for our addresses, to choose among those of a server */
	FOR_IF(CONFINE_CONNECT, "socket", 0, ALL_BITS, AF_NETLINK),
	FOR(CONFINE_CONNECT, "bind"),
	FOR(SOCKETS, "connect"),
	FOR(CONFINE_ACCEPT, "accept"), FOR(CONFINE_ACCEPT, "accept4"),
	FOR(CONFINE_ACCEPT, "sendfile"),
	/* a program of ours: to start it, end it, and what it does to confine itself,
	 * since a filter holds for descendants, too */
	FOR(CONFINE_HELPER, "fork"), FOR(CONFINE_HELPER, "vfork"),
	FOR(CONFINE_HELPER, "clone"), FOR(CONFINE_HELPER, "execve"),
	FOR(CONFINE_HELPER, "kill"), FOR(CONFINE_HELPER, "pidfd_send_signal"),
	FOR(CONFINE_HELPER, "prctl"), FOR(CONFINE_HELPER, "seccomp"),
	FOR(CONFINE_HELPER, "unshare"), FOR(CONFINE_HELPER, "setsid"),
	FOR(CONFINE_HELPER, "setpgid"),
	FOR(CONFINE_HELPER, "landlock_create_ruleset"),
	FOR(CONFINE_HELPER, "landlock_add_rule"),
	FOR(CONFINE_HELPER, "landlock_restrict_self"),
#ifdef BF_SANITIZED
	/* The search for leaks at the end stops all threads from a process of its own. */
	ALLOW("prctl"),
	ALLOW_IF("clone", 0, CLONE_THREAD | CLONE_UNTRACED, CLONE_UNTRACED),
	ALLOW_IF("ptrace", 0, ALL_BITS, PTRACE_ATTACH),
	ALLOW_IF("ptrace", 0, ALL_BITS, PTRACE_DETACH),
	ALLOW_IF("ptrace", 0, ALL_BITS, PTRACE_CONT),
	ALLOW_IF("ptrace", 0, ALL_BITS, PTRACE_KILL),
	ALLOW_IF("ptrace", 0, ALL_BITS, PTRACE_GETREGSET),
	ALLOW_IF("ptrace", 0, ALL_BITS, 12),	/* PTRACE_GETREGS of x86 */
#endif
};

/* Calls with a rule of their own in rows[] are among these where it is for others. */
static const struct row attacks[] = {
	ATTACK("fork"), ATTACK("vfork"), ATTACK("execve"), ATTACK("execveat"),
	ATTACK("kill"), ATTACK("tkill"), ATTACK("pidfd_open"),
	ATTACK("pidfd_getfd"), ATTACK("pidfd_send_signal"),
	ATTACK("process_vm_readv"), ATTACK("process_vm_writev"),
	ATTACK("connect"), ATTACK("bind"), ATTACK("listen"), ATTACK("unshare"),
	ATTACK("setns"), ATTACK("mount"), ATTACK("umount2"), ATTACK("move_mount"),
	ATTACK("fsopen"), ATTACK("open_tree"), ATTACK("pivot_root"),
	ATTACK("chroot"), ATTACK("bpf"), ATTACK("perf_event_open"),
	ATTACK("io_uring_setup"), ATTACK("userfaultfd"), ATTACK("keyctl"),
	ATTACK("add_key"), ATTACK("request_key"), ATTACK("init_module"),
	ATTACK("finit_module"), ATTACK("delete_module"), ATTACK("kexec_load"),
	ATTACK("kexec_file_load"), ATTACK("reboot"), ATTACK("swapon"),
	ATTACK("setuid"), ATTACK("setgid"), ATTACK("setreuid"),
	ATTACK("setresuid"), ATTACK("setresgid"), ATTACK("setgroups"),
	ATTACK("personality"), ATTACK("open_by_handle_at"), ATTACK("modify_ldt"),
	ATTACK("iopl"), ATTACK("ioperm"), ATTACK("clock_settime"),
	ATTACK("settimeofday"), ATTACK("ptrace"),
};

/* A rule without a condition takes the place of those with one. */
static bool
is_free(const char *call, unsigned needs)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].call, call) == 0 && rows[i].mask == 0 &&
		    (rows[i].needs == 0 || (rows[i].needs & needs) != 0))
			return true;
	return false;
}

static bool
has_row(const char *call, unsigned needs)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].call, call) == 0 &&
		    (rows[i].needs == 0 || (rows[i].needs & needs) != 0))
			return true;
	return false;
}

static void
add(struct sandbox_rule *rules, size_t *count, const struct row *row)
{
	rules[(*count)++] = (struct sandbox_rule){
		.syscall = row->call, .verdict = row->verdict,
		.argument = row->argument, .mask = row->mask, .value = row->value,
	};
}

/* What is told of a call that is allowed with some arguments. */
static void
add_conditional_attacks(struct sandbox_rule *rules, size_t *count, unsigned needs)
{
	const struct row own_signal = ALLOW_IF("tgkill", 0, ALL_BITS, (uint64_t)getpid());
	const struct row new_process = {
		.call = "clone", .verdict = SANDBOX_TELL,
		.mask = CLONE_THREAD | CLONE_UNTRACED,
	};
	const struct row seize = {
		.call = "ptrace", .verdict = SANDBOX_TELL,
		.mask = ALL_BITS, .value = PTRACE_SEIZE,
	};

	if ((needs & CONFINE_HELPER) != 0) {
		/* The program has another pid. */
		add(rules, count, &(struct row)ALLOW("tgkill"));
	} else {
		add(rules, count, &own_signal);
		add(rules, count, &new_process);
	}
	if (has_row("ptrace", needs))
		add(rules, count, &seize);
}

void
calls_keep(struct sandbox *sandbox, unsigned needs)
{
	struct sandbox_rule rules[ROWS_MAX];
	size_t count = 0;

	_Static_assert(BF_ARRAY_LEN(rows) + BF_ARRAY_LEN(attacks) + 3 <= ROWS_MAX,
	    "ROWS_MAX");
	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++)
		if ((rows[i].needs == 0 || (rows[i].needs & needs) != 0) &&
		    (rows[i].mask == 0 || !is_free(rows[i].call, needs)))
			add(rules, &count, &rows[i]);
	for (size_t i = 0; i < BF_ARRAY_LEN(attacks); i++)
		if (!has_row(attacks[i].call, needs))
			add(rules, &count, &attacks[i]);
	add_conditional_attacks(rules, &count, needs);
	sandbox_syscalls(sandbox, rules, count, SANDBOX_DENY);
}
