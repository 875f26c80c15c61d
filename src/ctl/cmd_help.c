#include "ctl/command.h"

#include <stdio.h>

static int
run(struct ctl *ctl, const struct args *args)
{
	const struct command *command;
	const char *word = args->operands_count > 0 ? args->operands[0] : NULL;

	if (word == NULL) {
		command_print_list();
		return EXIT_OK;
	}
	command = command_find(word);
	if (command == NULL) {
		const char *meant = command_suggest(word);

		ctl->command = NULL;
		return meant != NULL ?
		    ctl_usage(ctl, "unknown command %s; did you mean %s?", word, meant) :
		    ctl_usage(ctl, "unknown command %s", word);
	}
	command_print_help(command);
	return EXIT_OK;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "tell about the commands, or all about one",
	.operands_most = 1,
	.run = run,
};
