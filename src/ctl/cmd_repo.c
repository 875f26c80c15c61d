#include "ctl/cmd_repo.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "atproto/did.h"
#include "common/exitcode.h"
#include "ctl/repo_print.h"
#include "ctl/repo_session.h"

static int
usage(void)
{
	fputs("usage: backfillctl repo verify FILE.car [--did DID]\n"
	    "           [--key did:key:... | --did-doc FILE] [--json]\n"
	    "       backfillctl repo ls FILE.car [--collection PATTERN]...\n"
	    "       backfillctl repo export FILE.car [--collection PATTERN]...\n"
	    "FILE.car can be - for standard input.  A PATTERN is a collection's name, or\n"
	    "its beginning as in pub.chive.*.  backfillctl(8) tells more.\n", stderr);
	return EXIT_USAGE;
}

static int
say_usage(const char *text, const char *what)
{
	fprintf(stderr, "backfillctl repo: %s: %s\n", what, text);
	return usage();
}

static int
add_collection(struct repo_args *args, const char *pattern)
{
	if (args->filter == NULL)
		args->filter = filter_new();
	if (filter_add(args->filter, str_from(pattern)) < 0)
		return say_usage("is not a collection or a pattern of them", pattern);
	return EXIT_OK;
}

/* One option; EXIT_OK if it is right. */
static int
take_option(struct repo_args *args, int option)
{
	switch (option) {
	case 'd':
		args->did = optarg;
		if (!did_is_valid(str_from(optarg)))
			return say_usage("is not a DID", optarg);
		return EXIT_OK;
	case 'k':
		args->key = optarg;
		return EXIT_OK;
	case 'D':
		args->did_doc = optarg;
		return EXIT_OK;
	case 'j':
		args->json = true;
		return EXIT_OK;
	case 'c':
		return add_collection(args, optarg);
	default:
		return usage();
	}
}

static int
parse_args(struct repo_args *args, int argc, char **argv)
{
	static const struct option options[] = {
		{ "did", required_argument, NULL, 'd' },
		{ "key", required_argument, NULL, 'k' },
		{ "did-doc", required_argument, NULL, 'D' },
		{ "json", no_argument, NULL, 'j' },
		{ "collection", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	if (argc < 2)
		return usage();
	args->verb = argv[1];
	if (strcmp(args->verb, "verify") != 0 && strcmp(args->verb, "ls") != 0 &&
	    strcmp(args->verb, "export") != 0)
		return usage();
	optind = 0;	/* getopt may have run over the whole command line before */
	opterr = 0;
	while ((option = getopt_long(argc - 1, argv + 1, ":", options, NULL)) != -1) {
		int rc;

		if (option == ':')
			return say_usage("needs a value", argv[optind]);
		if (option == '?')
			return say_usage("is not an option of it", argv[optind]);
		rc = take_option(args, option);
		if (rc != EXIT_OK)
			return rc;
	}
	if (argc - 1 - optind != 1)
		return usage();
	if (args->key != NULL && args->did_doc != NULL)
		return say_usage("give only one of them", "--key and --did-doc");
	if (args->json && strcmp(args->verb, "verify") != 0)
		return say_usage("is for verify only", "--json");
	args->path = argv[1 + optind];
	return EXIT_OK;
}

static int
run(struct repo_session *s)
{
	struct fault fault = FAULT_INIT;
	int rc = repo_session_prove(s, &fault);

	if (rc == EXIT_FAILED && fault.code != FAULT_NONE)
		repo_print_invalid(s, &fault);
	if (rc != EXIT_OK)
		return rc;
	if (strcmp(s->args->verb, "ls") == 0)
		return repo_print_list(s);
	if (strcmp(s->args->verb, "export") == 0)
		return repo_print_export(s);
	return repo_print_valid(s);
}

int
cmd_repo(int argc, char **argv)
{
	struct repo_args args = { .verb = NULL };
	struct repo_session session;
	int rc = parse_args(&args, argc, argv);

	repo_session_init(&session, &args);
	if (rc == EXIT_OK) {
		rc = run(&session);
		repo_print_flush(&session);
		if ((fflush(stdout) != 0 || ferror(stdout)) && rc == EXIT_OK)
			rc = repo_session_errno("standard output");
	}
	repo_session_clear(&session);
	filter_free(&args.filter);
	return rc;
}
