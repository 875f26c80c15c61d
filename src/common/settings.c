#include "common/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/utf8.h"
#include "common/web_url.h"

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

		if (row->kind != SETTING_NUMBER && row->kind != SETTING_BOOL)
			free(*(char **)member(settings, row));
	}
	*settings = (struct settings){ 0 };
}

bool
setting_is_list(const struct setting *row)
{
	return row->kind == SETTING_LIST || row->kind == SETTING_ORIGINS;
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

/* As much of a bad value as leaves room for what is wrong with it; nothing of one that
 * may have a password in it. */
static struct str
shown(struct str value)
{
	if (value.len > 0 && memchr(value.ptr, '@', value.len) != NULL)
		return STR("...@...");
	return utf8_cut(value, 100);
}

static int
check_url(const struct setting *row, struct str value, struct err *err)
{
	bool is_origin = row->kind != SETTING_URL;
	const char *example = is_origin ? "https://example.com" : "https://example.com/path";
	const char *why;
	struct url url;

	if (web_url_parse(value, &url, &why) == -1)
		return err_set(err, ERR_INVALID, "%s = \"%.*s\": has to be a URL like %s: %s",
		    row->name, STR_FMT(shown(value)), example, why);
	if (is_origin && !web_url_is_origin(&url))
		return err_set(err, ERR_INVALID, "%s = \"%.*s\": has to be a URL like %s, "
		    "without \"%.*s\"", row->name, STR_FMT(shown(value)), example,
		    STR_FMT(shown(url.path)));
	return 0;
}

int
settings_check_item(const struct setting *row, struct str item, struct err *err)
{
	if (settings_check_text(row->name, item, err) == -1)
		return -1;
	return row->kind == SETTING_ORIGINS ? check_url(row, item, err) : 0;
}

static int
check_items(const struct setting *row, struct str list, struct err *err)
{
	struct str item;

	while (!str_is_empty(item = settings_next_item(&list)))
		if (settings_check_item(row, item, err) == -1)
			return -1;
	return 0;
}

/* The domain of an NSID, turned round. */
static int
check_authority(const struct setting *row, struct str value, struct err *err)
{
	if (!web_host_is_name(value) || memchr(value.ptr, '.', value.len) == NULL)
		return err_set(err, ERR_INVALID, "%s = \"%.*s\": has to be the authority of "
		    "an NSID, like com.example.admin", row->name, STR_FMT(shown(value)));
	return 0;
}

static int
check_kind(const struct setting *row, struct str value, struct err *err)
{
	switch (row->kind) {
	case SETTING_URL:
	case SETTING_ORIGIN:
		return str_is_empty(value) ? 0 : check_url(row, value, err);
	case SETTING_LIST:
	case SETTING_ORIGINS:
		return check_items(row, value, err);
	case SETTING_AUTHORITY:
		return check_authority(row, value, err);
	default:
		return 0;
	}
}

static int
set_text(char **member, const struct setting *row, struct str value,
    struct err *err)
{
	if (settings_check_text(row->name, value, err) == -1 ||
	    check_kind(row, value, err) == -1)
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
	case SETTING_NUMBER:
		return set_number(member(settings, row), row, value, err);
	case SETTING_BOOL:
		return set_bool(member(settings, row), row, value, err);
	default:
		return set_text(member(settings, row), row, value, err);
	}
}

char *
settings_text(const struct settings *settings, const struct setting *row)
{
	const void *at = member(settings, row);
	char text[24];

	switch (row->kind) {
	case SETTING_NUMBER:
		(void)snprintf(text, sizeof(text), "%" PRIu64, *(const uint64_t *)at);
		return xstrdup(text);
	case SETTING_BOOL:
		return xstrdup(*(const bool *)at ? "true" : "false");
	default:
		return xstrdup(*(char *const *)at);
	}
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
