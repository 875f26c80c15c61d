/*
 * store_unit.h - processes and files for tests that do a store harm.
 *
 * LMDB must not be carried over a fork, so a process that opens a store is
 * forked while its parent has none open.
 */
#ifndef BF_T_STORE_UNIT_H
#define BF_T_STORE_UNIT_H

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/unit/tempdir.h"

/* Run a function in a child whose standard error is silent, and which a signal
 * ends, since cmocka would take it for its own test; its wait status. */
static inline int
in_child(int (*run)(const char *dir), const char *dir)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, STDERR_FILENO);
		for (size_t i = 0; i < BF_ARRAY_LEN(fatal); i++)
			(void)signal(fatal[i], SIG_DFL);
		_exit(run(dir));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline char *
data_path(const char *dir)
{
	char *path;

	assert_true(asprintf(&path, "%s/data.mdb", dir) > 0);
	return path;
}

static inline uint8_t *
read_file(const char *path, size_t *size_out)
{
	FILE *file = fopen(path, "r");
	uint8_t *data;
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	data = malloc((size_t)st.st_size);
	assert_int_equal(fread(data, 1, (size_t)st.st_size, file), st.st_size);
	(void)fclose(file);
	*size_out = (size_t)st.st_size;
	return data;
}

#endif
