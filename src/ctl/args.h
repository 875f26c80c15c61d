/*
 * args.h - a command line read against tables of options.
 *
 * Options may stand anywhere behind their command, as "--name value",
 * "--name=value" or, where there is a letter, "-n value"; "--" ends them.
 */
#ifndef BF_CTL_ARGS_H
#define BF_CTL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"

struct args_option {
	const char *name;	/* without dashes; NULL ends a table */
	char letter;		/* or 0 */
	const char *value;	/* what help calls its value; NULL: it is a flag */
	const char *help;
};

#define ARGS_OPTIONS_MAX	24	/* of both tables */
#define ARGS_OPERANDS_MAX	4

struct args {
	/* borrowed */
	const struct args_option *tables[2];	/* for all commands; of this command */
	const char *values[ARGS_OPTIONS_MAX];	/* in the order of the tables */
	const char *operands[ARGS_OPERANDS_MAX];
	int operands_count;
	char **next;		/* not read yet */
	bool options_ended;	/* "--" was seen */
};

/* argv ends with NULL and begins behind the program's name. */
void args_init(struct args *args, char **argv, const struct args_option *common);

/* Read options up to the first operand, the command, which is taken; NULL at the
 * end.  ERR_INVALID says what is wrong and proposes what may have been meant. */
int args_take_command(struct args *args, const char **word_out, struct err *err)
    BF_MUSTCHECK;

/* Read the rest, with the options of the command (a table, or NULL) too. */
int args_take_rest(struct args *args, const struct args_option *own, struct err *err)
    BF_MUSTCHECK;

/* The value of an option of the tables, "" for a flag; NULL if it was not given. */
const char *args_value(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);

/* The value as a number of a range; preset if it was not given. */
int args_number(const struct args *args, const char *name, uint64_t preset,
    uint64_t least, uint64_t most, uint64_t *number_out, struct err *err) BF_MUSTCHECK;

#endif
