#include "supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/certs.h"
#include "common/log.h"
#include "proto/fdlayout.h"

#define FIRST_FREE_FD	5	/* behind those of fdlayout.h */
#define PARKED_FD	16	/* out of the way of dup2() targets */
#define MAX_ENV		16
#define CPU_GRACE_SECS	5

/* What a child may see of our environment: no secrets can come this way. */
static const char *const kept_variables[] = {
	"PATH", "TZ", "LANG", "LC_ALL", CERTS_FILE_VARIABLE, CERTS_DIR_VARIABLE,
	"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "BF_TEST",
#ifdef BF_SANITIZED
	"BF_CRASHPOINT", "BF_KILL_PLAN",
#endif
};

static void
fill_environment(char *env[MAX_ENV])
{
	extern char **environ;
	size_t n = 0;

	for (size_t i = 0; i < BF_ARRAY_LEN(kept_variables); i++) {
		size_t len = strlen(kept_variables[i]);

		for (char **var = environ; *var != NULL; var++) {
			if (strncmp(*var, kept_variables[i], len) == 0 &&
			    (*var)[len] == '=' && n < MAX_ENV - 1)
				env[n++] = *var;
		}
	}
	env[n] = NULL;
}

static int
place_descriptors(const struct spawn_plan *plan)
{
	int control = fcntl(plan->control_fd, F_DUPFD, PARKED_FD);
	int second = plan->second_fd >= 0 ?
	    fcntl(plan->second_fd, F_DUPFD, PARKED_FD) : -1;
	int null = open("/dev/null", O_RDONLY);
	unsigned first_free = FIRST_FREE_FD;

	if (control == -1 || null == -1 || (plan->second_fd >= 0 && second == -1))
		return -1;
	if (dup2(null, STDIN_FILENO) == -1 || dup2(control, FD_CONTROL) == -1)
		return -1;
	if (second == -1)
		first_free = FIRST_FREE_FD - 1;
	else if (dup2(second, FIRST_FREE_FD - 1) == -1)
		return -1;
	return close_range(first_free, ~0u, 0);
}

static void
reset_signals(void)
{
	struct sigaction preset = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &preset, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Never above what we may have ourselves. */
static int
limit(int resource, rlim_t value)
{
	struct rlimit rl;

	if (getrlimit(resource, &rl) == -1)
		return -1;
	if (rl.rlim_max == RLIM_INFINITY || rl.rlim_max > value)
		rl.rlim_max = value;
	rl.rlim_cur = rl.rlim_max;
	return setrlimit(resource, &rl);
}

/* The first signal tells the reason, the second cannot be caught. */
static int
limit_cpu(rlim_t secs)
{
	struct rlimit rl;

	if (limit(RLIMIT_CPU, secs + CPU_GRACE_SECS) == -1 ||
	    getrlimit(RLIMIT_CPU, &rl) == -1)
		return -1;
	if (rl.rlim_cur > secs)
		rl.rlim_cur = secs;
	return setrlimit(RLIMIT_CPU, &rl);
}

static int
set_limits(const struct spawn_limits *limits)
{
	const struct {
		int resource;
		uint64_t value;
	} rows[] = {
		{ RLIMIT_NOFILE, limits->files },
		{ RLIMIT_AS, limits->memory_bytes },
		{ RLIMIT_FSIZE, limits->file_bytes },
		{ RLIMIT_NPROC, limits->processes },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++)
		if (rows[i].value > 0 && limit(rows[i].resource, rows[i].value) == -1)
			return -1;
	if (limits->cpu_secs > 0 && limit_cpu(limits->cpu_secs) == -1)
		return -1;
	return limit(RLIMIT_CORE, 0);
}

/* Half of what there is: the kernel takes a worker before the supervisor, and rather
 * a large one.  Nothing depends on it. */
static void
die_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)!write(fd, "500", 3);
	(void)close(fd);
}

/* By bare system calls: those of the C library would tell its other threads, which
 * are our parent's. */
