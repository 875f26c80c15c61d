#include "supervisor/conffile.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"

#define PASSWORD_MAX_BYTES	1024

/* libconfuse reports through a callback that has no argument for us. */
static struct err *parse_err;

static void
on_parse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_SIZE / 2];

	if (parse_err == NULL)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)err_set(parse_err, ERR_INVALID, "%s:%d: %s", cfg->filename, cfg->line, text);
	parse_err = NULL;	/* the first error is the one to mend */
}

/* Every value is read as text, so that one function, settings_set(), says what
 * is wrong with it, in the same words wherever it comes from. */
static cfg_opt_t *
make_grammar(void)
{
	cfg_opt_t *grammar = xcalloc(settings_count + 1, sizeof(*grammar));
	const cfg_opt_t end[] = { CFG_END() };

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_rows[i];
		cfg_opt_t text = CFG_STR(row->name, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(row->name, NULL, CFGF_NODEFAULT);

		grammar[i] = row->kind == SETTING_LIST ? list : text;
	}
	grammar[settings_count] = end[0];
	return grammar;
}

static int
take_value(cfg_t *cfg, const struct setting *row, struct settings *settings,
    struct err *err)
{
	struct buf text = BUF_INIT;
	int rc;

	if (cfg_size(cfg, row->name) == 0 && row->kind != SETTING_LIST)
		return 0;
	if (cfg_opt_size(cfg_getopt(cfg, row->name)) == 0)
		return 0;
	for (unsigned i = 0; i < cfg_size(cfg, row->name); i++)
		buf_printf(&text, "%s%s", i > 0 ? " " : "",
		    cfg_getnstr(cfg, row->name, i));
	rc = settings_set(settings, str_from(row->name), buf_str(&text), err);
	buf_clear(&text);
	return rc;
}

static int
read_password_file(struct settings *settings, struct err *err)
{
	const char *path = settings->admin_password_file;
	char line[PASSWORD_MAX_BYTES];
	FILE *file;

	if (path[0] == '\0')
		return 0;
	file = fopen(path, "re");
	if (file == NULL)
		return err_errno(err, "admin_password_file: open(%s)", path);
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	(void)fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0')
		return err_set(err, ERR_INVALID, "admin_password_file: %s: its first "
		    "line is empty", path);
	return settings_set(settings, STR("admin_password"), str_from(line), err);
}

static int
check_words(const struct settings *settings, struct err *err)
{
	enum log_level level;

	if (log_level_parse(settings->log_level, &level) == -1)
		return err_set(err, ERR_INVALID, "log_level = \"%s\": has to be error, "
		    "warn, info or debug", settings->log_level);
	if (strcmp(settings->type_spelling, "kebab") != 0 &&
	    strcmp(settings->type_spelling, "camel") != 0)
		return err_set(err, ERR_INVALID, "type_spelling = \"%s\": has to be "
		    "kebab or camel", settings->type_spelling);
	return 0;
}

int
conffile_read(const char *path, struct settings *settings, struct err *err)
{
	cfg_opt_t *grammar = make_grammar();
	cfg_t *cfg = cfg_init(grammar, CFGF_NONE);
	int rc = 0;

	cfg_set_error_function(cfg, on_parse_error);
	parse_err = err;
	switch (cfg_parse(cfg, path)) {
	case CFG_SUCCESS:
		break;
	case CFG_FILE_ERROR:
		rc = err_errno(err, "open(%s)", path);
		break;
	default:
		rc = -1;
		break;
	}
	parse_err = NULL;
	for (size_t i = 0; rc == 0 && i < settings_count; i++) {
		rc = take_value(cfg, &settings_rows[i], settings, err);
		if (rc == -1)
			(void)err_wrap(err, "%s", path);
	}
	if (rc == 0)
		rc = read_password_file(settings, err);
	if (rc == 0 && check_words(settings, err) == -1)
		rc = err_wrap(err, "%s", path);
	cfg_free(cfg);
	free(grammar);
	return rc;
}
