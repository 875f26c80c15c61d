#include "resolver/resolver.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "confine/confine.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"
#include "resolver/peer.h"

static void
stop(struct resolver *resolver, enum exit_code code)
{
	resolver->exit_code = code;
	ev_break(resolver->loop, EVBREAK_ALL);
}

/* --- the control channel --- */

static void
on_hello(struct resolver *resolver, const struct msg_hello *hello)
{
	struct confine confine;

	if (hello->version != PROTO_VERSION || resolver->can_look) {
		log_error("the supervisor speaks protocol version %llu, not %d",
		    (unsigned long long)hello->version, PROTO_VERSION);
		stop(resolver, EXIT_PROTOCOL);
		return;
	}
	lookups_init(&resolver->lookups, resolver->loop, &resolver->settings);
	resolver->can_look = true;
	channel_send(resolver->control, &(struct msg){ .type = MSG_TYPE_HELLO, .hello = {
		.version = PROTO_VERSION,
		.program = STR("backfill-resolver"),
		.pid = (uint64_t)getpid(),
	} });
	confine_init(&confine, CONFINE_CONNECT);
	confine_self(&confine, resolver->control, NULL, NULL);
}

/* After a reload each setting comes again, mostly as it was.  Is this one another
 * way to look? */
static bool
is_change(const struct resolver *resolver, const struct msg_setting *setting)
{
	const struct setting *row = settings_find(setting->name);
	char *text;
	bool result;

	if (row == NULL || str_eq(setting->name, STR("log_level")))
		return false;
	text = settings_text(&resolver->settings, row);
	result = !str_eq(str_from(text), setting->value);
	free(text);
	return result;
}

/*
 * What was learned under other settings is forgotten: another directory has
 * other answers.
 */
static void
on_setting(struct resolver *resolver, const struct msg_setting *setting)
{
	bool restarts = resolver->can_look && is_change(resolver, setting);
	enum log_level level;
	struct err err;

	if (restarts)
		lookups_clear(&resolver->lookups);
	if (settings_set(&resolver->settings, setting->name, setting->value, &err) == -1) {
		log_error("%s", err.text);
		resolver->can_look = resolver->can_look && !restarts;
		stop(resolver, EXIT_CONFIG);
		return;
	}
	if (log_level_parse(resolver->settings.log_level, &level) == 0)
		log_set_level(level);
	if (restarts)
		lookups_init(&resolver->lookups, resolver->loop, &resolver->settings);
}

static void
on_attach(struct resolver *resolver)
{
	int fd = channel_take_fd(resolver->control);

	if (fd == -1 || !resolver->can_look) {
		log_error("attach: %s", fd == -1 ? "no descriptor came" :
		    "it came before hello");
		fd_close(&fd);
		return;
	}
	peer_new(resolver, fd);
}

static void
on_control(struct channel *channel, const struct msg *msg, void *arg)
{
	struct resolver *resolver = arg;

	switch (msg->type) {
	case MSG_TYPE_HELLO:
		on_hello(resolver, &msg->hello);
		break;
	case MSG_TYPE_SETTING:
		on_setting(resolver, &msg->setting);
		break;
	case MSG_TYPE_PING:
		channel_send(channel, &(struct msg){ .type = MSG_TYPE_PONG,
		    .pong = { .number = msg->ping.number } });
		break;
	case MSG_TYPE_ATTACH:
		on_attach(resolver);
		break;
	default:
		log_error("the supervisor sent %s", msg_name(msg->type));
		stop(resolver, EXIT_PROTOCOL);
		break;
	}
}

static void
on_control_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	if (why != NULL)
		log_error("control channel: %s", why->text);
	stop(arg, why != NULL ? EXIT_PROTOCOL : EXIT_OK);
}

/* --- life --- */

static void
on_signal(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	stop(watcher->data, EXIT_OK);
}

static void
watch_signal(struct resolver *resolver, struct ev_signal *watcher, int number)
{
	ev_signal_init(watcher, on_signal, number);
	watcher->data = resolver;
	ev_signal_start(resolver->loop, watcher);
}

void
resolver_init(struct resolver *resolver, struct ev_loop *loop, int control_fd)
{
	struct channel_options options = {
		.accepts = FROM_SUPERVISOR,
		.frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.accepts_fds = true,
		.on_msg = on_control,
		.on_close = on_control_close,
		.arg = resolver,
	};

	*resolver = (struct resolver){ .loop = loop };
	settings_init(&resolver->settings);
	LIST_INIT(&resolver->peers);
	watch_signal(resolver, &resolver->term, SIGTERM);
	watch_signal(resolver, &resolver->interrupt, SIGINT);
	resolver->control = channel_new(loop, control_fd, &options);
}

enum exit_code
resolver_run(struct resolver *resolver)
{
	(void)ev_run(resolver->loop, 0);
	return resolver->exit_code;
}

void
resolver_clear(struct resolver *resolver)
{
	struct peer *peer;

	while ((peer = LIST_FIRST(&resolver->peers)) != NULL)
		peer_free(&peer);
	if (resolver->can_look)
		lookups_clear(&resolver->lookups);
	channel_free(&resolver->control);
	ev_signal_stop(resolver->loop, &resolver->term);
	ev_signal_stop(resolver->loop, &resolver->interrupt);
	settings_clear(&resolver->settings);
}