static int
change_user(const struct spawn_user *user)
{
	gid_t group = user->gid;

	if (syscall(SYS_setgroups, 1, &group) == -1 ||
	    syscall(SYS_setresgid, group, group, group) == -1)
		return -1;
	return (int)syscall(SYS_setresuid, user->uid, user->uid, user->uid);
}

/* In the child, which may share our memory until it execs: system calls only. */
static void
become(const struct spawn_plan *plan, pid_t parent, char *const argv[],
    char *const env[])
{
	if (plan->dies_first)
		die_first();
	if (setsid() == -1 || place_descriptors(plan) == -1 ||
	    set_limits(&plan->limits) == -1 ||
	    (plan->user != NULL && change_user(plan->user) == -1) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return;
	/* Behind the change of user, which would take it back. */
	if (!plan->may_outlive_us) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
			return;
		/* It may have died before the prctl(). */
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
	}
	reset_signals();
	execve(plan->path, argv, env);
}

/*
 * To be born in a cgroup costs a copy of our page tables, half a millisecond; to move
 * there later, by cgroup.procs, would have the kernel wait for all processors: ten, and
 * we with it.  Our memory is not shared, as it is by vfork().
 */
static pid_t
clone_into(int cgroup_fd)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_VFORK, .exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup_fd,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static bool
is_passing(int error)
{
	return error == EAGAIN || error == ENOMEM;
}

/*
 * -1 and errno, or the process, which has run the program or left its reason in
 * *exec_errno.  *cgroup_errno_out: why it is not in its cgroup.
 */
static pid_t
start(const struct spawn_plan *plan, char *const argv[], char *const env[],
    volatile int *exec_errno, int *cgroup_errno_out)
{
	pid_t parent = getpid(), pid = -1;

	if (plan->cgroup_fd != -1 && (pid = clone_into(plan->cgroup_fd)) == -1)
		*cgroup_errno_out = errno;
	if (pid == -1 && !is_passing(*cgroup_errno_out))
		pid = vfork();
	if (pid == 0) {
		become(plan, parent, argv, env);
		*exec_errno = errno;
		_exit(127);
	}
	return pid;
}

/* What became of it, for the caller. */
static int
judge(const struct spawn_plan *plan, pid_t pid, int exec_errno, int cgroup_errno,
    struct err *err)
{
	if (pid == -1) {
		(void)err_errno(err, "fork for %s", plan->name);
		if (is_passing(errno))
			err->code = ERR_UNAVAILABLE;
		return -1;
	}
	if (exec_errno != 0) {
		/* It has nothing to do but to end.  Nobody else is to find it: as a child
		 * that nobody knows it would be taken for an orphan. */
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			continue;
		errno = exec_errno;
		(void)err_errno(err, "exec(%s)", plan->path);
		/* All but these are about the file, and waiting would not help. */
		if (!is_passing(errno) && errno != EMFILE && errno != ENFILE &&
		    errno != ETXTBSY && errno != EIO)
			err->code = ERR_NOT_FOUND;
		return -1;
	}
	if (cgroup_errno != 0)
		log_warn("%s %d: is not in its cgroup: %s", plan->name, (int)pid,
		    strerror(cgroup_errno));
	return 0;
}

int
spawn(const struct spawn_plan *plan, pid_t *pid_out, struct err *err)
{
	char *name = (char *)(uintptr_t)plan->name;
	char *label = (char *)(uintptr_t)plan->label;
	char *argv[] = { name, label, NULL };
	char *env[MAX_ENV];
	/* Not all children share our memory. */
	int *exec_errno = mmap(NULL, sizeof(*exec_errno), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int cgroup_errno = 0, rc;
	sigset_t all, before;
	pid_t pid = -1;

	fill_environment(env);

	/* No handler of ours may run in the child while it shares our memory. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	if (exec_errno != MAP_FAILED)
		pid = start(plan, argv, env, exec_errno, &cgroup_errno);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	rc = judge(plan, pid, pid != -1 ? *exec_errno : 0, cgroup_errno, err);
	if (exec_errno != MAP_FAILED)
		(void)munmap(exec_errno, sizeof(*exec_errno));
	if (rc == 0)
		*pid_out = pid;
	return rc;
}
