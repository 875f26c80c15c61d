#include "supervisor/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/exitcode.h"

static const char usage[] =
    "usage: backfilld [-c FILE] [--check-config]\n"
    "\n"
    "Runs in the foreground and logs to standard error.\n"
    "\n"
    "  -c, --config FILE   the configuration (" BF_SYSCONFDIR "/backfilld.conf)\n"
    "      --check-config  read it, say what is wrong, and exit\n"
    "  -V, --version\n"
    "  -h, --help\n"
    "\n"
    "See backfilld(8), backfilld.conf(5) and backfillctl(8).\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check-config", no_argument, NULL, 'C' },
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
	if (optind < argc) {
		(void)fprintf(stderr, "backfilld: %s: unexpected argument\n%s", argv[optind],
		    usage);
		exit(EXIT_USAGE);
	}
	*options_out = options;
}
