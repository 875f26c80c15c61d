#include "common/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/utf8.h"

const struct setting settings_rows[] = {
#define X(kind, name, preset, least, most, audience, reload)		\
	{ #name, SETTING_##kind, offsetof(struct settings, name), preset, \
	    least, most, audience, reload },
	SETTINGS(X)
#undef X
};

const size_t settings_count = BF_ARRAY_LEN(settings_rows);

static void *
member(const struct settings *settings, const struct setting *row)
{
	return (char *)(uintptr_t)settings + row->offset;
}

void
settings_init(struct settings *settings)
{
	struct err err;

	*settings = (struct settings){ 0 };
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_rows[i];

		if (settings_set(settings, str_from(row->name), str_from(row->preset),
		    &err) == -1) {
			log_error("settings.def: %s", err.text);
			abort();
		}
	}
}

void
settings_clear(struct settings *settings)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_rows[i];

		if (row->kind == SETTING_TEXT || row->kind == SETTING_LIST)
			free(*(char **)member(settings, row));
	}
	*settings = (struct settings){ 0 };
}

const struct setting *
settings_find(struct str name)
{
	for (size_t i = 0; i < settings_count; i++)
		if (str_eq(name, str_from(settings_rows[i].name)))
			return &settings_rows[i];
	return NULL;
}

static int
set_number(uint64_t *member, const struct setting *row, struct str value,
    struct err *err)
{
	uint64_t number;

	if (str_to_u64(value, &number) == -1 || number < row->least ||
	    number > row->most)
		return err_set(err, ERR_INVALID, "%s = \"%.*s\": has to be a number "
		    "from %" PRIu64 " to %" PRIu64, row->name, STR_FMT(value),
		    row->least, row->most);
	*member = number;
	return 0;
}

static int
set_bool(bool *member, const struct setting *row, struct str value,
    struct err *err)
{
	bool is_true = str_eq(value, STR("true"));

	if (!is_true && !str_eq(value, STR("false")))
		return err_set(err, ERR_INVALID, "%s = \"%.*s\": has to be true or false",
		    row->name, STR_FMT(value));
	*member = is_true;
	return 0;
}

static bool
has_control(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return true;
	return false;
}

int
settings_check_text(const char *name, struct str value, struct err *err)
{
	if (value.len > LIMIT_SETTING_BYTES)
		return err_set(err, ERR_INVALID, "%s: is longer than %d bytes", name,
		    LIMIT_SETTING_BYTES);
	if (!utf8_is_valid((const uint8_t *)value.ptr, value.len))
		return err_set(err, ERR_INVALID, "%s: is not UTF-8", name);
	if (has_control(value))
		return err_set(err, ERR_INVALID, "%s: has a control character", name);
	return 0;
}

static int
set_text(char **member, const struct setting *row, struct str value,
    struct err *err)
{
	if (settings_check_text(row->name, value, err) == -1)
		return -1;
	free(*member);
	*member = xstrndup(value.ptr, value.len);
	return 0;
}

int
settings_set(struct settings *settings, struct str name, struct str value,
    struct err *err)
{
	const struct setting *row = settings_find(name);

	if (row == NULL)
		return err_set(err, ERR_NOT_FOUND, "%.*s: there is no such setting",
		    STR_FMT(name));
	switch (row->kind) {
	case SETTING_TEXT:
	case SETTING_LIST:
		return set_text(member(settings, row), row, value, err);
	case SETTING_NUMBER:
		return set_number(member(settings, row), row, value, err);
	case SETTING_BOOL:
		return set_bool(member(settings, row), row, value, err);
	}
	return -1;
}

char *
settings_text(const struct settings *settings, const struct setting *row)
{
	const void *at = member(settings, row);
	char text[24];

	switch (row->kind) {
	case SETTING_TEXT:
	case SETTING_LIST:
		return xstrdup(*(char *const *)at);
	case SETTING_NUMBER:
		(void)snprintf(text, sizeof(text), "%" PRIu64, *(const uint64_t *)at);
		return xstrdup(text);
	case SETTING_BOOL:
		return xstrdup(*(const bool *)at ? "true" : "false");
	}
	return NULL;
}

struct str
settings_next_item(struct str *rest)
{
	struct str item;
	size_t n = 0;

	while (rest->len > 0 && rest->ptr[0] == ' ') {
		rest->ptr++;
		rest->len--;
	}
	while (n < rest->len && rest->ptr[n] != ' ')
		n++;
	item = (struct str){ rest->ptr, n };
	rest->ptr += n;
	rest->len -= n;
	return item;
}
