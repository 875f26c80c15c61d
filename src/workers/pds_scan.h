/*
 * pds_scan.h - the parts of pds-scan.
 *
 *	gathering   the hosts: one, or those known, configured and a relay's; of a
 *	            retry, those among its items, beside the repositories that are
 *	listing     each host's list (pds_host.c)
 *	relisting   only in a later attempt: what was seen then is to be known again
 *	unlisted    what the index has of hosts whose list was read to its end, and
 *	            was not on any list: each is asked for, so that what is gone
 *	            for certain goes from the index
 *
 * What was seen is a bitmap over the numbers of repositories, which are dense.
 */
#ifndef BF_WORKERS_PDS_SCAN_H
#define BF_WORKERS_PDS_SCAN_H

#include <stdbool.h>

#include "workers/scan.h"

struct msg_state;

struct pds_scan {
	struct scan *scan;		/* borrowed */
	/* owned */
	struct pds_gather *gather;	/* NULL: not under way */
	uint8_t *seen;			/* one bit per number of a repository */
	uint64_t seen_size;		/* bytes */
	void *complete;			/* origins whose list was read; tsearch(3) */
	char *relist_position;

	void *relayed;			/* origins of the relay's listHosts; tsearch(3) */
	struct pds_wanted *wanted;	/* who has wanted collections; NULL: not known */
	uint64_t not_listed, described;	/* repositories that were not fetched, by the
					 * relay's word and by their server's */

	bool is_gathered;
	bool is_retry_left;	/* of an earlier attempt: its repositories are not done */
	bool unlisted_is_added;
};

enum pds_scan_stage { STAGE_LISTING, STAGE_UNLISTED };

/* --- pds_scan.c --- */

void pds_scan_saw(struct pds_scan *job, uint64_t id);
void pds_scan_host_is_relayed(struct pds_scan *job, const char *origin);
bool pds_scan_is_relayed(const struct pds_scan *job, const char *origin);
void pds_scan_host_is_complete(struct pds_scan *job, const char *origin);

/* --- pds_host.c --- */

/* A source: the list of one host.  Marking only what is seen, or working. */
void pds_host_add(struct pds_scan *job, const char *origin, bool marks_only);

/* The origin of a source's name; NULL if the source only marks. */
const char *pds_host_origin(const char *name);

/* --- pds_gather.c --- */

struct pds_gather;

/* Tell env->hosts of the configured hosts and the relay's, read its lists of wanted
 * collections; then scan_go_on(). */
struct pds_gather *pds_gather_start(struct pds_scan *job);
void pds_gather_free(struct pds_gather **gather);	/* NULL is fine */

/* --- pds_wanted.c --- */

struct pds_wanted;
typedef void pds_wanted_cb(struct pds_scan *job);

/* NULL: there is nothing to ask a relay for.  Never calls back from inside. */
struct pds_wanted *pds_wanted_start(struct pds_scan *job, pds_wanted_cb *on_ready);
void pds_wanted_free(struct pds_wanted **wanted);	/* NULL is fine */

/* All lists were read; then, of a repository on a server that the relay crawls: has
 * it nothing that is wanted? */
bool pds_wanted_is_complete(const struct pds_wanted *wanted);
bool pds_wanted_lacks(const struct pds_wanted *wanted, struct str did);

/* --- pds_empty.c --- */

/*
 * A repository of which nothing is wanted, by its server's describeRepo: note its
 * revision, so that it is looked at again only when it moves, and end the entry.
 * What has anything wanted, or cannot be told, is synced.
 */
void pds_empty_check(struct scan_entry *entry, const char *origin);
void pds_empty_drop(struct scan_entry *entry);

#endif
