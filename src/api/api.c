#include "api/api.h"

#include <signal.h>
#include <sys/resource.h>

#include "api/feed.h"
#include "api/http.h"
#include "api/metrics.h"
#include "api/resolver_link.h"
#include "api/samples.h"
#include "api/session.h"
#include "api/supervisor_link.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "confine/confine.h"
#include "proto/fdlayout.h"
#include "search/search.h"
#include "store/ops.h"
#include "store/records.h"

#define SUCCESSOR_LOOK_SECS	0.2
#define ORPHAN_SECS		300	/* of reads without a supervisor; it does not have to
					 * wait for that: a new one makes us leave at once */
#define OTHER_FILES		32	/* descriptors that are no connections */
#define DRAIN_SECS		4	/* for requests that have begun; under the 5 s
					 * that the supervisor gives a service */

static void
leave(struct api *api, int exit_code)
{
	api->exit_code = exit_code;
	ev_break(api->loop, EVBREAK_ALL);
}

static void
on_http_drained(void *arg)
{
	leave(arg, EXIT_OK);
}

static void
on_drain_limit(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	log_warn("requests were still open after %d s", DRAIN_SECS);
	leave(watcher->data, EXIT_OK);
}

static void
drain(struct api *api)
{
	if (api->is_draining)
		return;
	api->is_draining = true;
	ev_timer_stop(api->loop, &api->successor);
	if (api->http == NULL) {
		leave(api, EXIT_OK);
		return;
	}
	ev_timer_start(api->loop, &api->drain_limit);
	feed_end(api->feed);
	http_drain(api->http, on_http_drained, api);
}

static void
on_stop_signal(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	drain(watcher->data);
}

/* --- the supervisor --- */

static void
apply_log_level(const struct api *api)
{
	enum log_level level;

	if (log_level_parse(api->settings.log_level, &level) == 0)
		log_set_level(level);
}

/* Once we serve, only what can be reloaded comes, or is taken. */
static int
on_setting(struct str name, struct str value, struct err *err, void *arg)
{
	struct api *api = arg;
	const struct setting *row = settings_find(name);

	if (api->http != NULL && row != NULL && !row->can_reload)
		return 0;
	if (settings_set(&api->settings, name, value, err) == -1)
		return -1;
	if (api->http != NULL)
		apply_log_level(api);
	return 0;
}

/* By it a supervisor finds us if we outlive ours and hang: we have its port. */
static void
leave_mark(struct api *api)
{
	struct buf path = BUF_INIT;
	struct err err;

	buf_printf(&path, "%s/api.lock%c", api->settings.state_dir, '\0');
	if (fd_mark_file((const char *)buf_data(&path), &api->mark_fd, &err) == -1)
		log_warn("%s", err.text);
	buf_clear(&path);
}

static int
open_ops(struct api *api, struct err *err)
{
	struct buf dir = BUF_INIT;
	int result;

	buf_printf(&dir, "%s/operations%c", api->settings.state_dir, '\0');
	result = ops_open((const char *)buf_data(&dir), OPS_READ, &api->ops, err);
	buf_clear(&dir);
	return result;
}

static void
open_search(struct api *api)
{
	struct buf dir = BUF_INIT;

	buf_printf(&dir, "%s/search%c", api->settings.state_dir, '\0');
	api->search = search_new((const char *)buf_data(&dir));
	buf_clear(&dir);
}

static void
apply_settings(struct api *api)
{
	apply_log_level(api);
	api->spelling = str_eq(str_from(api->settings.type_spelling), STR("camel")) ?
	    OP_CAMEL : OP_KEBAB;
	auth_init(&api->auth, &api->settings, api->resolver);
}

/* Every connection takes a descriptor; the soft limit is often 1024. */
static void
raise_file_limit(uint64_t connections)
{
	rlim_t needed = (rlim_t)connections + OTHER_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= needed)
		return;
	if (limit.rlim_max < needed)
		log_warn("http_max_connections wants %llu descriptors, the limit is "
		    "%llu", (unsigned long long)needed,
		    (unsigned long long)limit.rlim_max);
	limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool
