/*
 * pdf_probe.c - in the place of pdftotext: does what its input says, and tells how
 * far it got.  Run by pdf-text, so in the sandbox, where most of it shall fail.
 *
 * The input is a PDF's magic and, on the line behind it, a word of the table below.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int
outcome(long result)
{
	printf("%s\n", result == -1 ? strerror(errno) : "succeeded");
	return 0;
}

static int
open_socket(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int
read_file(void)
{
	return outcome(open("/etc/passwd", O_RDONLY));
}

static int
write_file(void)
{
	return outcome(open("/tmp/pdf-probe-was-here", O_WRONLY | O_CREAT, 0600));
}

static int
make_process(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int
run_shell(void)
{
	return outcome(execl("/bin/sh", "sh", "-c", "echo ran", (char *)NULL));
}

/* The PDF is our standard input and also what the worker reads: it must stay. */
static int
change_input(void)
{
	return outcome(write(STDIN_FILENO, "changed", 7));
}

static int
eat_memory(void)
{
	size_t step = 64 << 20, all = 0;
	void *got;

	while ((got = mmap(NULL, step, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
		all += step;
	printf("%s after %zu MiB\n", strerror(errno), all >> 20);
	return 0;
}

static int
spin(void)
{
	volatile int turns = 1;

	while (turns > 0)
		turns = 1;
	return 0;
}

/* Without using the processor, so that its limit does not help. */
static int
hang(void)
{
	int never = 0;

	while (never == 0)
		(void)syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
	return 0;
}

static int
flood(void)
{
	for (;;)
		if (puts("a line of text that says nothing and never ends") == EOF)
			return 1;
}

static int
crash(void)
{
	abort();
}

static int
fail(void)
{
	return 1;
}

static int
refuse(void)
{
	return 3;
}

static int
open_many(void)
{
	int n = 0;

	while (dup(STDIN_FILENO) != -1)
		n++;
	printf("%s after %d\n", strerror(errno), n);
	return 0;
}

static int
tell_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CPU, &limit) == -1)
		return 1;
	printf("%llu\n", (unsigned long long)limit.rlim_max);
	return 0;
}

static const struct {
	const char *word;
	int (*act)(void);
} acts[] = {
	{ "socket", open_socket },
	{ "read", read_file },
	{ "write", write_file },
	{ "fork", make_process },
	{ "shell", run_shell },
	{ "change", change_input },
	{ "memory", eat_memory },
	{ "files", open_many },
	{ "limits", tell_limits },
	{ "spin", spin },
	{ "hang", hang },
	{ "flood", flood },
	{ "crash", crash },
	{ "fail", fail },
	{ "protected", refuse },
};

int
main(int argc, char *argv[])
{
	char magic[32], word[32];

	if (argc == 2 && strcmp(argv[1], "-v") == 0) {
		fprintf(stderr, "pdf-probe version 1\n");
		return 0;
	}
	if (scanf("%31s %31s", magic, word) != 2)
		return 1;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(word, acts[i].word) == 0)
			return acts[i].act();
	}
	printf("no such act: %s\n", word);
	return 1;
}
