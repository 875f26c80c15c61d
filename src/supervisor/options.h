/*
 * options.h - backfilld's command line.
 */
#ifndef BF_SUPERVISOR_OPTIONS_H
#define BF_SUPERVISOR_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *config_path;	/* borrowed from argv */
	bool check_config;
	const char *check_store;	/* a state directory, or NULL */
	const char *backup, *backup_to;	/* likewise, and where to; or NULL */
};

/* Fills the options, or prints help, the version or what is wrong and exits. */
void options_parse(int argc, char **argv, struct options *options_out);

#endif
