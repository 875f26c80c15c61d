#include "api/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "common/str.h"

#define SITE_BYTES	8	/* of an IPv6 address */

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

struct address
address_from(const struct sockaddr *sockaddr)
{
	struct address address = { { 0 } };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sockaddr != NULL && sockaddr->sa_family == AF_INET) {
		memcpy(&v4, sockaddr, sizeof(v4));
		memcpy(address.bytes, v4_prefix, sizeof(v4_prefix));
		memcpy(address.bytes + sizeof(v4_prefix), &v4.sin_addr, 4);
	} else if (sockaddr != NULL && sockaddr->sa_family == AF_INET6) {
		memcpy(&v6, sockaddr, sizeof(v6));
		memcpy(address.bytes, &v6.sin6_addr, sizeof(address.bytes));
	}
	return address;
}

static bool
is_v4(const struct address *address)
{
	return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

void
address_format(const struct address *address, char text_out[ADDRESS_TEXT_SIZE])
{
	const uint8_t *at = address->bytes;

	if (inet_ntop(is_v4(address) ? AF_INET : AF_INET6,
	    is_v4(address) ? at + sizeof(v4_prefix) : at, text_out,
	    ADDRESS_TEXT_SIZE) == NULL)
		text_out[0] = '\0';
}

struct address
address_site(const struct address *address)
{
	struct address site = *address;

	if (!is_v4(address))
		memset(site.bytes + SITE_BYTES, 0, sizeof(site.bytes) - SITE_BYTES);
	return site;
}
