/*
 * peer.h - a network in one process, for tests and benchmarks: a directory of
 * did:plc, a relay and any number of PDSs, with as many repositories as one likes.
 *
 * Everything is made from numbers when it is asked for, so that 100,000
 * repositories cost some megabytes.  Repositories are signed and verify.
 *
 *	fake_peer.c	main(): ports, and the test's own requests under /-/
 *	peer_world.c	the repositories and what they say
 *	peer_answer.c	a request of the protocol -> its answer
 *	peer_fault.c	what goes wrong on demand, and how often it did
 *	peer_http.c	HTTP/1.1 on loopback
 */
#ifndef BF_T_PEER_PEER_H
#define BF_T_PEER_PEER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "common/buf.h"
#include "common/str.h"
#include "common/tid.h"

#define PEER_HOSTS_MAX	64	/* host 0 is the directory and the relay */
#define PEER_KEYS	4
#define PEER_DID_SIZE	33

/* --- peer_world.c --- */

enum peer_status {
	PEER_ACTIVE, PEER_DEACTIVATED, PEER_SUSPENDED, PEER_TAKENDOWN,
	PEER_GONE,		/* not listed, RepoNotFound */
};

struct peer_repo {
	uint32_t version;	/* of the contents; the revision follows from it */
	uint32_t head_version;	/* of `head`, plus 1; 0: not made yet */
	uint16_t records;
	uint8_t host;		/* where the account really is */
	uint8_t doc_host;	/* where its document says that it is */
	uint8_t doc_key;	/* in the document */
	uint8_t commit_key;	/* that signs */
	uint8_t status;		/* enum peer_status */
	bool is_tombstoned;	/* its DID */
	bool is_unlisted;	/* served, but not on the list */
	bool has_chive;		/* a record of pub.chive.test.thing too */
	struct cid head;
	char *endpoint;		/* in the document, in place of doc_host's; owned; NULL */
};

struct peer_world {
	struct peer_repo *repos;	/* owned; number is index */
	size_t count, room;
	unsigned ports[PEER_HOSTS_MAX + 1];
	unsigned hosts;			/* PDSs, numbered from 1 */
};

/* The repository of this number, or NULL. */
struct peer_repo *world_repo(struct peer_world *world, size_t number);
struct peer_repo *world_add(struct peer_world *world);
void world_clear(struct peer_world *world);

void world_did(size_t number, char did_out[PEER_DID_SIZE]);
/* -1: none of ours. */
int world_find(const struct peer_world *world, struct str did, size_t *number_out);

void world_rev(const struct peer_world *world, size_t number, char rev_out[TID_SIZE]);
const struct cid *world_head(struct peer_world *world, size_t number);
void world_car(struct peer_world *world, size_t number, struct buf *to);
void world_document(const struct peer_world *world, size_t number, struct buf *to);
bool world_has_collection(const struct peer_repo *repo, struct str collection);

/* --- requests and answers --- */

#define PEER_PARAMS	16

struct peer_request {
	unsigned host;			/* whose port it came to */
	struct str path;		/* decoded */
	struct str name;		/* its last word: "getRepo"; "plc" for a document */
	struct { char *name, *value; } params[PEER_PARAMS];
	size_t param_count;
	char *text;			/* owned; what they point into */
};

struct str request_param(const struct peer_request *request, const char *name);
uint64_t request_number(const struct peer_request *request, const char *name,
    uint64_t otherwise);

enum peer_then {
	THEN_NEXT,		/* the connection goes on */
	THEN_CLOSE,
	THEN_RESET,
	THEN_HANG,		/* open, and silent */
	THEN_FOREVER,		/* the same bytes again and again; no length unless told */
};

struct peer_answer {
	unsigned status;
	const char *type;		/* content type */
	struct buf headers;		/* lines with CRLF; owned */
	struct buf body;		/* owned */
	bool has_length;		/* `length` is told instead of the body's own */
	uint64_t length;
	uint64_t body_end;		/* only so many bytes of it are sent; UINT64_MAX */
	enum peer_then then;
	unsigned drip_ms;		/* between two bytes */
	bool is_raw;			/* body is all there is: no status, no headers */
};

void answer_clear(struct peer_answer *answer);
void answer_error(struct peer_answer *answer, unsigned status, const char *name,
    const char *text);

/* peer_answer.c: what a good server says. */
void answer_request(struct peer_world *world, const struct peer_request *request,
    struct peer_answer *answer);

/* --- peer_fault.c --- */

struct peer_faults;

struct peer_faults *faults_new(void);
void faults_free(struct peer_faults **faults);

/* By the parameters of a control request; its number. */
int faults_add(struct peer_faults *faults, const struct peer_request *request);
void faults_clear(struct peer_faults *faults);

/* Let the first that fits spoil the answer. */
void faults_apply(struct peer_faults *faults, struct peer_world *world,
    const struct peer_request *request, struct peer_answer *answer);
void faults_list(const struct peer_faults *faults, struct buf *json);

/* --- peer_http.c --- */

struct peer_http;

/* Fill in the answer. */
typedef void peer_request_cb(const struct peer_request *request,
    struct peer_answer *answer, void *arg);

struct peer_http *peer_http_new(struct ev_loop *loop, peer_request_cb *cb, void *arg);
void peer_http_free(struct peer_http **http);

/* A port on 127.0.0.1 for this host; 0: failed. */
unsigned peer_http_listen(struct peer_http *http, unsigned host);

/* Close every connection of the host and its port. */
void peer_http_stop(struct peer_http *http, unsigned host);
int peer_http_restart(struct peer_http *http, unsigned host, unsigned port);

/* The most requests that this host had under way at a time. */
unsigned peer_http_most(const struct peer_http *http, unsigned host);

#endif
