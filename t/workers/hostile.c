/*
 * hostile - a worker that was taken over: it tries what it must not be able to.
 *
 * Confined as did-sync is.  What it tries is the first label of its DID, as in
 * "did:web:fork.test".  What is refused with an error goes into a `log` ("open:
 * Permission denied"), then it is done; what ends the process is for the test to see.
 *
 *	read-outside	files of others, and the daemon's own configuration
 *	write-outside	a file in /tmp
 *	fork exec ptrace kill unshare listen	calls that only an attacker makes
 *	thread-exec	the same, in another thread
 *	packets		a socket that is neither TCP nor UDP
 *	privileges	become root by setuid(2)
 *	dump		die so that there would be a core file
 *	memory		as much as there is, through xmalloc()
 *	cpu		a busy loop
 *	file		a file without end
 *	idle		nothing, for ever
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "workers/worker.h"

#define MIB	(1024 * 1024)

static void
tell(struct worker *worker, const char *what, long result)
{
	worker_log(worker, LOG_LEVEL_INFO, "%s: %s", what,
	    result == -1 ? strerror(errno) : "done");
}

static void
read_outside(struct worker *worker)
{
	tell(worker, "passwd", open("/etc/passwd", O_RDONLY));
	tell(worker, "root", open("/", O_RDONLY | O_DIRECTORY));
	tell(worker, "supervisor", open("/proc/1/environ", O_RDONLY));
	tell(worker, "hosts", open("/etc/hosts", O_RDONLY));
}

static void
write_outside(struct worker *worker)
{
	tell(worker, "write", open("/tmp/backfilld-hostile-was-here",
	    O_WRONLY | O_CREAT, 0600));
	tell(worker, "unlink", unlink("/tmp/backfilld-hostile-was-there"));
}

static void
packets(struct worker *worker)
{
	tell(worker, "packet socket", socket(AF_PACKET, SOCK_RAW, 0));
	tell(worker, "stream socket", socket(AF_INET, SOCK_STREAM, 0));
}

static void
fork_bomb(struct worker *worker)
{
	for (int i = 0; i < 100; i++)
		if (fork() == 0)
			(void)pause();
	tell(worker, "fork", 0);
}

static void
execute(struct worker *worker)
{
	/* A program with the set-user-id bit. */
	tell(worker, "exec", execl("/usr/bin/su", "su", "-c", "true", (char *)NULL));
}

static void
trace(struct worker *worker)
{
	tell(worker, "ptrace", ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static void
end_supervisor(struct worker *worker)
{
	tell(worker, "kill", kill(getppid(), SIGTERM));
}

static void
leave_namespaces(struct worker *worker)
{
	tell(worker, "unshare", unshare(CLONE_NEWUSER));
}

static void
serve(struct worker *worker)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	tell(worker, "listen", listen(fd, 1));
}

static void
become_root(struct worker *worker)
{
	tell(worker, "setuid", setuid(0));
}

static void *
execute_in_thread(void *worker)
{
	execute(worker);
	return NULL;
}

static void
thread_exec(struct worker *worker)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, execute_in_thread, worker) == 0)
		(void)pthread_join(thread, NULL);
}

static void
dump(struct worker *worker BF_UNUSED)
{
	(void)signal(SIGABRT, SIG_DFL);
	(void)raise(SIGABRT);
}

static void
take_memory(struct worker *worker)
{
	for (int i = 0; i < 1024 * 1024; i++)
		*(volatile char *)xmalloc(MIB) = 1;
	tell(worker, "memory", 0);
}

static void
burn(struct worker *worker BF_UNUSED)
{
	for (volatile unsigned long turns = 0;; turns++)
		;
}

static void
fill_file(struct worker *worker)
{
	const struct worker_assignment *given = worker_assignment(worker);

	tell(worker, "file", given->spill_count == 0 ? 0 :
	    pwrite(given->spill_fds[0], "x", 1, (off_t)LIMIT_WORKER_FILE_BYTES));
}

static void
wait_for_ever(struct worker *worker)
{
	worker_progress(worker, &(struct msg_progress){ .stage = STR("idle"),
	    .processed = 1 });
}

static const struct {
	const char *word;
	void (*try)(struct worker *worker);
} tricks[] = {
	{ "read-outside", read_outside }, { "write-outside", write_outside },
	{ "fork", fork_bomb }, { "exec", execute }, { "ptrace", trace },
	{ "kill", end_supervisor }, { "unshare", leave_namespaces },
	{ "listen", serve }, { "thread-exec", thread_exec }, { "packets", packets },
	{ "privileges", become_root }, { "dump", dump }, { "memory", take_memory },
	{ "cpu", burn }, { "file", fill_file }, { "idle", wait_for_ever },
};

static void *
start(struct worker *worker)
{
	struct str did = worker_assignment(worker)->did;
	struct str prefix = STR("did:web:"), word = { did.ptr + prefix.len, 0 };

	while (prefix.len + word.len < did.len && word.ptr[word.len] != '.')
		word.len++;
	for (size_t i = 0; i < BF_ARRAY_LEN(tricks); i++) {
		if (!str_eq(word, str_from(tricks[i].word)))
			continue;
		tricks[i].try(worker);
		if (tricks[i].try == wait_for_ever)
			return NULL;
	}
	worker_done(worker, &(struct msg_done){ .processed = 1, .total = 1 });
	return NULL;
}

static void
end(void *arg BF_UNUSED)
{
}

int
main(void)
{
	static const struct worker_type type = {
		.name = "did-sync", .start = start, .end = end,
	};

	return worker_main(&type);
}
