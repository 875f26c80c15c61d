/*
 * address.h - where a request comes from, for throttling and for the log.
 */
#ifndef BF_API_ADDRESS_H
#define BF_API_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE	48

struct address {
	uint8_t bytes[16];		/* IPv6; IPv4 as ::ffff:a.b.c.d; 0: not known */
};

struct address address_from(const struct sockaddr *sockaddr);
void address_format(const struct address *address, char text_out[ADDRESS_TEXT_SIZE]);

/* What one customer of a provider has: an IPv4 address, or an IPv6 /64. */
struct address address_site(const struct address *address);

#endif
