/*
 * command.h - the commands of backfillctl: one file and one row each.
 *
 * To add one: write src/ctl/cmd_<name>.c with its struct command, name it in
 * COMMANDS, describe it in man/backfillctl.8.  `repo` needs no daemon and reads
 * its own command line (cmd_repo.h); its row is in command.c.
 */
#ifndef BF_CTL_COMMAND_H
#define BF_CTL_COMMAND_H

#include "ctl/args.h"
#include "ctl/ctl.h"

struct command {
	const char *name;
	const char *operands;		/* for help: "ID" */
	const char *summary;		/* one line */
	const char *details;		/* more lines for `help NAME`, or NULL */
	const struct args_option *options;	/* or NULL */
	int operands_least, operands_most;
	int (*run)(struct ctl *ctl, const struct args *args);	/* an exit status */

	/* Instead of run: reads its own command line (the repository's tools). */
	int (*run_own)(int argc, char **argv);
};

/* In the order of the help text. */
#define COMMANDS(X)	\
	X(trigger)	\
	X(retry)	\
	X(list)		\
	X(show)		\
	X(watch)	\
	X(pause)	\
	X(resume)	\
	X(cancel)	\
	X(records)	\
	X(repos)	\
	X(index)	\
	X(search)	\
	X(citations)	\
	X(schedules)	\
	X(backup)	\
	X(upgrade)	\
	X(graph)	\
	X(status)	\
	X(doctor)	\
	X(repo)		\
	X(hash_password) \
	X(help)

#define X(name)	extern const struct command command_##name;
COMMANDS(X)
#undef X

extern const struct args_option command_common_options[];

const struct command *command_find(const char *name);		/* NULL: unknown */
const struct command *command_at(size_t index);			/* NULL: the end */

/* The nearest command's name to a mistyped one, or NULL. */
const char *command_suggest(const char *word);

/* Print the list of commands, or all about one. */
void command_print_list(void);
void command_print_help(const struct command *command);

#endif
