/*
 * The part of pds-scan that finds the hosts: those of the setting `hosts`, those
 * of the relay's listHosts; all that DID documents named are known already.
 */
#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/list_page.h"
#include "fetch/url.h"
#include "workers/host_memory.h"
#include "workers/pds_scan.h"

#define PAGE_HOSTS	1000
#define PAGES_MAX	(LIMIT_FETCH_HOSTS / 100)	/* more hosts are not kept */

struct pds_gather {
	struct pds_scan *job;		/* borrowed */
	struct list_page *page;		/* owned; NULL: none under way */
	struct buf cursor;
	unsigned pages;
};

/* The setting was a URL when it was read; whether that may be asked is known here. */
static void
see_configured(struct pds_scan *job, struct str url)
{
	const struct sync_env *env = scan_env(job->scan);
	char origin[URL_ORIGIN_SIZE];
	struct fetch_error error;

	if (url_parse_origin(url, env->settings->allow_plain_http, origin, &error) == -1)
		worker_log(scan_worker(job->scan), LOG_LEVEL_WARN,
		    "hosts: %.*s is left out: %s", STR_FMT(url), error.text);
	else
		host_memory_see(env->hosts, url, HOST_FROM_CONFIG);
}

static void
take_settings(struct pds_scan *job)
{
	const struct sync_env *env = scan_env(job->scan);
	struct str rest = str_from(env->settings->hosts), item;
	struct str only = worker_assignment(scan_worker(job->scan))->pds_url;

	if (only.len > 0)
		host_memory_see(env->hosts, only, HOST_FROM_CONFIG);
	while (!str_is_empty(item = settings_next_item(&rest)))
		see_configured(job, item);
}

/* A host name, on a test's network with a port. */
static void
on_host(const struct list_entry *entry, void *arg)
{
	struct pds_gather *gather = arg;
	const struct sync_env *env = scan_env(gather->job->scan);
	bool is_local = str_starts_with(entry->hostname, STR("localhost")) ||
	    str_starts_with(entry->hostname, STR("127.0.0.1"));
	struct buf url = BUF_INIT;
	char origin[URL_ORIGIN_SIZE];

	if (str_eq(entry->status, STR("banned")))
		return;
	buf_printf(&url, "%s://%.*s", is_local && env->settings->allow_plain_http ?
	    "http" : "https", STR_FMT(entry->hostname));
	host_memory_see(env->hosts, buf_str(&url), HOST_FROM_RELAY);
	if (host_memory_origin(env, buf_str(&url), origin) == 0)
		pds_scan_host_is_relayed(gather->job, origin);
	buf_clear(&url);
}

static void
is_gathered(struct pds_scan *job)
{
	job->is_gathered = true;
	scan_go_on(job->scan);
}

/* The last step.  why: what became of the relay's list; FETCH_OK: it was read, or there
 * is no relay.  A scan of nothing is not what anybody asked for. */
static void
end_gathering(struct pds_gather *gather, const struct fetch_error *why)
{
	struct scan *scan = gather->job->scan;
	const struct sync_env *env = scan_env(scan);
	bool has_relay = *env->settings->relay_url != '\0';

	if (host_memory_count(env->hosts) > 0) {
		if (why->class != FETCH_OK)
			worker_log(scan_worker(scan), LOG_LEVEL_WARN, "the relay's list of "
			    "hosts cannot be read, so only known hosts are scanned: %s",
			    why->text);
		is_gathered(gather->job);
	} else if (why->class != FETCH_OK) {
		worker_fail(scan_worker(scan), fetch_class_word(why->class), "no server is "
		    "known, and the relay's list of hosts cannot be read: %s", why->text);
	} else {
		worker_fail(scan_worker(scan), "no-hosts", "no server is known%s: name one by "
		    "pdsUrl (backfillctl: --pds-url), or set hosts or %s in backfilld.conf",
		    has_relay ? ", and the relay has none" : "",
		    has_relay ? "another relay_url" : "relay_url");
	}
}

static void read_page(struct pds_gather *gather);

static void
on_page(const struct list_result *result, void *arg)
{
	struct pds_gather *gather = arg;
	const struct sync_env *env = scan_env(gather->job->scan);

	gather->page = NULL;
	if (result->error.class == FETCH_OK && result->cursor.len > 0 &&
	    ++gather->pages < PAGES_MAX && !str_eq(result->cursor, buf_str(&gather->cursor))) {
		buf_reset(&gather->cursor);
		buf_add_str(&gather->cursor, result->cursor);
		read_page(gather);
		return;
	}
	if (result->error.class == FETCH_OK && host_memory_count(env->hosts) > 0)
		gather->job->wanted = pds_wanted_start(gather->job, is_gathered);
	if (gather->job->wanted == NULL)
		end_gathering(gather, &result->error);
}

static void
read_page(struct pds_gather *gather)
{
	const struct sync_env *env = scan_env(gather->job->scan);

	gather->page = list_page_get(env->http, &(struct list_query){
	    .origin = env->settings->relay_url, .nsid = "com.atproto.sync.listHosts",
	    .cursor = buf_str(&gather->cursor), .limit = PAGE_HOSTS,
	    .is_trusted = true }, on_host, on_page, gather);
}

struct pds_gather *
pds_gather_start(struct pds_scan *job)
{
	struct pds_gather *gather = xcalloc(1, sizeof(*gather));

	gather->job = job;
	take_settings(job);
	if (*scan_env(job->scan)->settings->relay_url != '\0' &&
	    worker_assignment(scan_worker(job->scan))->pds_url.len == 0)
		read_page(gather);
	else
		end_gathering(gather, &(struct fetch_error){ .class = FETCH_OK });
	return gather;
}

void
pds_gather_free(struct pds_gather **gather)
{
	if (*gather == NULL)
		return;
	list_page_cancel(&(*gather)->page);
	buf_clear(&(*gather)->cursor);
	free(*gather);
	*gather = NULL;
}
