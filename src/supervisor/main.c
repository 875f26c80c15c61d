/*
 * main.c - backfilld: set up in order, run, tear down.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "common/settings.h"
#include "supervisor/conffile.h"
#include "supervisor/options.h"
#include "supervisor/schedule.h"
#include "supervisor/store_tool.h"
#include "supervisor/supervisor.h"
#include "supervisor/upgrade.h"

static int
exit_code_of(const struct err *err)
{
	switch (err->code) {
	case ERR_EXISTS:
		return EXIT_BUSY;
	case ERR_CORRUPT:
		return EXIT_STORE;
	case ERR_PERMISSION:
		return EXIT_PERMISSION;
	case ERR_INVALID:
	case ERR_VERSION:
		return EXIT_CONFIG;
	default:
		return EXIT_SYSTEM;
	}
}

static void
read_settings(const struct options *options, struct settings *settings,
    struct schedules *schedules)
{
	enum log_level level;
	struct err err;

	settings_init(settings);
	if (conffile_read(options->config_path, settings, schedules, &err) == -1) {
		log_error("%s", err.text);
		exit(EXIT_CONFIG);
	}
	if (options->check_config) {
		(void)printf("%s is fine\n", options->config_path);
		settings_clear(settings);
		schedules_clear(schedules);
		exit(EXIT_OK);
	}
	if (log_level_parse(settings->log_level, &level) == 0)
		log_set_level(level);
}

int
main(int argc, char **argv)
{
	struct options options;
	struct settings settings;
	struct schedules schedules = { 0 };
	struct handover handover;
	struct supervisor *sup;
	struct err err;

	fd_open_standard();
	(void)umask(0027);	/* the control socket is for our group, too */
	log_init("backfilld", LOG_LEVEL_INFO);
	upgrade_remember(argv);
	options_parse(argc, argv, &options);
	if (options.check_store != NULL)
		return store_tool_check(options.check_store);
	if (options.backup != NULL)
		return store_tool_backup(options.backup, options.backup_to);
	read_settings(&options, &settings, &schedules);

	upgrade_take(&handover);
	sup = supervisor_new(&settings, &schedules, options.config_path, &handover, &err);
	buf_clear(&handover.bytes);
	if (sup == NULL) {
		log_error("%s", err.text);
		return exit_code_of(&err);
	}
	supervisor_run(sup);	/* from here on we must not die */
	supervisor_free(&sup);
	return EXIT_OK;
}
