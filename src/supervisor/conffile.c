#include "supervisor/conffile.h"

#include <confuse.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "supervisor/cgroup.h"
#include "supervisor/conf_schedule.h"
#include "supervisor/time_limit.h"
#include "supervisor/type_limit.h"

/*
 * A row behind the last one, which has to be seen: libconfuse takes a comment that is
 * not ended for one that goes up to the end.
 */
#define END_ROW		"end-of-the-file"

#define FILE_MAX_BYTES	(1024 * 1024)

/* libconfuse calls back without an argument for us. */
static struct {
	const char *path;
	struct settings *settings;	/* to be filled in */
	struct schedules *schedules;
	struct err *err;
} parsing;

static void
on_parse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_SIZE / 2];

	if (parsing.err == NULL)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)err_set(parsing.err, ERR_INVALID, "%s:%d: %s", parsing.path, cfg->line, text);
	parsing.err = NULL;	/* the first error is the one to mend */
}

/* A value is taken while its line is known.  -1 ends the parser. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct err err;

	if (settings_set(parsing.settings, str_from(cfg_opt_name(opt)),
	    str_from(cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1)), &err) == 0)
		return 0;
	cfg_error(cfg, "%s", err.text);
	return -1;
}

/* So is an item of a list; the list as a whole when all of it is there. */
static int
on_item(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct setting *row = settings_find(str_from(cfg_opt_name(opt)));
	struct err err;

	if (cfg_opt_size(opt) == 0 || settings_check_item(row,
	    str_from(cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1)), &err) == 0)
		return 0;
	cfg_error(cfg, "%s", err.text);
	return -1;
}

static int
on_schedule(cfg_t *cfg, cfg_opt_t *opt)
{
	struct err err;

	if (conf_schedule_take(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1),
	    parsing.schedules, &err) == 0)
		return 0;
	cfg_error(cfg, "%s", err.text);
	return -1;
}

/* Every value is read as text, so that one function, settings_set(), says what
 * is wrong with it, in the same words wherever it comes from. */
static cfg_opt_t *
make_grammar(void)
{
	cfg_opt_t *grammar = xcalloc(settings_count + 3, sizeof(*grammar));
	const cfg_opt_t schedule = CFG_SEC("schedule", conf_schedule_options,
	    CFGF_MULTI | CFGF_TITLE);
	const cfg_opt_t end[] = { CFG_BOOL(END_ROW, cfg_false, CFGF_NONE), CFG_END() };

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_rows[i];
		cfg_opt_t text = CFG_STR(row->name, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(row->name, NULL, CFGF_NODEFAULT);

		grammar[i] = setting_is_list(row) ? list : text;
	}
	grammar[settings_count] = schedule;
	grammar[settings_count + 1] = end[0];
	grammar[settings_count + 2] = end[1];
	return grammar;
}

/* A list is taken when all of it is there. */
static int
take_list(cfg_t *cfg, const struct setting *row, struct settings *settings,
    struct err *err)
{
	struct buf text = BUF_INIT;
	int rc;

	if (!setting_is_list(row) || cfg_opt_size(cfg_getopt(cfg, row->name)) == 0)
		return 0;
	for (unsigned i = 0; i < cfg_size(cfg, row->name); i++)
		buf_printf(&text, "%s%s", i > 0 ? " " : "",
		    cfg_getnstr(cfg, row->name, i));
	rc = settings_set(settings, str_from(row->name), buf_str(&text), err);
	buf_clear(&text);
	return rc;
}

static int
read_open_file(int fd, const char *path, struct buf *to, struct err *err)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return err_errno(err, "stat(%s)", path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES)
		return err_set(err, ERR_INVALID, "%s: is no plain file of at most %d bytes",
		    path, FILE_MAX_BYTES);
	n = pread(fd, buf_reserve(to, (size_t)st.st_size + 1), (size_t)st.st_size, 0);
	if (n == -1)
		return err_errno(err, "read(%s)", path);
	buf_added(to, (size_t)n);
	/* What stands behind it would be passed over without a word. */
	if (memchr(buf_data(to), '\0', buf_len(to)) != NULL)
		return err_set(err, ERR_INVALID, "%s: has a NUL byte", path);
	buf_add_byte(to, '\0');
	return 0;
}

/* Read a whole file as a C string.  Not left to libconfuse, whose scanner ends the
 * process on a read error; and a fifo in the file's place must not hold us up. */
