#include "supervisor/upgrade.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "common/settings.h"
#include "supervisor/child.h"
#include "supervisor/conffile.h"
#include "supervisor/control.h"
#include "supervisor/notify.h"
#include "supervisor/progress.h"
#include "supervisor/schedule.h"

#define PROBE_MS	20000
#define PROBE_LOOK_NS	5000000

/* Known from the start of the process, like its arguments. */
static char executable[4096];
static char **arguments;

void
upgrade_remember(char **argv)
{
	ssize_t n = readlink("/proc/self/exe", executable, sizeof(executable) - 1);

	executable[n > 0 ? n : 0] = '\0';
	arguments = argv;
}

const char *
upgrade_executable(void)
{
	return executable;
}

void
upgrade_request(struct supervisor *sup)
{
	sup->wants_upgrade = true;
	ev_break(sup->loop, EVBREAK_ALL);
}

/* --- may we? --- */

/* The places are what we hold locks and sockets in. */
static int
check_settings(const struct supervisor *sup, struct err *err)
{
	struct schedules schedules = { 0 };
	struct settings fresh;
	int rc;

	settings_init(&fresh);
	rc = conffile_read(sup->config_path, &fresh, &schedules, err);
	if (rc == 0 && (strcmp(fresh.state_dir, sup->settings.state_dir) != 0 ||
	    strcmp(fresh.runtime_dir, sup->settings.runtime_dir) != 0))
		rc = err_set(err, ERR_INVALID, "state_dir or runtime_dir has changed, which "
		    "needs a restart");
	settings_clear(&fresh);
	schedules_clear(&schedules);
	return rc;
}

static int
wait_probe(pid_t pid, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PROBE_LOOK_NS };
	int64_t deadline = clock_mono_ms() + PROBE_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > deadline) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return err_set(err, ERR_TIMEOUT, "%s does not end", executable);
		}
		(void)nanosleep(&pause, NULL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 :
	    err_set(err, ERR_INVALID, "%s does not run, or does not accept %s", executable,
	    "the configuration; see the log");
}

/* Does the new executable run at all, and take the configuration? */
static int
probe(const struct supervisor *sup, struct err *err)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl(executable, executable, "-c", sup->config_path, "--check-config",
		    (char *)NULL);
		_exit(127);
	}
	if (pid == -1)
		return err_errno(err, "fork");
	return wait_probe(pid, err);
}

/* Nothing must be in memory only. */
static int
write_down(struct supervisor *sup, struct err *err)
{
	const struct child *child;

	if (sup->backup_pid != 0)
		return err_set(err, ERR_UNAVAILABLE, "a backup is under way");
	if (progress_write_now(sup, err) == -1)
		return -1;
	LIST_FOREACH(child, &sup->children->list, entry)
		if (child->state == CHILD_ENDED)
			return err_set(err, ERR_UNAVAILABLE, "op %s: its outcome waits to be "
			    "stored", child->id);
	return 0;
}

/* --- doing it --- */

static void
set_cloexec(const struct buf *fds, bool on)
{
	const int *list = (const int *)(const void *)buf_data(fds);

	for (size_t i = 0; i < buf_len(fds) / sizeof(int); i++)
		if (fd_set_cloexec(list[i], on) == -1)
			log_warn("upgrade: fcntl(%d): %s", list[i], strerror(errno));
}

static int
make_file(const struct buf *bytes, int *fd_out, struct err *err)
{
	int fd = memfd_create("backfilld handover", 0);
	size_t done = 0;

	if (fd == -1)
		return err_errno(err, "memfd_create");
	while (done < buf_len(bytes)) {
		ssize_t n = pwrite(fd, buf_data(bytes) + done, buf_len(bytes) - done,
		    (off_t)done);

		if (n <= 0) {
			(void)err_errno(err, "write(handover)");
			(void)close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	*fd_out = fd;
	return 0;
}

/* Returns only on failure.  No signal may come between our handlers and those of the
 * next: held back, it waits for them. */
static void
replace(int file, const struct buf *fds, struct err *err)
{
	sigset_t all, before;
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", file);
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	set_cloexec(fds, false);
	if (setenv("BF_HANDOVER", number, 1) == 0)
		execv(executable, arguments);
	(void)err_errno(err, "exec(%s)", executable);
	(void)unsetenv("BF_HANDOVER");
	set_cloexec(fds, true);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void
try(struct supervisor *sup, struct err *err)
{
	struct buf bytes = BUF_INIT, fds = BUF_INIT;
	int file = -1;

	if (check_settings(sup, err) == -1 || probe(sup, err) == -1 ||
	    write_down(sup, err) == -1)
		return;
	upgrade_write(sup, &bytes, &fds);
	if (make_file(&bytes, &file, err) == 0) {
		notify_reloading();
		replace(file, &fds, err);
		notify_ready();
	}
	fd_close(&file);
	buf_clear(&bytes);
	buf_clear(&fds);
}

void
upgrade_run(struct supervisor *sup)
{
	struct err err;

	sup->wants_upgrade = false;
	log_info("upgrade: %s takes over, %zu operations are running", executable,
	    sup->children->count);
	/* What was closed, but not told yet, is no peer any more. */
	(void)ev_run(sup->loop, EVRUN_NOWAIT);
	if (sup->phase == PHASE_RUNNING)
		try(sup, &err);
	else
		(void)err_set(&err, ERR_UNAVAILABLE, "the daemon is stopping");
	log_error("upgrade: not done: %s", err.text);
	control_upgraded(sup->control, err.text);
}
