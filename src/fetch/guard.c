#include "fetch/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "common/attr.h"

#define V4(a, b, c, d)	((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

#define V4_LINK_LOCAL	(V4(169, 254, 0, 0) >> 16)	/* of 16 bits (RFC 3927) */

/* IANA IPv4 Special-Purpose Address Registry, but for what is globally reachable. */
static const struct v4_block {
	uint32_t prefix;
	unsigned bits;
} v4_blocks[] = {
	{ V4(0, 0, 0, 0), 8 },		/* this network (RFC 791) */
	{ V4(10, 0, 0, 0), 8 },		/* private (RFC 1918) */
	{ V4(100, 64, 0, 0), 10 },	/* shared, carrier-grade NAT (RFC 6598) */
	{ V4(127, 0, 0, 0), 8 },	/* loopback (RFC 1122) */
	{ V4(168, 63, 129, 16), 32 },	/* the host agent inside Azure's machines */
	{ V4(169, 254, 0, 0), 16 },	/* link-local, cloud metadata (RFC 3927) */
	{ V4(172, 16, 0, 0), 12 },	/* private (RFC 1918) */
	{ V4(192, 0, 0, 0), 24 },	/* IETF protocol assignments (RFC 6890) */
	{ V4(192, 0, 2, 0), 24 },	/* documentation (RFC 5737) */
	{ V4(192, 88, 99, 0), 24 },	/* 6to4 relays, deprecated (RFC 7526) */
	{ V4(192, 168, 0, 0), 16 },	/* private (RFC 1918) */
	{ V4(198, 18, 0, 0), 15 },	/* benchmarking (RFC 2544) */
	{ V4(198, 51, 100, 0), 24 },	/* documentation (RFC 5737) */
	{ V4(203, 0, 113, 0), 24 },	/* documentation (RFC 5737) */
	{ V4(224, 0, 0, 0), 4 },	/* multicast (RFC 5771) */
	{ V4(240, 0, 0, 0), 4 },	/* reserved and broadcast (RFC 1112, 919) */
};

/* Exceptions inside 2000::/3, the only space of global unicast addresses. */
static const struct v6_block {
	uint8_t prefix[4];
	unsigned bits;
} v6_blocks[] = {
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 },	/* IETF assignments, Teredo (RFC 2928) */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },	/* documentation (RFC 3849) */
	{ { 0x20, 0x02, 0x00, 0x00 }, 16 },	/* 6to4 (RFC 3056) */
	{ { 0x3f, 0xff, 0x00, 0x00 }, 20 },	/* documentation (RFC 9637) */
};

static bool
v4_is_public(uint32_t addr)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(v4_blocks); i++) {
		if ((addr ^ v4_blocks[i].prefix) >> (32 - v4_blocks[i].bits) == 0)
			return false;
	}
	return true;
}

static uint32_t
read_u32(const uint8_t bytes[4])
{
	return V4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

static bool
v6_is_public(const uint8_t addr[16])
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };	/* RFC 6052 */
	uint32_t head = read_u32(addr);

	if (memcmp(addr, nat64, sizeof(nat64)) == 0)
		return v4_is_public(read_u32(addr + 12));
	if (head >> 29 != 1)
		return false;
	for (size_t i = 0; i < BF_ARRAY_LEN(v6_blocks); i++) {
		uint32_t prefix = read_u32(v6_blocks[i].prefix);

		if ((head ^ prefix) >> (32 - v6_blocks[i].bits) == 0)
			return false;
	}
	/* ISATAP can stand in any prefix (RFC 5214, 6.1). */
	return (read_u32(addr + 8) & ~0x02000000u) != 0x00005efe;
}

bool
guard_is_public(const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (addr->sa_family == AF_INET && len >= sizeof(v4)) {
		memcpy(&v4, addr, sizeof(v4));
		return v4_is_public(ntohl(v4.sin_addr.s_addr));
	}
	if (addr->sa_family == AF_INET6 && len >= sizeof(v6)) {
		memcpy(&v6, addr, sizeof(v6));
		return v6_is_public(v6.sin6_addr.s6_addr);
	}
	return false;
}

bool
guard_is_link_local(const struct sockaddr *addr, socklen_t len)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (addr->sa_family == AF_INET && len >= sizeof(v4)) {
		memcpy(&v4, addr, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 16 == V4_LINK_LOCAL;
	}
	if (addr->sa_family == AF_INET6 && len >= sizeof(v6)) {
		memcpy(&v6, addr, sizeof(v6));
		if (memcmp(v6.sin6_addr.s6_addr, mapped, sizeof(mapped)) == 0)
			return read_u32(v6.sin6_addr.s6_addr + 12) >> 16 == V4_LINK_LOCAL;
		return IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
	}
	return false;
}

bool
guard_is_public_text(const char *text)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return v4_is_public(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, text, &v6) == 1)
		return v6_is_public(v6.s6_addr);
	return false;
}