static int
read_file(const char *path, struct buf *to, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int rc;

	if (fd == -1)
		return err_errno(err, "open(%s)", path);
	rc = read_open_file(fd, path, to, err);
	(void)close(fd);
	return rc;
}

/* The first line of the file that `file` names is what `name` is set to. */
static int
read_secret_file(struct settings *settings, const char *file, const char *path,
    const char *name, struct err *err)
{
	struct buf text = BUF_INIT;
	struct str line;
	int rc;

	if (path[0] == '\0')
		return 0;
	rc = read_file(path, &text, err);
	if (rc == 0) {
		line = (struct str){ (char *)buf_data(&text),
		    strcspn((char *)buf_data(&text), "\r\n") };
		rc = line.len > 0 ?
		    settings_set(settings, str_from(name), line, err) :
		    err_set(err, ERR_INVALID, "%s: its first line is empty", path);
	}
	buf_clear(&text);
	return rc == 0 ? 0 : err_wrap(err, "%s", file);
}

static int
read_secret_files(struct settings *settings, struct err *err)
{
	if (read_secret_file(settings, "admin_password_file",
	    settings->admin_password_file, "admin_password", err) == -1)
		return -1;
	return read_secret_file(settings, "opensearch_credentials_file",
	    settings->opensearch_credentials_file, "opensearch_credentials", err);
}

/* "USER:PASSWORD" or "ApiKey KEY"; never told in an error. */
static bool
is_credentials(struct str text)
{
	struct str key = STR("ApiKey ");

	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return false;
	if (str_starts_with(text, key))
		return str_is_visible((struct str){ text.ptr + key.len, text.len - key.len }) &&
		    text.len > key.len;
	return text.len > 0 && text.ptr[0] != ':' && memchr(text.ptr, ':', text.len) != NULL;
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
	if (settings->opensearch_credentials[0] != '\0' &&
	    !is_credentials(str_from(settings->opensearch_credentials)))
		return err_set(err, ERR_INVALID, "opensearch_credentials: has to be "
		    "USER:PASSWORD or ApiKey KEY");
	if (!cgroup_is_setting(settings->cgroup))
		return err_set(err, ERR_INVALID, "cgroup = \"%s\": has to be auto, off or "
		    "an absolute path", settings->cgroup);
	if (type_limit_check(settings->max_workers_per_type, err) == -1)
		return -1;
	return time_limit_check(settings->max_time_per_type, err);
}

static int
parse_file(cfg_t *cfg, const char *path, struct err *err)
{
	struct buf text = BUF_INIT, rows = BUF_INIT;
	int rc = read_file(path, &text, err);

	if (rc == 0) {
		buf_printf(&rows, "%s\n%s = true%c", (const char *)buf_data(&text), END_ROW,
		    '\0');
		cfg_set_error_function(cfg, on_parse_error);
		for (size_t i = 0; i < settings_count; i++)
			(void)cfg_set_validate_func(cfg, settings_rows[i].name,
			    setting_is_list(&settings_rows[i]) ? on_item : on_value);
		(void)cfg_set_validate_func(cfg, "schedule", on_schedule);
		parsing.path = path;
		parsing.err = err;
		if (cfg_parse_buf(cfg, (char *)buf_data(&rows)) != CFG_SUCCESS)
			rc = -1;
		else if (!cfg_getbool(cfg, END_ROW))
			rc = err_set(err, ERR_INVALID, "%s: a comment that /* begins has no "
			    "end", path);
		parsing.err = NULL;
	}
	buf_clear(&text);
	buf_clear(&rows);
	return rc;
}

int
conffile_read(const char *path, struct settings *settings,
    struct schedules *schedules, struct err *err)
{
	cfg_opt_t *grammar = make_grammar();
	cfg_t *cfg = cfg_init(grammar, CFGF_NONE);
	int rc;

	parsing.settings = settings;
	parsing.schedules = schedules;
	rc = parse_file(cfg, path, err);
	for (size_t i = 0; rc == 0 && i < settings_count; i++) {
		rc = take_list(cfg, &settings_rows[i], settings, err);
		if (rc == -1)
			(void)err_wrap(err, "%s", path);
	}
	if (rc == 0)
		rc = read_secret_files(settings, err);
	if (rc == 0 && check_words(settings, err) == -1)
		rc = err_wrap(err, "%s", path);
	cfg_free(cfg);
	free(grammar);
	return rc;
}
