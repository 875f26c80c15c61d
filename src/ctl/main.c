/*
 * backfillctl: what an operator needs, over the daemon's control socket.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ctl/command.h"
#include "ctl/ctl.h"

static const char *
choose_socket(const struct args *args)
{
	const char *path = args_value(args, "socket");

	if (path == NULL)
		path = getenv("BACKFILLD_SOCKET");
	return path != NULL && path[0] != '\0' ? path : CTL_DEFAULT_SOCKET;
}

static int
check_operands(const struct ctl *ctl, const struct command *command,
    const struct args *args)
{
	if (args->operands_count < command->operands_least)
		return ctl_usage(ctl, "what is missing: %s", command->operands);
	if (args->operands_count > command->operands_most)
		return ctl_usage(ctl, "too many arguments: %s",
		    args->operands[command->operands_most]);
	return EXIT_OK;
}

static int
unknown_command(const struct ctl *ctl, const char *word)
{
	const char *meant = command_suggest(word);

	if (meant != NULL)
		return ctl_usage(ctl, "unknown command %s; did you mean %s?", word, meant);
	return ctl_usage(ctl, "unknown command %s", word);
}

static int
run_command(struct ctl *ctl, struct args *args, const struct command *command)
{
	struct err err;
	int rc;

	ctl->command = command->name;
	if (command->run_own != NULL) {
		char **argv = args->next - 1;
		int argc = 0;

		while (argv[argc] != NULL)
			argc++;
		return command->run_own(argc, argv);
	}
	if (args_take_rest(args, command->options, &err) == -1)
		return ctl_usage(ctl, "%s", err.text);
	if (args_has(args, "help")) {
		command_print_help(command);
		return EXIT_OK;
	}
	rc = check_operands(ctl, command, args);
	if (rc != EXIT_OK)
		return rc;
	ctl->socket_path = choose_socket(args);
	ctl->is_json = args_has(args, "json");
	return command->run(ctl, args);
}

static int
run(struct ctl *ctl, char **argv)
{
	const struct command *command;
	const char *word;
	struct args args;
	struct err err;

	args_init(&args, argv, command_common_options);
	if (args_take_command(&args, &word, &err) == -1)
		return ctl_usage(ctl, "%s", err.text);
	if (args_has(&args, "version")) {
		(void)printf("backfillctl %s\n", PACKAGE_VERSION);
		return EXIT_OK;
	}
	if (word == NULL && args_has(&args, "help")) {
		command_print_list();
		return EXIT_OK;
	}
	if (word == NULL)
		return ctl_usage(ctl, "no command");
	command = command_find(word);
	if (command == NULL)
		return unknown_command(ctl, word);
	return run_command(ctl, &args, command);
}

int
main(int argc BF_UNUSED, char **argv)
{
	struct ctl ctl = { .socket_path = CTL_DEFAULT_SOCKET };
	int rc;

	log_init("backfillctl", LOG_LEVEL_INFO);
	/* `backfillctl records | head` ends quietly, whatever was inherited. */
	(void)signal(SIGPIPE, SIG_DFL);
	term_init(&ctl.term);
	rc = run(&ctl, argv + 1);
	if (ctl.is_connected)
		client_clear(&ctl.client);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		(void)fprintf(stderr, "backfillctl: standard output: %m\n");
		return EXIT_SYSTEM;
	}
	return rc;
}
