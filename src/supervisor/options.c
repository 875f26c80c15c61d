#include "supervisor/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/exitcode.h"

static const char usage[] =
    "usage: backfilld [-c FILE] [--check-config]\n"
    "       backfilld --check-store STATE_DIR | --backup STATE_DIR TO\n"
    "\n"
    "Runs in the foreground and logs to standard error.\n"
    "\n"
    "  -c, --config FILE   the configuration (" BF_SYSCONFDIR "/backfilld.conf)\n"
    "      --check-config  read it, say what is wrong, and exit\n"
    "      --check-store STATE_DIR      is operations/ sound?\n"
    "      --backup STATE_DIR TO        copy the stores into a new directory\n"
    "  -V, --version\n"
    "  -h, --help\n"
    "\n"
    "See backfilld(8), backfilld.conf(5) and backfillctl(8).\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check-config", no_argument, NULL, 'C' },
	{ "check-store", required_argument, NULL, 'S' },
	{ "backup", required_argument, NULL, 'B' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

void
options_parse(int argc, char **argv, struct options *options_out)
{
	struct options options = { .config_path = BF_SYSCONFDIR "/backfilld.conf" };
	int c;

	while ((c = getopt_long(argc, argv, "c:Vh", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			options.config_path = optarg;
			break;
		case 'C':
			options.check_config = true;
			break;
		case 'S':
			options.check_store = optarg;
			break;
		case 'B':
			options.backup = optarg;
			break;
		case 'V':
			(void)printf("backfilld %s\n", PACKAGE_VERSION);
			exit(EXIT_OK);
		case 'h':
			(void)fputs(usage, stdout);
			exit(EXIT_OK);
		default:
			(void)fputs(usage, stderr);
			exit(EXIT_USAGE);
		}
	}
	if (options.backup != NULL && optind < argc)
		options.backup_to = argv[optind++];
	if (optind < argc || (options.backup != NULL && options.backup_to == NULL)) {
		(void)fprintf(stderr, "backfilld: %s: unexpected argument\n%s",
		    optind < argc ? argv[optind] : "--backup", usage);
		exit(EXIT_USAGE);
	}
	*options_out = options;
}
