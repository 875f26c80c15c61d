#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOT	"not "

/* stdio hands over whole lines: the stream is line buffered. */
static ssize_t
write_line(void *cookie BF_UNUSED, const char *line, size_t len)
{
	size_t skip = 0;

	if (len > strlen(NOT) && memcmp(line, NOT, strlen(NOT)) == 0 &&
	    memmem(line, len, " # SKIP", strlen(" # SKIP")) != NULL)
		skip = strlen(NOT);
	while (skip < len) {
		ssize_t n = write(STDOUT_FILENO, line + skip, len - skip);

		if (n == -1)
			return 0;
		skip += (size_t)n;
	}
	return (ssize_t)len;
}

static void
close_tap(void)
{
	(void)fclose(stdout);
}

void
unit_use_tap(void)
{
	const cookie_io_functions_t functions = { .write = write_line };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	stdout = fopencookie(NULL, "w", functions);
	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	(void)atexit(close_tap);
}
