/*
 * main.c - pdf-text: locks itself up and becomes pdftotext (pdftext.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/exitcode.h"
#include "common/limits.h"
#include "pdftext/pdftext.h"
#include "sandbox/sandbox.h"

#define TEXT_SIZE	1024

/* Where the dynamic linker and poppler look.  The first is the tool itself. */
static void
keep_files(struct sandbox *sandbox, const char *tool)
{
	const struct sandbox_path paths[] = {
		{ tool, SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/lib", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/lib64", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/usr/lib", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/usr/lib64", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/usr/local/lib", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/etc/ld.so.cache", SANDBOX_READ },
		{ "/usr/share/poppler", SANDBOX_READ },
	};

	sandbox_files(sandbox, paths, BF_ARRAY_LEN(paths));
}

#define ALLOW(name)	{ .syscall = name, .verdict = SANDBOX_ALLOW }
#define KILL(name)	{ .syscall = name, .verdict = SANDBOX_KILL }

/* Everything else is denied. */
static void
keep_system_calls(struct sandbox *sandbox)
{
	const struct sandbox_rule rules[] = {
		/* to begin: the exec below, and the dynamic linker */
		ALLOW("execve"), ALLOW("arch_prctl"), ALLOW("set_tid_address"),
		ALLOW("set_robust_list"), ALLOW("rseq"), ALLOW("access"),
		ALLOW("faccessat"), ALLOW("faccessat2"), ALLOW("getcwd"),
		ALLOW("readlink"), ALLOW("readlinkat"),
		/* input and output, on what is open or may be read */
		ALLOW("read"), ALLOW("readv"), ALLOW("pread64"), ALLOW("preadv"),
		ALLOW("write"), ALLOW("writev"), ALLOW("lseek"), ALLOW("_llseek"),
		ALLOW("close"), ALLOW("close_range"), ALLOW("fcntl"), ALLOW("fcntl64"),
		ALLOW("dup"), ALLOW("dup2"), ALLOW("dup3"), ALLOW("fstat"),
		ALLOW("fstat64"), ALLOW("stat"), ALLOW("stat64"), ALLOW("lstat"),
		ALLOW("newfstatat"), ALLOW("fstatat64"), ALLOW("statx"),
		ALLOW("fstatfs"), ALLOW("getdents"), ALLOW("getdents64"),
		{ .syscall = "open", .verdict = SANDBOX_ALLOW,
		    .argument = 1, .mask = O_ACCMODE | O_CREAT, .value = O_RDONLY },
		{ .syscall = "openat", .verdict = SANDBOX_ALLOW,
		    .argument = 2, .mask = O_ACCMODE | O_CREAT, .value = O_RDONLY },
		/* memory */
		ALLOW("brk"), ALLOW("mmap"), ALLOW("mmap2"), ALLOW("mprotect"),
		ALLOW("munmap"), ALLOW("mremap"), ALLOW("madvise"), ALLOW("futex"),
		ALLOW("futex_time64"), ALLOW("membarrier"),
		/* about itself; limits only to be read, or lowered for good */
		ALLOW("getpid"), ALLOW("gettid"), ALLOW("getuid"), ALLOW("geteuid"),
		ALLOW("getgid"), ALLOW("getegid"), ALLOW("getrlimit"),
		ALLOW("ugetrlimit"), ALLOW("uname"), ALLOW("sysinfo"),
		ALLOW("sched_getaffinity"), ALLOW("sched_yield"), ALLOW("getrandom"),
		ALLOW("getrusage"), ALLOW("setrlimit"),
		{ .syscall = "prlimit64", .verdict = SANDBOX_ALLOW,
		    .argument = 0, .mask = ~0ull, .value = 0 },
		{ .syscall = "tgkill", .verdict = SANDBOX_ALLOW,
		    .argument = 0, .mask = ~0ull, .value = (uint64_t)getpid() },
		/* time and signals */
		ALLOW("clock_gettime"), ALLOW("clock_gettime64"), ALLOW("clock_getres"),
		ALLOW("clock_getres_time64"), ALLOW("gettimeofday"), ALLOW("time"),
		ALLOW("times"), ALLOW("rt_sigaction"), ALLOW("rt_sigprocmask"),
		ALLOW("rt_sigreturn"), ALLOW("sigreturn"), ALLOW("sigaltstack"),
		ALLOW("restart_syscall"), ALLOW("exit"), ALLOW("exit_group"),
		/* what only an attacker does */
		KILL("socket"), KILL("socketpair"), KILL("connect"), KILL("bind"),
		KILL("sendto"), KILL("sendmsg"), KILL("fork"), KILL("vfork"),
		KILL("execveat"), KILL("ptrace"), KILL("process_vm_readv"),
		KILL("process_vm_writev"), KILL("kill"), KILL("tkill"), KILL("mount"),
		KILL("unshare"), KILL("setns"), KILL("bpf"), KILL("io_uring_setup"),
		{ .syscall = "clone3", .verdict = SANDBOX_MISSING },
	};

	sandbox_syscalls(sandbox, rules, BF_ARRAY_LEN(rules), SANDBOX_DENY);
}

