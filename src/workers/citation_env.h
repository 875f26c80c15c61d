/*
 * citation_env.h - what all eprints of one citation-extraction share.
 *
 * Made by its start() from the settings.  Each service has an http of its own, since
 * each has rates of its own.
 */
#ifndef BF_WORKERS_CITATION_ENV_H
#define BF_WORKERS_CITATION_ENV_H

#include "citation/eprint.h"
#include "common/attr.h"
#include "common/err.h"
#include "workers/sync_env.h"

struct match_table;
struct worker;

#define CITATION_TOOLS_SIZE	64
#define CITATION_VERSION_SIZE	80

struct citation_env {
	struct worker *worker;		/* borrowed, outlives us */
	struct sync_env net;		/* PDSs, directory */
	/* owned; NULL: not configured */
	struct http *grobid, *crossref, *scholar;
	char *helper;			/* owned; path of pdf-text */

	struct eprint_map map;		/* borrows from the settings */
	struct str collection;		/* of eprints; likewise */
	struct str mail;		/* of the contact; empty: none; likewise */
	/* For extraction_row.h: all that is configured, and the version of the first. */
	char tools[CITATION_TOOLS_SIZE];
	char version[CITATION_VERSION_SIZE];

	/* All eprints, to match with.  Borrowed; set when it is complete. */
	const struct match_table *table;
	bool is_pausing;		/* what waits for room is not waited for */
	bool grobid_is_given_up;	/* for this attempt: pdftotext in its place */
	bool has_noted_crossref, has_noted_scholar;	/* that it fails: once is enough */
};

/* ERR_INVALID: a setting. */
int citation_env_init(struct citation_env *env, struct worker *worker, struct err *err)
    BF_MUSTCHECK;

/* A write was refused for want of room on the disk: tell that, unless it was told, or
 * end the worker if a pause is wanted.  How long to wait before it is tried again. */
int64_t citation_env_lacks_room(struct citation_env *env, struct str text);
void citation_env_has_room(struct citation_env *env);	/* one was acked */

/* The jobs must be gone.  Not from inside a callback of http. */
void citation_env_clear(struct citation_env *env);

/* "pdftotext", "grobid+crossref": those whose bits are set. */
enum citation_tool { CITATION_CROSSREF = 1, CITATION_SCHOLAR = 2, CITATION_GROBID = 4 };
void citation_env_name_tools(unsigned tools, char name_out[CITATION_TOOLS_SIZE]);

#endif
