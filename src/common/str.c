#include "common/str.h"

bool
str_copy(char *to, size_t to_size, struct str from)
{
	size_t n = from.len < to_size - 1 ? from.len : to_size - 1;

	if (n > 0)
		memcpy(to, from.ptr, n);
	to[n] = '\0';
	return n == from.len;
}

bool
str_is_visible(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= 0x20 || s.ptr[i] >= 0x7f)
			return false;
	return true;
}

int
str_to_u64(struct str s, uint64_t *value_out)
{
	uint64_t value = 0;

	if (s.len == 0)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.ptr[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -1;
	}
	*value_out = value;
	return 0;
}
