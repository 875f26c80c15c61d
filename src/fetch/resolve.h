/*
 * resolve.h - the addresses of a host name, without stopping the loop.
 *
 * For connections that libcurl does not make.  getaddrinfo() runs in a thread of its
 * own, which may outlive its question; it reads resolv.conf, hosts, nsswitch.conf
 * and its modules.  Whether an address may be connected to is guard.h's matter.
 */
#ifndef BF_FETCH_RESOLVE_H
#define BF_FETCH_RESOLVE_H

#include <ev.h>
#include <netdb.h>

struct resolve;

/* addresses is NULL if there are none, and error then tells why (gai_strerror()).
 * Both are borrowed for the callback; the question is freed when it returns. */
typedef void resolve_cb(const struct addrinfo *addresses, const char *error, void *arg);

/* Begin.  host is copied: a name or a numeric address without brackets.  Never calls
 * back from inside. */
struct resolve *resolve_start(struct ev_loop *loop, const char *host, resolve_cb *cb,
    void *arg);

/* Drop it, without a callback; sets *resolve to NULL.  NULL is fine. */
void resolve_cancel(struct resolve **resolve);

#endif
