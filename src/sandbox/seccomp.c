#include "sandbox/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>

#include "common/attr.h"
#include "sandbox/sandbox_impl.h"

static uint32_t
action_of(enum sandbox_verdict verdict)
{
	switch (verdict) {
	case SANDBOX_ALLOW:
		return SCMP_ACT_ALLOW;
	case SANDBOX_DENY:
		return SCMP_ACT_ERRNO(EPERM);
	case SANDBOX_MISSING:
		return SCMP_ACT_ERRNO(ENOSYS);
	case SANDBOX_KILL:
		return SCMP_ACT_KILL_PROCESS;
	case SANDBOX_TELL:
		return SCMP_ACT_TRAP;
	}
	return SCMP_ACT_KILL_PROCESS;
}

/* 0 or a negative errno, as libseccomp has it. */
static int
add(scmp_filter_ctx filter, const struct sandbox_rule *rule)
{
	int number = seccomp_syscall_resolve_name(rule->syscall);
	struct scmp_arg_cmp condition = SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ,
	    rule->mask, rule->value);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, action_of(rule->verdict), number,
	    rule->mask != 0 ? 1 : 0, &condition);
}

#define BY_SECCOMP	1	/* si_code; SYS_SECCOMP is not in the headers of the C library */

/* A handler of a signal can have its context nowhere else. */
static struct {
	sandbox_forbidden_cb *cb;
	void *arg;
} forbidden;

/*
 * The signal comes from the call itself, never in the middle of something else:
 * what a call may interrupt (an allocation, our log) makes none that is forbidden.
 */
static void
on_sigsys(int sig, siginfo_t *info, void *context BF_UNUSED)
{
	char number[16];
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE,
	    info->si_syscall);

	(void)snprintf(number, sizeof(number), "%d", info->si_syscall);
	if (info->si_code == BY_SECCOMP)
		forbidden.cb(name != NULL ? name : number, forbidden.arg);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

void
sandbox_on_forbidden(sandbox_forbidden_cb *cb, void *arg)
{
	struct sigaction action = {
		.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	forbidden.cb = cb;
	forbidden.arg = arg;
	(void)sigaction(SIGSYS, &action, NULL);
}

void
sandbox_syscalls(struct sandbox *sandbox, const struct sandbox_rule *rules, size_t count,
    enum sandbox_verdict others)
{
	scmp_filter_ctx filter = seccomp_init(action_of(others));
	int result = 0;

	if (filter == NULL) {
		sandbox_refused(sandbox, SANDBOX_SYSCALLS, "seccomp_init", ENOMEM);
		return;
	}
	for (size_t i = 0; i < count && result == 0; i++)
		result = add(filter, &rules[i]);
	if (result == 0)
		result = seccomp_load(filter);
	if (result == 0)
		sandbox_active(sandbox, SANDBOX_SYSCALLS);
	else
		sandbox_refused(sandbox, SANDBOX_SYSCALLS, "seccomp", -result);
	seccomp_release(filter);
}
