#include "supervisor/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "supervisor/control_impl.h"
#include "supervisor/on_client.h"
#include "supervisor/service.h"

#define HELLO_MS	10000
#define FAREWELL_MS	100	/* per client, at the daemon's end */
#define LOOK_SECS	2.
#define PAUSE_MS	1000	/* when no descriptor can be had */
#define RESERVED	8	/* of LIMIT_CONTROL_CLIENTS: for root and ourselves */

/* --- clients --- */

static void
client_free(struct control_client *client)
{
	if (!client->is_api)
		client->sup->control->count--;
	ev_timer_stop(client->sup->loop, &client->hello_timer);
	LIST_REMOVE(client, entry);
	while (!LIST_EMPTY(&client->pendings))
		client_forget(client, LIST_FIRST(&client->pendings));
	channel_free(&client->channel);
	free(client);
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct control_client *client = arg;
	struct supervisor *sup = client->sup;
	bool is_api = client->is_api;

	if (why != NULL)
		log_warn("control client %s: %s", client->who, why->text);
	client_free(client);
	if (is_api)
		service_lost_channel(sup->api);
}

/* It asked for more than it reads: it gets the rest when it has read this. */
static void
on_drain(struct channel *channel, void *arg BF_UNUSED)
{
	channel_resume(channel);
}

static void
on_msg(struct channel *channel, const struct msg *msg, void *arg)
{
	struct control_client *client = arg;

	on_client_msg(channel, msg, client);
	if (channel_is_clogged(channel))
		channel_pause(channel);
}

static void
on_hello_timer(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct control_client *client = watcher->data;

	if (client->said_hello)
		return;
	log_warn("control client %s: no hello in %d ms", client->who, HELLO_MS);
	client_free(client);
}

struct control_client *
client_new(struct control *control, int fd, const char *who, bool is_api)
{
	struct control_client *client = xcalloc(1, sizeof(*client));
	struct channel_options options = {
		.accepts = FROM_CLIENT, .frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.frame_max_ms = is_api ? 0 : LIMIT_CONTROL_FRAME_MS,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg, .on_close = on_close, .on_drain = on_drain,
		.arg = client,
	};

	client->sup = control->sup;
	client->is_api = is_api;
	(void)str_copy(client->who, sizeof(client->who), str_from(who));
	LIST_INIT(&client->pendings);
	client->channel = channel_new(control->sup->loop, fd, &options);
	LIST_INSERT_HEAD(&control->clients, client, entry);
	ev_timer_init(&client->hello_timer, on_hello_timer, HELLO_MS / 1000., 0.);
	client->hello_timer.data = client;
	if (!is_api) {
		control->count++;
		ev_timer_start(control->sup->loop, &client->hello_timer);
	}
	return client;
}

static struct channel *
api_started(struct supervisor *sup, int control_fd)
{
	return client_new(sup->control, control_fd, "backfill-api", true)->channel;
}

static void
api_ended(struct supervisor *sup, struct channel *channel)
{
	struct control_client *client;

	LIST_FOREACH(client, &sup->control->clients, entry) {
		if (client->channel == channel) {
			client_free(client);
			return;
		}
	}
}

struct service *
api_service_new(struct supervisor *sup)
{
	struct service_options options = {
		.name = "backfill-api", .second_fd = &sup->listen_fd,
		.audience = FOR_API, .may_outlive_us = true, .started = api_started,
		.ended = api_ended,
	};

	return service_new(sup, &options);
}

/* --- who may connect --- */

static bool
has_our_group(int fd)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == getegid())
			return true;
	return false;
}

static bool
is_allowed(int fd, uid_t *uid_out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	*uid_out = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid() || peer.gid == getegid() ||
	    has_our_group(fd);
}

static void
on_accept_again(struct ev_loop *loop, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct control *control = watcher->data;

	ev_io_start(loop, &control->acceptable);
}

/* The connection that cannot be taken stays in the backlog, so the loop would turn
 * for nothing until there is room for it. */
static void
accept_failed(struct control *control)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ||
	    errno == ECONNABORTED)
		return;
	log_warn("control socket: accept: %s; trying again in %d ms", strerror(errno),
	    PAUSE_MS);
	ev_io_stop(control->sup->loop, &control->acceptable);
	ev_timer_set(&control->accept_again, PAUSE_MS / 1000., 0.);
	ev_timer_start(control->sup->loop, &control->accept_again);
}

