/*
 * cmd_hash_password.c - `backfillctl hash-password`: the admin's password as what
 * admin_password may have instead.
 *
 * The password is read from standard input, never from the command line, where
 * everybody on the machine could read it.  No daemon is asked.
 */
#include "ctl/command.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/mem.h"

#define METHOD		"$y$"		/* yescrypt, as Debian's login has it */
#define COST_DEFAULT	5
#define COST_MOST	11

static const struct args_option options[] = {
	{ "cost", 0, "N", "how much work it makes, 1 to 11; each doubles it" },
	{ 0 },
};

/* One line without its end; -1 if there is none or it is too long. */
static int
read_line(char *line, size_t size)
{
	size_t len;

	if (fgets(line, (int)size, stdin) == NULL)
		return -1;
	len = strcspn(line, "\n");
	if (line[len] == '\0' && len + 1 == size)
		return -1;
	line[len] = '\0';
	return 0;
}

/* From a terminal, where it is not shown. */
static int
ask(const char *prompt, char *line, size_t size)
{
	struct termios shown, hidden;
	bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
	int rc;

	if (is_terminal) {
		(void)fprintf(stderr, "%s: ", prompt);
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	rc = read_line(line, size);
	if (is_terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		(void)fputc('\n', stderr);
	}
	return rc;
}

/* Typed twice at a terminal, since it cannot be seen. */
static int
get_password(struct ctl *ctl, char *password, size_t size)
{
	char again[CRYPT_MAX_PASSPHRASE_SIZE] = "";
	int rc = EXIT_OK;

	if (ask("Password", password, size) == -1 || password[0] == '\0')
		return ctl_usage(ctl, "the password is the first line of standard input, at "
		    "most %zu bytes", size - 2);
	if (isatty(STDIN_FILENO) && (ask("Again", again, sizeof(again)) == -1 ||
	    strcmp(password, again) != 0))
		rc = ctl_usage(ctl, "that was not the same");
	explicit_bzero(again, sizeof(again));
	return rc;
}

static int
print_hash(const char *password, unsigned long cost)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash = NULL;

	if (crypt_gensalt_rn(METHOD, cost, NULL, 0, salt, sizeof(salt)) != NULL)
		hash = crypt_rn(password, salt, data, (int)sizeof(*data));
	if (hash != NULL)
		(void)printf("%s\n", hash);
	else
		(void)fprintf(stderr, "backfillctl: crypt(3) does not know %s: %m\n",
		    METHOD);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return hash != NULL ? EXIT_OK : EXIT_SYSTEM;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	char password[CRYPT_MAX_PASSPHRASE_SIZE];
	uint64_t cost;
	struct err err;
	int rc;

	if (args_number(args, "cost", COST_DEFAULT, 1, COST_MOST, &cost, &err) == -1)
		return ctl_usage(ctl, "%s", err.text);
	rc = get_password(ctl, password, sizeof(password));
	if (rc == EXIT_OK)
		rc = print_hash(password, cost);
	explicit_bzero(password, sizeof(password));
	return rc;
}

const struct command command_hash_password = {
	.name = "hash-password",
	.operands = "",
	.summary = "print a hash for admin_password; needs no daemon",
	.details = "The password is the first line of standard input.\n",
	.options = options,
	.run = run,
};
