#include "atproto/basex.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "atproto/ascii.h"

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char base58_digits[] =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base32_encode(struct bytes bytes, char *to)
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		bits = bits << 8 | bytes.ptr[i];
		for (held += 8; held >= 5; held -= 5)
			*to++ = base32_digits[bits >> (held - 5) & 31];
	}
	if (held > 0)
		*to = base32_digits[bits << (5 - held) & 31];
}

static int
base32_value(char c)
{
	if (ascii_is_lower(c))
		return c - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

int
base32_decode(struct str text, uint8_t *to, size_t to_size, size_t *len_out)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = base32_value(text.ptr[i]);

		if (value < 0)
			return -1;
		bits = bits << 5 | (uint32_t)value;
		held += 5;
		if (held < 8)
			continue;
		if (n == to_size)
			return -1;
		held -= 8;
		to[n++] = (uint8_t)(bits >> held);
	}
	/* Left-over bits are zero, and fewer than one character's. */
	if (held >= 5 || (bits & ((1u << held) - 1)) != 0)
		return -1;
	*len_out = n;
	return 0;
}

void
base58_encode(struct bytes bytes, struct buf *to)
{
	uint8_t digits[BASE58_MAX_BYTES * 2];	/* log(256) / log(58) < 1.4 */
	size_t n = 0, zeros = 0;

	assert(bytes.len <= BASE58_MAX_BYTES);
	while (zeros < bytes.len && bytes.ptr[zeros] == 0)
		zeros++;
	for (size_t i = zeros; i < bytes.len; i++) {
		uint32_t carry = bytes.ptr[i];

		for (size_t j = 0; j < n || carry > 0; j++) {
			if (j == n)
				digits[n++] = 0;
			carry += (uint32_t)digits[j] << 8;
			digits[j] = (uint8_t)(carry % 58);
			carry /= 58;
		}
	}
	for (size_t i = 0; i < zeros; i++)
		buf_add_byte(to, '1');
	while (n > 0)
		buf_add_byte(to, (uint8_t)base58_digits[digits[--n]]);
}

int
base58_decode(struct str text, uint8_t *to, size_t to_size, size_t *len_out)
{
	uint8_t bytes[BASE58_MAX_BYTES];	/* least significant byte first */
	size_t n = 0, zeros = 0;

	while (zeros < text.len && text.ptr[zeros] == '1')
		zeros++;
	for (size_t i = zeros; i < text.len; i++) {
		const char *digit = text.ptr[i] == '\0' ? NULL :
		    strchr(base58_digits, text.ptr[i]);
		uint32_t carry;

		if (digit == NULL)
			return -1;
		carry = (uint32_t)(digit - base58_digits);
		for (size_t j = 0; j < n || carry > 0; j++) {
			if (j == n) {
				if (n == sizeof(bytes))
					return -1;
				bytes[n++] = 0;
			}
			carry += (uint32_t)bytes[j] * 58;
			bytes[j] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	if (zeros > to_size || n > to_size - zeros)
		return -1;
	memset(to, 0, zeros);
	for (size_t i = 0; i < n; i++)
		to[zeros + i] = bytes[n - 1 - i];
	*len_out = zeros + n;
	return 0;
}

void
base64_encode(struct bytes bytes, struct buf *to)
{
	uint32_t bits = 0;
	unsigned held = 0;
	uint8_t *at = buf_reserve(to, (bytes.len * 4 + 2) / 3);
	size_t n = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		bits = bits << 8 | bytes.ptr[i];
		for (held += 8; held >= 6; held -= 6)
			at[n++] = (uint8_t)base64_digits[bits >> (held - 6) & 63];
	}
	if (held > 0)
		at[n++] = (uint8_t)base64_digits[bits << (6 - held) & 63];
	buf_added(to, n);
}

static int
base64_value(char c, bool is_url)
{
	if (ascii_is_alpha(c))
		return ascii_is_lower(c) ? c - 'a' + 26 : c - 'A';
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == (is_url ? '-' : '+'))
		return 62;
	return c == (is_url ? '_' : '/') ? 63 : -1;
}

static int
decode64(struct str text, bool is_url, struct buf *to)
{
	uint8_t *at = buf_reserve(to, text.len / 4 * 3 + 3);
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.ptr[i], is_url);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			at[n++] = (uint8_t)(bits >> held);
		}
	}
	if (held >= 6 || (bits & ((1u << held) - 1)) != 0)
		return -1;
	buf_added(to, n);
	return 0;
}

int
base64_decode(struct str text, struct buf *to)
{
	size_t padding = 0;

	while (padding < 2 && padding < text.len &&
	    text.ptr[text.len - 1 - padding] == '=')
		padding++;
	if (padding > 0 && text.len % 4 != 0)
		return -1;
	text.len -= padding;
	return decode64(text, false, to);
}

int
base64url_decode(struct str text, struct buf *to)
{
	return decode64(text, true, to);
}

int
multibase_decode(struct str text, uint8_t *to, size_t to_size, size_t *len_out)
{
	struct str rest;

	if (text.len < 2)
		return -1;
	rest = (struct str){ text.ptr + 1, text.len - 1 };
	switch (text.ptr[0]) {
	case 'b':
		return base32_decode(rest, to, to_size, len_out);
	case 'z':
		return base58_decode(rest, to, to_size, len_out);
	default:
		return -1;
	}
}
