#include "api/input.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>

#include "api/params.h"
#include "atproto/aturi.h"
#include "atproto/did.h"
#include "common/limits.h"

/* Brackets outside strings, before a recursive parser sees them. */
static bool
is_too_deep(struct str text)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > LIMIT_HTTP_JSON_DEPTH)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

int
input_parse(struct str text, json_t **input_out, struct err *err)
{
	json_error_t reason;
	json_t *input;

	if (is_too_deep(text))
		return err_set(err, ERR_INVALID, "The JSON is nested more than %d deep",
		    LIMIT_HTTP_JSON_DEPTH);
	input = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &reason);
	if (input == NULL)
		return err_set(err, ERR_INVALID, "Input is not valid JSON: %s",
		    reason.text);
	if (!json_is_object(input)) {
		json_decref(input);
		return err_set(err, ERR_INVALID, "Input must be an object");
	}
	*input_out = input;
	return 0;
}

void
input_free(struct json_t **input)
{
	json_decref(*input);
	*input = NULL;
}

int
input_from_form(const struct params *form, json_t **input_out, struct err *err)
{
	json_t *input = json_object();

	for (size_t i = 0; i < form->count; i++) {
		struct str name = form->list[i].name, value = form->list[i].value;
		char key[32];
		uint64_t number;
		json_t *member;

		if (str_is_empty(value) || !str_copy(key, sizeof(key), name))
			continue;
		if (str_eq(name, STR("batchSize")) && str_to_u64(value, &number) == 0 &&
		    number <= INT64_MAX)
			member = json_integer((json_int_t)number);
		else
			member = json_stringn(value.ptr, value.len);
		if (json_object_set_new(input, key, member) == -1) {
			json_decref(input);
			return err_set(err, ERR_INVALID, "%s is not text", key);
		}
	}
	*input_out = input;
	return 0;
}

int
input_text(const json_t *input, const char *name, struct str *value_out,
    struct err *err)
{
	const json_t *member = json_object_get(input, name);

	if (member == NULL) {
		*value_out = STR_NONE;
		return 0;
	}
	if (!json_is_string(member))
		return err_set(err, ERR_INVALID, "Input/%s must be a string", name);
	if (json_string_length(member) == 0)
		return err_set(err, ERR_INVALID, "Input/%s must not be empty", name);
	*value_out = (struct str){ json_string_value(member),
	    json_string_length(member) };
	return 0;
}

int
input_did(const json_t *input, const char *name, struct str *value_out,
    struct err *err)
{
	struct str did;

	if (input_text(input, name, &did, err) == -1)
		return -1;
	if (did.len > 0 && !did_is_valid(did))
		return err_set(err, ERR_INVALID, "Input/%s must be a valid did", name);
	if (did.len > 0 && !did_is_atproto(did))
		return err_set(err, ERR_INVALID, "Input/%s: only did:plc and did:web "
		    "accounts have repositories", name);
	*value_out = did;
	return 0;
}

int
input_aturi(const json_t *input, const char *name, struct str *value_out,
    struct err *err)
{
	struct str uri;

	if (input_text(input, name, &uri, err) == -1)
		return -1;
	if (uri.len > 0 && !aturi_is_valid(uri))
		return err_set(err, ERR_INVALID, "Input/%s must be a valid at-uri",
		    name);
	*value_out = uri;
	return 0;
}

static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
	    c == '[' || c == ']';
}

static bool
is_web_url(struct str url)
{
	size_t scheme_len, i;

	if (url.len > LIMIT_URL_BYTES)
		return false;
	if (str_starts_with(url, STR("https://")))
		scheme_len = 8;
	else if (str_starts_with(url, STR("http://")))
		scheme_len = 7;
	else
		return false;
	for (i = scheme_len; i < url.len && url.ptr[i] != '/'; i++)
		if (!is_host_char(url.ptr[i]))
			return false;
	if (i == scheme_len)
		return false;
	for (; i < url.len; i++)
		if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
			return false;
	return true;
}

int
input_url(const json_t *input, const char *name, struct str *value_out,
    struct err *err)
{
	struct str url;

	if (input_text(input, name, &url, err) == -1)
		return -1;
	if (url.len > 0 && !is_web_url(url))
		return err_set(err, ERR_INVALID, "Input/%s must be an http or https "
		    "URL of at most %d bytes", name, LIMIT_URL_BYTES);
	*value_out = url;
	return 0;
}

int
input_integer(const json_t *input, const char *name, uint64_t least,
    uint64_t most, uint64_t *value_out, struct err *err)
{
	const json_t *member = json_object_get(input, name);
	json_int_t value;

	if (member == NULL) {
		*value_out = 0;
		return 0;
	}
	if (!json_is_integer(member))
		return err_set(err, ERR_INVALID, "Input/%s must be an integer", name);
	value = json_integer_value(member);
	if (value < 0 || (uint64_t)value < least)
		return err_set(err, ERR_INVALID, "Input/%s can not be less than %"
		    PRIu64, name, least);
	if ((uint64_t)value > most)
		return err_set(err, ERR_INVALID, "Input/%s can not be greater than %"
		    PRIu64, name, most);
	*value_out = (uint64_t)value;
	return 0;
}
