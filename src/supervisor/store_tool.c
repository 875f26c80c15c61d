#include "supervisor/store_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/exitcode.h"
#include "common/log.h"
#include "store/backup.h"
#include "supervisor/control.h"
#include "supervisor/upgrade.h"

#define CHECK_MS	10000	/* the rest is checked when it is read */
#define LOOK_EVERY	4096	/* rows */

/* --- check --- */

struct checking {
	int64_t deadline_ms;
	uint64_t rows;
};

static bool
see(const struct ops_damage *damage, void *arg)
{
	struct checking *checking = arg;

	if (damage != NULL) {
		log_error("%.*s", STR_FMT(damage->text));
		if (damage->is_record && !str_is_empty(damage->id))
			(void)printf("damaged %.*s\n", STR_FMT(damage->id));
	}
	if (++checking->rows % LOOK_EVERY != 0 || clock_mono_ms() < checking->deadline_ms)
		return true;
	log_warn("the store is large: %llu rows are checked, the others when they are read",
	    (unsigned long long)checking->rows);
	return false;
}

int
store_tool_check(const char *dir)
{
	struct checking checking = { .deadline_ms = clock_mono_ms() + CHECK_MS };
	char path[4096];
	struct ops_read *read;
	struct ops *ops;
	struct err err;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/operations", dir);
	if (ops_open(path, OPS_READ, &ops, &err) == -1) {
		/* There is none yet, or of an older or newer version: not ours to say. */
		if (err.code != ERR_CORRUPT)
			return EXIT_OK;
		log_error("%s", err.text);
		return EXIT_STORE;
	}
	rc = ops_read_begin(ops, &read, &err);
	if (rc == 0) {
		rc = ops_verify(read, see, &checking, &err);
		ops_read_end(&read);
	}
	ops_close(&ops);
	if (rc == -1)
		log_error("%s", err.text);
	return rc == 0 ? EXIT_OK : EXIT_STORE;
}

/* --- backup --- */

static int
copy(const char *dir, const char *to, const char *name, struct err *err)
{
	char from_path[4096], to_path[4096];
	uint64_t bytes = 0;

	(void)snprintf(from_path, sizeof(from_path), "%s/%s", dir, name);
	(void)snprintf(to_path, sizeof(to_path), "%s/%s", to, name);
	if (mkdir(to_path, 0700) == -1)
		return err_errno(err, "mkdir(%s)", to_path);
	if (store_backup(from_path, to_path, &bytes, err) == -1)
		return -1;
	log_info("backup: %s: %llu bytes", to_path, (unsigned long long)bytes);
	return 0;
}

int
store_tool_backup(const char *dir, const char *to)
{
	struct err err;

	if (mkdir(to, 0700) == -1)
		(void)err_errno(&err, "mkdir(%s)", to);
	else if (copy(dir, to, "operations", &err) == 0 &&
	    copy(dir, to, "records", &err) == 0)
		return EXIT_OK;
	log_error("backup: %s", err.text);
	return EXIT_FAILED;
}

/* --- the supervisor's side --- */

static pid_t
start(char *const argv[], int out_fd)
{
	pid_t pid = vfork();

	if (pid == 0) {
		if (out_fd != -1)
			(void)dup2(out_fd, STDOUT_FILENO);
		execv(upgrade_executable(), argv);
		_exit(127);
	}
	return pid;
}

static void
take_line(const char *line, struct buf *ids)
{
	char id[TID_SIZE] = "";

	if (strncmp(line, "damaged ", strlen("damaged ")) != 0)
		return;
	(void)str_copy(id, sizeof(id), str_from(line + strlen("damaged ")));
	if (tid_is_valid(str_from(id)))
		buf_add(ids, id, sizeof(id));
}

static int
judge(int status, const char *state_dir, struct err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK)
		return 0;
	return err_set(err, ERR_CORRUPT, "%s/operations is damaged%s: put a backup in its "
	    "place, or move it away to begin anew", state_dir, WIFSIGNALED(status) ?
	    " (reading it ends the process that does)" : "");
}

int
store_check(const struct supervisor *sup, struct buf *ids, struct err *err)
{
	char name[] = "backfilld", option[] = "--check-store", line[256];
	char *argv[] = { name, option, sup->settings.state_dir, NULL };
	int fds[2], status = 0;
	FILE *file;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_errno(err, "pipe");
	pid = start(argv, fds[1]);
	(void)close(fds[1]);
	file = fdopen(fds[0], "r");
	if (file == NULL)
		abort();	/* out of memory */
	while (pid > 0 && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		take_line(line, ids);
	}
	(void)fclose(file);
	if (pid == -1)
		return err_errno(err, "fork");
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return judge(status, sup->settings.state_dir, err);
}

int
store_backup_start(struct supervisor *sup, struct str to, struct err *err)
{
	char name[] = "backfilld", option[] = "--backup", path[4096];
	char *argv[] = { name, option, sup->settings.state_dir, path, NULL };
	struct stat st;

	if (sup->backup_pid != 0)
		return err_set(err, ERR_EXISTS, "a backup is under way");
	if (to.len >= sizeof(path) - 16)
		return err_set(err, ERR_INVALID, "the directory's path is longer than %zu "
		    "bytes: it has %zu", sizeof(path) - 17, to.len);
	if (to.len == 0 || to.ptr[0] != '/')
		return err_set(err, ERR_INVALID, "the directory has to be an absolute path");
	(void)str_copy(path, sizeof(path), to);
	if (lstat(path, &st) == 0)
		return err_set(err, ERR_INVALID, "%s is there already", path);
	sup->backup_pid = start(argv, -1);
	if (sup->backup_pid > 0)
		return 0;
	sup->backup_pid = 0;
	return err_errno(err, "fork");
}

void
store_backup_ended(struct supervisor *sup, int wait_status)
{
	bool is_done = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_OK;

	sup->backup_pid = 0;
	log_at(is_done ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "backup: %s",
	    is_done ? "done" : "failed");
	control_backed_up(sup->control, is_done);
}