on_known(const struct op *op, void *arg)
{
	struct api *api = arg;

	metrics_op_known(api->metrics, op);
	samples_op(api->samples, op, clock_wall_ms());
	return true;
}

/* What runs already, which nobody tells us of. */
static int
look_at_running(struct api *api, struct err *err)
{
	struct ops_filter running = { .status = OP_RUNNING };
	struct ops_read *read;
	int rc;

	if (ops_read_begin(api->ops, &read, err) == -1)
		return -1;
	rc = ops_list(read, &running, on_known, api, err);
	ops_read_end(&read);
	return rc;
}

/* What is left: to answer who connects, to read both stores, to see whether there
 * is a new supervisor.  search/ may not be there yet.  A reader of LMDB writes where
 * it reads into lock.mdb, so records/, which is opened later, is more than read. */
static void
give_up_the_rest(struct api *api)
{
	struct confine confine;
	struct buf records = BUF_INIT;
	struct err err;

	buf_printf(&records, "%s/records%c", api->settings.state_dir, '\0');
	if (dir_make((const char *)buf_data(&records), 0700, &err) == -1)
		log_warn("%s", err.text);
	confine_init(&confine, CONFINE_ACCEPT | CONFINE_UNIX | CONFINE_WRITE);
	confine_add(&confine, api->settings.state_dir, SANDBOX_READ);
	confine_add(&confine, (const char *)buf_data(&records),
	    SANDBOX_READ | SANDBOX_WRITE);
	confine_add(&confine, api->settings.runtime_dir, SANDBOX_READ);
	supervisor_link_confine(api->link, &confine);
	buf_clear(&records);
}

static void
on_ready(void *arg)
{
	struct api *api = arg;
	struct http_options options = {
		.listen_fd = FD_LISTEN,
		.connections_max = (unsigned)api->settings.http_max_connections,
		.connections_per_address_max =
		    (unsigned)api->settings.http_max_connections_per_address,
		.timeout_ms = (int64_t)api->settings.http_timeout_ms,
	};
	struct err err;

	apply_settings(api);
	raise_file_limit(api->settings.http_max_connections);
	leave_mark(api);
	if (open_ops(api, &err) == -1 || look_at_running(api, &err) == -1) {
		log_error("%s", err.text);
		leave(api, EXIT_STORE);
		return;
	}
	open_search(api);
	api->feed = feed_new(api->loop, api->spelling);
	if (http_new(api->loop, api, &options, &api->http, &err) == -1) {
		log_error("%s", err.text);
		leave(api, EXIT_SYSTEM);
		return;
	}
	give_up_the_rest(api);
	log_info("serving, authority %s", api->settings.authority);
}

static void
on_op(const struct op *op, void *arg)
{
	struct api *api = arg;

	metrics_op(api->metrics, op);
	samples_op(api->samples, op, clock_wall_ms());
	if (api->feed != NULL)
		feed_op(api->feed, op);
}

static void
on_missed(void *arg)
{
	struct api *api = arg;

	if (api->feed != NULL)
		feed_reset(api->feed);
}

/* Whoever writes a store must know of those who read it. */
static void
on_ping(void *arg)
{
	struct api *api = arg;

	if ((api->ops == NULL || !ops_lost_its_lock(api->ops)) &&
	    (api->records == NULL || !records_lost_its_lock(api->records)))
		return;
	log_error("the lock file of a store was deleted; starting anew");
	leave(api, EXIT_STORE);
}

static void
on_resolver(int fd, void *arg)
{
	struct api *api = arg;

	resolver_link_set(api->resolver, fd);
}

