#include "confine/confine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/attr.h"
#include "common/certs.h"
#include "common/log.h"
#include "confine/calls.h"
#include "proto/channel.h"

#define LIBRARIES	SANDBOX_READ	/* mapped, not executed */

/* Every process: the C library, and what it reads by itself. */
static const struct sandbox_path paths_of_all[] = {
	{ "/lib", LIBRARIES },
	{ "/lib64", LIBRARIES },
	{ "/usr/lib", LIBRARIES },		/* with /usr/lib/ssl */
	{ "/usr/lib64", LIBRARIES },
	{ "/usr/local/lib", LIBRARIES },
	{ "/etc/ld.so.cache", SANDBOX_READ },
	{ "/etc/localtime", SANDBOX_READ },
	{ "/usr/share/zoneinfo", SANDBOX_READ },
	{ "/sys/devices/system/cpu", SANDBOX_READ },	/* how many there are */
	{ "/dev/null", SANDBOX_READ | SANDBOX_WRITE },
	{ "/dev/urandom", SANDBOX_READ },
#ifdef BF_SANITIZED
	{ "/proc/self", SANDBOX_READ },
	{ "/proc/self/exe", SANDBOX_READ },	/* for the lines of a report */
#endif
};

/*
 * TLS and the resolver.  Where resolv.conf is a link into one of the directories, it
 * may be replaced at any time; where it is a file, one that is replaced while a
 * process runs is not seen by that process.
 */
static const struct sandbox_path paths_to_connect[] = {
	{ "/etc/ssl", SANDBOX_READ },
	{ "/etc/pki", SANDBOX_READ },
	{ "/etc/ca-certificates", SANDBOX_READ },
	{ "/usr/share/ca-certificates", SANDBOX_READ },
	{ "/usr/local/share/ca-certificates", SANDBOX_READ },
	{ "/etc/resolv.conf", SANDBOX_READ },
	{ "/run/systemd/resolve", SANDBOX_READ },
	{ "/run/resolvconf", SANDBOX_READ },
	{ "/run/NetworkManager", SANDBOX_READ },
	{ "/run/nscd", SANDBOX_READ },
	{ "/etc/hosts", SANDBOX_READ },
	{ "/etc/host.conf", SANDBOX_READ },
	{ "/etc/nsswitch.conf", SANDBOX_READ },
	{ "/etc/gai.conf", SANDBOX_READ },
	{ "/etc/services", SANDBOX_READ },
};

#define PATHS_MAX	(BF_ARRAY_LEN(paths_of_all) + BF_ARRAY_LEN(paths_to_connect) + \
			CONFINE_PATHS_MAX)

void
confine_add(struct confine *confine, const char *path, unsigned access)
{
	assert(confine->count < CONFINE_PATHS_MAX);
	confine->paths[confine->count++] = (struct sandbox_path){ path, access };
}

void
confine_init(struct confine *confine, unsigned needs)
{
	static const char *const variables[] = { CERTS_FILE_VARIABLE,
	    CERTS_DIR_VARIABLE };

	*confine = (struct confine){ .needs = needs };
	if ((needs & CONFINE_CONNECT) == 0)
		return;
	for (size_t i = 0; i < BF_ARRAY_LEN(variables); i++) {
		const char *path = getenv(variables[i]);

		if (path != NULL && path[0] != '\0')
			confine_add(confine, path, SANDBOX_READ);
	}
}

static void
append(struct sandbox_path *to, size_t *count, const struct sandbox_path *from,
    size_t from_count)
{
	memcpy(to + *count, from, from_count * sizeof(*from));
	*count += from_count;
}

static void
keep_files(struct sandbox *sandbox, const struct confine *confine)
{
	struct sandbox_path paths[PATHS_MAX];
	size_t count = 0;

	append(paths, &count, paths_of_all, BF_ARRAY_LEN(paths_of_all));
	if ((confine->needs & CONFINE_CONNECT) != 0)
		append(paths, &count, paths_to_connect, BF_ARRAY_LEN(paths_to_connect));
	append(paths, &count, confine->paths, confine->count);
	sandbox_files(sandbox, paths, count);
}

static void
report(const struct sandbox *sandbox, struct channel *control)
{
	static const enum sandbox_part told[] = {
		SANDBOX_NETWORK, SANDBOX_FILES, SANDBOX_SYSCALLS,
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(told); i++) {
		const struct sandbox_state *state = &sandbox->parts[told[i]];
		struct msg msg = { .type = MSG_TYPE_CONFINED };

		if (!state->is_active && state->why[0] == '\0')
			continue;
		msg.confined = (struct msg_confined){
			.part = str_from(sandbox_part_name(told[i])),
			.is_active = state->is_active, .why = str_from(state->why),
		};
		channel_send(control, &msg);
	}
}

static void
on_forbidden(const char *call, void *arg BF_UNUSED)
{
	log_error("the system call %s is forbidden to this process: ending", call);
}

void
confine_self(const struct confine *confine, struct channel *control,
    sandbox_forbidden_cb *cb, void *arg)
{
	struct sandbox sandbox;

	sandbox_init(&sandbox);
	if ((confine->needs & CONFINE_CONNECT) == 0)
		sandbox_network(&sandbox);
	keep_files(&sandbox, confine);
	sandbox_on_forbidden(cb != NULL ? cb : on_forbidden, arg);
	calls_keep(&sandbox, confine->needs);
	report(&sandbox, control);
}