static void
keep_limits(struct sandbox *sandbox)
{
	sandbox_limit(sandbox, RLIMIT_CORE, 0);
	sandbox_limit(sandbox, RLIMIT_FSIZE, 0);
	sandbox_limit(sandbox, RLIMIT_NOFILE, LIMIT_PDF_FILES);
	sandbox_limit(sandbox, RLIMIT_CPU, LIMIT_PDF_CPU_SECS);
	/* Last, since from here on there may be no more memory for ourselves. */
	sandbox_limit(sandbox, RLIMIT_AS, LIMIT_PDF_MEMORY_BYTES);
}

/* Plain write(2): stdio and the sanitizers may not find what they need any more. */
static void
say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static BF_NORETURN void
give_up(const char *tool, const char *why, int exit_status)
{
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%s: %s: %s\n", PDFTEXT_PROGRAM, tool, why);
	say(STDERR_FILENO, text);
	_exit(exit_status);
}

int
main(int argc, char *argv[])
{
	bool is_check = argc == 3 && strcmp(argv[1], "--check") == 0;
	char *tool = argv[argc - 1];
	char *to_text[] = { tool, (char *)(uintptr_t)"-q", (char *)(uintptr_t)"-enc",
	    (char *)(uintptr_t)"UTF-8", (char *)(uintptr_t)"-eol",
	    (char *)(uintptr_t)"unix", (char *)(uintptr_t)"-",
	    (char *)(uintptr_t)"-", NULL };
	char *to_version[] = { tool, (char *)(uintptr_t)"-v", NULL };
	char *env[] = { (char *)(uintptr_t)"LC_ALL=C", NULL };
	char text[TEXT_SIZE];
	struct sandbox sandbox;

	if (argc != 2 && !is_check) {
		say(STDERR_FILENO, "usage: " PDFTEXT_PROGRAM " [--check] PDFTOTEXT\n");
		return EXIT_USAGE;
	}
	if (access(tool, X_OK) == -1)
		give_up(tool, strerror(errno), PDFTEXT_NO_TOOL);
	sandbox_init(&sandbox);
	sandbox_network(&sandbox);
	keep_files(&sandbox, tool);
	keep_system_calls(&sandbox);
	keep_limits(&sandbox);
	if (!sandbox_is_active(&sandbox, SANDBOX_LIMITS))
		give_up(tool, sandbox.parts[SANDBOX_LIMITS].why, PDFTEXT_NO_LIMITS);
	if (is_check) {
		sandbox_format(&sandbox, text, sizeof(text) - 1);
		say(STDOUT_FILENO, strcat(text, "\n"));
		/* It tells its version on standard error. */
		(void)dup2(STDOUT_FILENO, STDERR_FILENO);
	}
	(void)execve(tool, is_check ? to_version : to_text, env);
	give_up(tool, strerror(errno), PDFTEXT_NO_TOOL);
}
