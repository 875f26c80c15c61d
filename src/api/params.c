#include "api/params.h"

#include <inttypes.h>
#include <string.h>

#include "common/utf8.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode [text, text + len) onto itself. */
static int
decode(char *text, size_t len, struct str *out, struct err *err)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '+')
			c = ' ';
		if (c == '%') {
			int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_value(text[i + 2]) : -1;

			if (high == -1 || low == -1)
				return err_set(err, ERR_INVALID,
				    "bad escape in the query string");
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return err_set(err, ERR_INVALID, "NUL in the query string");
		text[to++] = c;
	}
	if (!utf8_is_valid((const uint8_t *)text, to))
		return err_set(err, ERR_INVALID, "the query string is not UTF-8");
	*out = (struct str){ text, to };
	return 0;
}

static int
parse_one(char *text, size_t len, struct param *param, struct err *err)
{
	char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;

	if (decode(text, name_len, &param->name, err) == -1)
		return -1;
	if (equals == NULL) {
		param->value = STR("");
		return 0;
	}
	return decode(equals + 1, len - name_len - 1, &param->value, err);
}

int
params_parse(char *query, size_t len, struct params *params_out, struct err *err)
{
	size_t count = 0;

	while (len > 0) {
		char *end = memchr(query, '&', len);
		size_t n = end != NULL ? (size_t)(end - query) : len;

		if (n > 0) {
			if (count == LIMIT_HTTP_PARAMS)
				return err_set(err, ERR_LIMIT,
				    "more than %d query parameters",
				    LIMIT_HTTP_PARAMS);
			if (parse_one(query, n, &params_out->list[count], err) == -1)
				return -1;
			count++;
		}
		n += end != NULL;
		query += n;
		len -= n;
	}
	params_out->count = count;
	return 0;
}

/* *param_out is NULL if there is none. */
static int
find_once(const struct params *params, struct str name,
    const struct param **param_out, struct err *err)
{
	const struct param *found = NULL;

	for (size_t i = 0; i < params->count; i++) {
		if (!str_eq(params->list[i].name, name))
			continue;
		if (found != NULL)
			return err_set(err, ERR_INVALID, "%.*s is given more than once",
			    STR_FMT(name));
		found = &params->list[i];
	}
	*param_out = found;
	return 0;
}

int
params_text(const struct params *params, struct str name, struct str *value_out,
    struct err *err)
{
	const struct param *param;

	if (find_once(params, name, &param, err) == -1)
		return -1;
	*value_out = param != NULL ? param->value : STR_NONE;
	return 0;
}

int
params_integer(const struct params *params, struct str name, uint64_t least,
    uint64_t most, uint64_t *value_out, struct err *err)
{
	const struct param *param;
	uint64_t value;

	if (find_once(params, name, &param, err) == -1)
		return -1;
	if (param == NULL)
		return 0;
	if (str_to_u64(param->value, &value) == -1)
		return err_set(err, ERR_INVALID, "%.*s must be an integer",
		    STR_FMT(name));
	if (value < least)
		return err_set(err, ERR_INVALID, "%.*s: integer too small "
		    "(minimum %" PRIu64 ", got %" PRIu64 ")", STR_FMT(name), least,
		    value);
	if (value > most)
		return err_set(err, ERR_INVALID, "%.*s: integer too big "
		    "(maximum %" PRIu64 ", got %" PRIu64 ")", STR_FMT(name), most,
		    value);
	*value_out = value;
	return 0;
}
