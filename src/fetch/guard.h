/*
 * guard.h - may we connect to this address?
 *
 * The server-side request forgery guard: a DID document or a redirect can name
 * any host, so the address is judged after resolution, for every connection
 * (http.c asks at CURLOPT_OPENSOCKETFUNCTION and again before each request).
 * Pure; no resolver, no sockets.
 */
#ifndef BF_FETCH_GUARD_H
#define BF_FETCH_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * True for a global unicast address, IPv4 or IPv6, by the IANA special-purpose
 * registries (RFC 6890 and its updates).  Everything else is false: loopback,
 * private, link-local, shared (CGNAT), documentation, benchmarking, multicast,
 * reserved, any other family.  So are IPv6 forms that carry an IPv4 address
 * (mapped, compatible, 6to4, Teredo, ISATAP), since they reach a host that the
 * outside does not name; of NAT64's 64:ff9b::/96, which a network without IPv4
 * needs, the address inside is judged.
 */
bool guard_is_public(const struct sockaddr *addr, socklen_t len);

/*
 * True for a link-local address, IPv4 or IPv6 (RFC 3927, RFC 4291), also mapped: there
 * live the metadata services of clouds, which nobody's account is on, so it is
 * refused even where private addresses are allowed.
 */
bool guard_is_link_local(const struct sockaddr *addr, socklen_t len);

/* The same as guard_is_public() for a numeric address as text, without brackets or port; a name or
 * anything else that is not an address is false. */
bool guard_is_public_text(const char *text);

#endif
