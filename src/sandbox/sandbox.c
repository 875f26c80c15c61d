#include "sandbox/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sandbox/sandbox_impl.h"

static const char *const part_names[] = {
#define X(name, text) text,
	SANDBOX_PARTS(X)
#undef X
};

void
sandbox_active(struct sandbox *sandbox, enum sandbox_part part)
{
	/* One of several limits that could not be set is what counts. */
	if (sandbox->parts[part].why[0] == '\0')
		sandbox->parts[part].is_active = true;
}

void
sandbox_refused(struct sandbox *sandbox, enum sandbox_part part, const char *what,
    int error)
{
	struct sandbox_state *state = &sandbox->parts[part];

	state->is_active = false;
	(void)snprintf(state->why, sizeof(state->why), "%s: %s", what, strerror(error));
}

void
sandbox_init(struct sandbox *sandbox)
{
	*sandbox = (struct sandbox){ 0 };
	/* It cannot fail on a kernel that has it (3.5); if it did, so would the
	 * steps that need it, and say so. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void
sandbox_network(struct sandbox *sandbox)
{
	/* Root needs no user namespace, and a container that forbids user namespaces
	 * may still let root have the others. */
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0)
		sandbox_active(sandbox, SANDBOX_NETWORK);
	else
		sandbox_refused(sandbox, SANDBOX_NETWORK, "unshare", errno);
}

void
sandbox_limit(struct sandbox *sandbox, int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == -1) {
		sandbox_refused(sandbox, SANDBOX_LIMITS, "getrlimit", errno);
		return;
	}
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(resource, &limit) == -1)
		sandbox_refused(sandbox, SANDBOX_LIMITS, "setrlimit", errno);
	else
		sandbox_active(sandbox, SANDBOX_LIMITS);
}

const char *
sandbox_part_name(enum sandbox_part part)
{
	return part_names[part];
}

bool
sandbox_is_active(const struct sandbox *sandbox, enum sandbox_part part)
{
	return sandbox->parts[part].is_active;
}

void
sandbox_format(const struct sandbox *sandbox, char *text_out, size_t size)
{
	size_t at = 0;

	text_out[0] = '\0';
	for (int i = 0; i < SANDBOX_PART_COUNT && at < size; i++) {
		const struct sandbox_state *state = &sandbox->parts[i];
		const char *separator = i > 0 ? ", " : "";
		int n;

		if (state->is_active)
			n = snprintf(text_out + at, size - at, "%s%s active", separator,
			    part_names[i]);
		else
			n = snprintf(text_out + at, size - at, "%s%s not %s", separator,
			    part_names[i], state->why[0] != '\0' ? "available" :
			    "asked for");
		at += n > 0 ? (size_t)n : 0;
		if (at < size && state->why[0] != '\0') {
			n = snprintf(text_out + at, size - at, " (%s)", state->why);
			at += n > 0 ? (size_t)n : 0;
		}
	}
}