static void
on_gone(const struct err *why, void *arg)
{
	struct api *api = arg;

	if (why != NULL) {
		log_error("supervisor: %s", why->text);
		leave(api, EXIT_PROTOCOL);
		return;
	}
	if (api->http == NULL) {
		leave(api, EXIT_OK);
		return;
	}
	if (api->is_draining)
		return;
	log_warn("the supervisor is gone: reads are still answered");
	api->orphan_until = clock_mono_secs() + ORPHAN_SECS;
	ev_timer_start(api->loop, &api->successor);
}

/*
 * Whoever answers on the control socket now is a new supervisor, which waits
 * for the address that we listen on.
 */
static void
on_successor_look(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct api *api = watcher->data;
	struct buf path = BUF_INIT;
	struct err err;
	int fd;

	buf_printf(&path, "%s/control.sock%c", api->settings.runtime_dir, '\0');
	if (fd_unix_connect((const char *)buf_data(&path), &fd, &err) == 0) {
		fd_close(&fd);
		log_info("a new supervisor is there: making room for its API");
		drain(api);
	} else if (clock_mono_secs() >= api->orphan_until) {
		log_warn("no supervisor came back in %d s", ORPHAN_SECS);
		drain(api);
	}
	buf_clear(&path);
}

/* Opened when it is first wanted: the indexer, which makes it, may not have been
 * there when we started. */
struct records *
api_records(struct api *api)
{
	struct buf dir = BUF_INIT;
	struct err err;

	if (api->records == NULL) {
		buf_printf(&dir, "%s/records%c", api->settings.state_dir, '\0');
		if (records_open((const char *)buf_data(&dir), RECORDS_READ, &api->records,
		    &err) == -1) {
			log_debug("records/ cannot be read yet: %s", err.text);
			api->records = NULL;
		}
		buf_clear(&dir);
	}
	return api->records;
}

/* --- life --- */

static void
watch_signal(struct api *api, struct ev_signal *watcher, int number)
{
	ev_signal_init(watcher, on_stop_signal, number);
	watcher->data = api;
	ev_signal_start(api->loop, watcher);
}

void
api_init(struct api *api, struct ev_loop *loop)
{
	struct supervisor_link_options options = {
		.on_setting = on_setting,
		.on_ready = on_ready,
		.on_op = on_op,
		.on_missed = on_missed,
		.on_ping = on_ping,
		.on_resolver = on_resolver,
		.on_gone = on_gone,
		.arg = api,
	};

	*api = (struct api){ .loop = loop, .mark_fd = -1 };
	settings_init(&api->settings);
	api->metrics = metrics_new();
	api->samples = samples_new();
	api->sessions = sessions_new();
	watch_signal(api, &api->sigterm, SIGTERM);
	watch_signal(api, &api->sigint, SIGINT);
	ev_timer_init(&api->successor, on_successor_look, SUCCESSOR_LOOK_SECS,
	    SUCCESSOR_LOOK_SECS);
	ev_timer_init(&api->drain_limit, on_drain_limit, DRAIN_SECS, 0);
	api->successor.data = api->drain_limit.data = api;
	api->resolver = resolver_link_new(loop);
	api->link = supervisor_link_new(loop, FD_CONTROL, &options);
}

void
api_clear(struct api *api)
{
	/* First: requests that wait for them are answered and resumed. */
	resolver_link_free(&api->resolver);
	supervisor_link_free(&api->link);
	if (api->feed != NULL)
		feed_end(api->feed);
	http_free(&api->http);
	feed_free(&api->feed);
	metrics_free(&api->metrics);
	samples_free(&api->samples);
	sessions_free(&api->sessions);
	search_free(&api->search);
	ops_close(&api->ops);
	fd_close(&api->mark_fd);
	records_close(&api->records);
	auth_clear(&api->auth);
	settings_clear(&api->settings);
	ev_signal_stop(api->loop, &api->sigterm);
	ev_signal_stop(api->loop, &api->sigint);
	ev_timer_stop(api->loop, &api->successor);
	ev_timer_stop(api->loop, &api->drain_limit);
}
