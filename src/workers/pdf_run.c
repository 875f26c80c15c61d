#include "workers/pdf_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/buf.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"
#include "pdftext/pdftext.h"

#define READ_BYTES	(64 * 1024)
#define WHY_SIZE	256

struct pdf_run {
	struct ev_loop *loop;
	pdf_run_cb *cb;
	void *arg;

	pid_t pid;		/* -1: it is reaped, or was never started */
	int status;		/* of wait(2), once it is reaped */
	int pipe_fd;		/* -1: it has said everything */
	struct buf text;
	/* The first reason of ours to end it; NULL: none. */
	const char *error_class;
	char error_text[WHY_SIZE];

	/* watchers */
	struct ev_io readable;
	struct ev_child child;
	struct ev_timer deadline;	/* and, without a child, the way to the callback */
};

static void
pdf_run_free(struct pdf_run *run)
{
	ev_io_stop(run->loop, &run->readable);
	ev_child_stop(run->loop, &run->child);
	ev_timer_stop(run->loop, &run->deadline);
	fd_close(&run->pipe_fd);
	buf_clear(&run->text);
	free(run);
}

/* --- what became of it --- */

static void
judge_exit(struct pdf_run *run)
{
	int code = WEXITSTATUS(run->status);
	const char *class = "not-readable", *text = "pdftotext cannot read it as a PDF";

	if (code == 0)
		return;
	if (code == 3) {
		class = "protected";
		text = "its owner forbids copying";
	} else if (code == PDFTEXT_NO_TOOL || code == PDFTEXT_NO_LIMITS || code == 127) {
		class = "no-tool";
		text = "pdf-text or pdftotext cannot be run";
	}
	run->error_class = class;
	(void)snprintf(run->error_text, sizeof(run->error_text), "%s (exit status %d)",
	    text, code);
}

static void
judge_signal(struct pdf_run *run)
{
	int sig = WTERMSIG(run->status);

	/* The hard limit of processor time is a SIGKILL; nobody else sends it one. */
	if (sig == SIGXCPU || sig == SIGKILL) {
		run->error_class = "timeout";
		(void)snprintf(run->error_text, sizeof(run->error_text),
		    "pdftotext took more than %d s of the processor", LIMIT_PDF_CPU_SECS);
		return;
	}
	run->error_class = "crashed";
	(void)snprintf(run->error_text, sizeof(run->error_text), "pdftotext: %s%s",
	    strsignal(sig), sig == SIGSYS ? " (it did what the sandbox forbids)" : "");
}

static void
finish_if_over(struct pdf_run *run)
{
	struct pdf_run_result result = { 0 };

	if (run->pid != -1 || run->pipe_fd != -1)
		return;
	if (run->error_class == NULL && WIFEXITED(run->status))
		judge_exit(run);
	else if (run->error_class == NULL)
		judge_signal(run);
	result.error_class = run->error_class;
	result.error_text = run->error_text;
	result.text = buf_str(&run->text);
	run->cb(&result, run->arg);
	pdf_run_free(run);
}

static void
end_it(struct pdf_run *run, const char *class, const char *text)
{
	if (run->error_class == NULL) {
		run->error_class = class;
		(void)snprintf(run->error_text, sizeof(run->error_text), "%s", text);
	}
	/* Not reaped yet, so the pid is still its own. */
	if (run->pid != -1)
		(void)kill(run->pid, SIGKILL);
	ev_io_stop(run->loop, &run->readable);
	fd_close(&run->pipe_fd);
}

/* --- watchers --- */

static void
on_readable(struct ev_loop *loop, struct ev_io *watcher, int revents BF_UNUSED)
{
	struct pdf_run *run = watcher->data;
	ssize_t n = read(run->pipe_fd, buf_reserve(&run->text, READ_BYTES), READ_BYTES);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		buf_added(&run->text, (size_t)n);
		if (buf_len(&run->text) > LIMIT_PDF_TEXT_BYTES) {
			end_it(run, "too-large", "its text is too long");
			finish_if_over(run);
		}
		return;
	}
	ev_io_stop(loop, watcher);
	fd_close(&run->pipe_fd);
	finish_if_over(run);
}

static void
on_child(struct ev_loop *loop, struct ev_child *watcher, int revents BF_UNUSED)
{
	struct pdf_run *run = watcher->data;

	ev_child_stop(loop, watcher);
	run->pid = -1;
	run->status = watcher->rstatus;
	finish_if_over(run);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct pdf_run *run = watcher->data;

	end_it(run, "timeout", "pdftotext took too long");
	finish_if_over(run);
}

/* --- start --- */

/* In the child, which shares our memory until it execs: system calls only. */
static void
become(const struct pdf_run_options *options, pid_t parent, int out, int null,
    char *const argv[])
{
	char *const env[] = { NULL };
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		return;
	if (dup2(options->is_check ? null : options->pdf_fd, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1 || close_range(3, ~0u, 0) == -1)
		return;
	(void)signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	execve(options->helper, argv, env);
}

static pid_t
fork_helper(const struct pdf_run_options *options, int out)
{
	char *argv[] = { (char *)(uintptr_t)PDFTEXT_PROGRAM,
	    (char *)(uintptr_t)(options->is_check ? "--check" : options->tool),
	    (char *)(uintptr_t)(options->is_check ? options->tool : NULL), NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t all, before;
	pid_t parent = getpid(), pid;

	/* No handler of ours may run in the child while it shares our memory. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = vfork();
	if (pid == 0) {
		become(options, parent, out, null, argv);
		_exit(127);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	fd_close(&null);
	return pid;
}

struct pdf_run *
pdf_run_start(struct ev_loop *loop, const struct pdf_run_options *options, pdf_run_cb *cb,
    void *arg)
{
	struct pdf_run *run = xcalloc(1, sizeof(*run));
	int64_t wall_ms = options->wall_ms > 0 ? options->wall_ms : LIMIT_PDF_WALL_MS;
	int fds[2] = { -1, -1 };

	*run = (struct pdf_run){ .loop = loop, .cb = cb, .arg = arg, .pid = -1,
	    .pipe_fd = -1 };
	ev_io_init(&run->readable, on_readable, -1, EV_READ);
	ev_child_init(&run->child, on_child, 0, 0);
	ev_timer_init(&run->deadline, on_deadline, (double)wall_ms / 1e3, 0.);
	run->readable.data = run->child.data = run->deadline.data = run;

	if ((options->is_check || lseek(options->pdf_fd, 0, SEEK_SET) == 0) &&
	    pipe2(fds, O_CLOEXEC) == 0 && fd_set_nonblock(fds[0], true) == 0)
		run->pid = fork_helper(options, fds[1]);
	if (run->pid == -1) {
		run->error_class = "no-tool";
		(void)snprintf(run->error_text, sizeof(run->error_text), "pdf-text: %s",
		    strerror(errno));
		fd_close(&fds[0]);
		ev_timer_set(&run->deadline, 0., 0.);
	} else {
		run->pipe_fd = fds[0];
		ev_io_set(&run->readable, fds[0], EV_READ);
		ev_io_start(loop, &run->readable);
		ev_child_set(&run->child, run->pid, 0);
		ev_child_start(loop, &run->child);
	}
	fd_close(&fds[1]);
	ev_timer_start(loop, &run->deadline);
	return run;
}

void
pdf_run_cancel(struct pdf_run **run)
{
	if (*run == NULL)
		return;
	/* The loop reaps it, and nobody waits for what becomes of it. */
	if ((*run)->pid != -1)
		(void)kill((*run)->pid, SIGKILL);
	pdf_run_free(*run);
	*run = NULL;
}