static bool
has_room(const struct control *control, uid_t uid)
{
	unsigned most = LIMIT_CONTROL_CLIENTS;

	if (uid != 0 && uid != geteuid())
		most -= RESERVED;
	return control->count <= most;	/* it is counted already */
}

static void
on_acceptable(struct ev_loop *loop BF_UNUSED, struct ev_io *watcher,
    int revents BF_UNUSED)
{
	struct control *control = watcher->data;
	struct control_client *client;
	char who[32];
	uid_t uid = (uid_t)-1;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1) {
		accept_failed(control);
		return;
	}
	if (!is_allowed(fd, &uid)) {
		log_warn("control socket: uid %u is not allowed to use it", (unsigned)uid);
		(void)close(fd);
		return;
	}
	(void)snprintf(who, sizeof(who), "uid %u", (unsigned)uid);
	client = client_new(control, fd, who, false);
	if (has_room(control, uid))
		return;
	log_warn("control socket: %u clients are connected, no more are taken",
	    control->count - 1);
	client_send_error(client, 0, "TooManyRequests", "too many clients are connected",
	    NULL);
	(void)!channel_flush(client->channel, 0);
	client_free(client);
}

/* --- the socket's file --- */

static void
know_file(struct control *control)
{
	struct stat st;

	if (lstat(control->path, &st) == 0) {
		control->dev = st.st_dev;
		control->ino = st.st_ino;
	}
}

static int
listen_here(struct control *control, struct err *err)
{
	if (fd_unix_listen(control->path, 0660, &control->fd, err) == -1)
		return -1;
	know_file(control);
	return 0;
}

/* Somebody has removed it, or the whole directory, a cleaner of /run or /tmp for
 * example: nobody could reach us.  Those who are connected stay. */
static void
on_look(struct ev_loop *loop, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct control *control = watcher->data;
	struct stat st;
	struct err err;
	int old_fd = control->fd;

	if (lstat(control->path, &st) == 0 && st.st_dev == control->dev &&
	    st.st_ino == control->ino)
		return;
	if (dir_make(control->sup->settings.runtime_dir, 0750, &err) == -1 ||
	    listen_here(control, &err) == -1) {
		if (!control->is_lost)
			log_error("the control socket is gone and cannot be made again: %s",
			    err.text);
		control->is_lost = true;
		return;
	}
	log_warn("the control socket was gone: made it again");
	if (supervisor_publish_address(control->sup, &err) == -1)
		log_warn("%s", err.text);
	control->is_lost = false;
	ev_io_stop(loop, &control->acceptable);
	ev_io_set(&control->acceptable, control->fd, EV_READ);
	ev_io_start(loop, &control->acceptable);
	fd_close(&old_fd);
}

/* --- life --- */

struct control *
control_new(struct supervisor *sup, int listen_fd, struct err *err)
{
	struct control *control = xcalloc(1, sizeof(*control));

	control->sup = sup;
	LIST_INIT(&control->clients);
	(void)snprintf(control->path, sizeof(control->path), "%s/control.sock",
	    sup->settings.runtime_dir);
	control->fd = listen_fd;
	if (listen_fd != -1) {
		know_file(control);
	} else if (listen_here(control, err) == -1) {
		free(control);
		return NULL;
	}
	ev_io_init(&control->acceptable, on_acceptable, control->fd, EV_READ);
	ev_timer_init(&control->accept_again, on_accept_again, 0., 0.);
	ev_timer_init(&control->look, on_look, LOOK_SECS, LOOK_SECS);
	control->acceptable.data = control->accept_again.data = control;
	control->look.data = control;
	ev_io_start(sup->loop, &control->acceptable);
	if (!sup->control_is_given)
		ev_timer_start(sup->loop, &control->look);
	return control;
}

void
control_free(struct control **control_ptr)
{
	struct control *control = *control_ptr;
	struct control_client *client;

	if (control == NULL)
		return;
	while ((client = LIST_FIRST(&control->clients)) != NULL) {
		/* The outcome of a cancel may be waiting to be read. */
		(void)!channel_flush(client->channel, FAREWELL_MS);
		client_free(client);
	}
	ev_io_stop(control->sup->loop, &control->acceptable);
	ev_timer_stop(control->sup->loop, &control->accept_again);
	ev_timer_stop(control->sup->loop, &control->look);
	fd_close(&control->fd);
	if (!control->sup->control_is_given)
		(void)unlink(control->path);
	free(control);
	*control_ptr = NULL;
}
