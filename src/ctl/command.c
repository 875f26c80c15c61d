#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "ctl/cmd_repo.h"
#include "ctl/suggest.h"

const struct args_option command_common_options[] = {
	{ "json", 0, NULL, "print JSON; one document per line where there are many" },
	{ "socket", 's', "SOCKET", "the daemon's control socket; also BACKFILLD_SOCKET" },
	{ "help", 'h', NULL, "tell about the command" },
	{ "version", 'V', NULL, "print the version" },
	{ 0 },
};

const struct command command_repo = {
	.name = "repo",
	.operands = "VERB FILE.car",
	.summary = "verify, list or export a repository's CAR file; needs no daemon",
	.details =
	    "  verify FILE.car [--did DID] [--key did:key:... | --did-doc FILE]\n"
	    "  ls FILE.car [--collection PATTERN]...\n"
	    "  export FILE.car [--collection PATTERN]...\n"
	    "\nFILE.car can be - for standard input.\n",
	.run_own = cmd_repo,
};

static const struct command *const commands[] = {
#define X(name)	&command_##name,
	COMMANDS(X)
#undef X
};

const struct command *
command_at(size_t index)
{
	return index < BF_ARRAY_LEN(commands) ? commands[index] : NULL;
}

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

const char *
command_suggest(const char *word)
{
	struct suggest suggest = suggest_for(word);

	for (size_t i = 0; i < BF_ARRAY_LEN(commands); i++)
		suggest_offer(&suggest, commands[i]->name);
	return suggest.best;
}

static void
print_options(const struct args_option *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		char left[40], letter[8] = "";

		if (rows->letter != 0)
			(void)snprintf(letter, sizeof(letter), "-%c, ", rows->letter);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, rows->name,
		    rows->value != NULL ? " " : "",
		    rows->value != NULL ? rows->value : "");
		(void)printf("  %-22s  %s\n", left, rows->help);
	}
}

void
command_print_list(void)
{
	(void)printf("usage: backfillctl [-s SOCKET] [--json] COMMAND [...]\n\n");
	for (size_t i = 0; i < BF_ARRAY_LEN(commands); i++) {
		char left[40];

		(void)snprintf(left, sizeof(left), "%s %s", commands[i]->name,
		    commands[i]->operands);
		(void)printf("  %-22s  %s\n", left, commands[i]->summary);
	}
	(void)printf("\n'backfillctl help COMMAND' tells more; backfillctl(8) tells "
	    "all.\n");
}

void
command_print_help(const struct command *command)
{
	(void)printf("usage: backfillctl %s%s%s%s\n\n%s.\n", command->name,
	    command->options != NULL ? " [options]" : "",
	    *command->operands != '\0' ? " " : "", command->operands,
	    command->summary);
	if (command->details != NULL)
		(void)printf("\n%s", command->details);
	if (command->options != NULL) {
		(void)printf("\n");
		print_options(command->options);
	}
	if (command->run_own == NULL) {
		(void)printf("\nOf every command:\n");
		print_options(command_common_options);
	}
}
