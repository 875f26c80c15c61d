#include "supervisor/outcome.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/exitcode.h"
#include "common/human.h"
#include "proto/fdlayout.h"

void
outcome_describe_exit(int wait_status, char *text_out, size_t size)
{
	if (WIFSIGNALED(wait_status))
		(void)snprintf(text_out, size, "was killed by signal %d (%s)",
		    WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		(void)snprintf(text_out, size, "exited with status %d",
		    WEXITSTATUS(wait_status));
}

static bool
ended_by_sigterm(int wait_status)
{
	return (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGTERM) ||
	    (WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) == EXIT_STOPPED);
}

static struct outcome
failed(const char *class, const char *text)
{
	struct outcome outcome = { .event = OP_EVENT_FAIL };

	(void)snprintf(outcome.class, sizeof(outcome.class), "%s", class);
	(void)snprintf(outcome.text, sizeof(outcome.text), "%s", text);
	return outcome;
}

/* Ends that a limit of ours has brought about: what to look at. */
static const struct {
	int wait_status;
	const char *class, *text;
} limits[] = {
	{ EXIT_NO_MEMORY << 8, "out-of-memory", "the worker needed more memory than "
	    "worker_memory_bytes gives it" },
	{ SIGXCPU, "cpu-limit", "the worker used more processor time than "
	    "worker_cpu_secs gives it" },
	{ SIGXFSZ, "file-limit", "the worker wrote a file that is larger than any of a "
	    "worker may be (64 GiB)" },
	{ SIGSYS, "forbidden-call", "the worker made a system call that is forbidden to "
	    "it; the daemon's log tells which" },
};

static struct outcome
of_a_timeout(const struct worker_end *end)
{
	char time[HUMAN_SIZE], text[192];

	human_duration((int64_t)end->time_limit_ms, time);
	(void)snprintf(text, sizeof(text), "it was not done after %s (setting "
	    "max_time_per_type)%s", time, end->was_killed ?
	    "; the worker did not stop in time and was killed" : "");
	return failed("timeout", text);
}

/* Whatever ended it, what it had done is written down. */
static struct outcome
goes_on(const char *how)
{
	struct outcome outcome = { .event = OP_EVENT_INTERRUPT, .is_crash = true };

	(void)snprintf(outcome.text, sizeof(outcome.text),
	    "the worker %s; it goes on from its checkpoint", how);
	return outcome;
}

static struct outcome
of_a_hang(const struct worker_end *end)
{
	if (end->has_checkpoint && !end->is_last_try)
		return goes_on("did not answer any more");
	return failed("worker-hung", "the worker did not answer any more (setting "
	    "worker_timeout_ms)");
}

static struct outcome
of_an_unread_assignment(const struct worker_end *end)
{
	struct outcome outcome = { .event = OP_EVENT_INTERRUPT, .is_crash = true };

	if (end->is_last_try || strcmp(end->fail_class, CLASS_DAMAGED) == 0)
		return failed(end->fail_class, end->fail_text);
	(void)snprintf(outcome.text, sizeof(outcome.text), "%s", end->fail_text);
	return outcome;
}

static struct outcome
of_a_crash(const struct worker_end *end)
{
	char how[128], text[256];

	outcome_describe_exit(end->wait_status, how, sizeof(how));
	if (WIFEXITED(end->wait_status) && WEXITSTATUS(end->wait_status) == 0)
		return failed("protocol", "the worker ended without a result");
	if (end->ran_out)
		return failed("out-of-memory", "the worker, with what it started, used more "
		    "memory than worker_memory_bytes gives it");
	for (size_t i = 0; i < BF_ARRAY_LEN(limits); i++)
		if (limits[i].wait_status == end->wait_status)
			return failed(limits[i].class, limits[i].text);
	if (WIFSIGNALED(end->wait_status) && end->has_checkpoint && !end->is_last_try)
		return goes_on(how);
	(void)snprintf(text, sizeof(text), "the worker %s%s", how,
	    WIFSIGNALED(end->wait_status) && WTERMSIG(end->wait_status) == SIGKILL ?
	    "; if nobody sent it, the kernel ran out of memory: see dmesg" : "");
	return failed("worker-died", text);
}

static struct outcome
of_a_cancel(const struct worker_end *end)
{
	struct outcome outcome = { .event = OP_EVENT_CANCEL };

	(void)snprintf(outcome.text, sizeof(outcome.text), "%s", end->was_killed ?
	    "the worker did not stop in time and was killed" :
	    "the worker stopped when told to");
	return outcome;
}

/* Who breaks the protocol is believed nothing.  Then what the worker said: a result
 * that was complete before the stop reached it is a result.  What we asked for comes
 * before how the process died, since "killed by signal 15" is then only our own
 * doing. */
struct outcome
outcome_of(const struct worker_end *end)
{
	struct outcome outcome = { .event = OP_EVENT_INTERRUPT };

	if (end->stop_reason == STOP_PROTOCOL)
		return failed("protocol", end->fail_text);
	if (end->said_done)
		return (struct outcome){ .event = OP_EVENT_COMPLETE };
	switch (end->stop_reason) {
	case STOP_CANCEL:
		return of_a_cancel(end);
	case STOP_SHUTDOWN:
		(void)snprintf(outcome.text, sizeof(outcome.text),
		    "the daemon stopped; it goes on at the next start");
		return outcome;
	case STOP_HELLO_TIMEOUT:
		return failed("protocol", "the worker did not say hello in time");
	case STOP_TIMEOUT:
		return of_a_timeout(end);
	case STOP_ASSIGN:
		return of_an_unread_assignment(end);
	case STOP_HUNG:
		if (end->said_fail || end->said_paused)
			break;
		return of_a_hang(end);
	case STOP_SILENT:
		if (end->said_fail || end->said_paused)
			break;
		return failed("protocol", "the worker closed its channel and did not end");
	case STOP_PROTOCOL:
	case STOP_STORE:
	case STOP_NONE:
		break;
	}
	if (end->said_paused) {
		(void)snprintf(outcome.text, sizeof(outcome.text),
		    "paused; it goes on from its checkpoint");
		return outcome;
	}
	if (end->said_fail && strcmp(end->fail_class, CLASS_INDEXER_GONE) == 0) {
		if (end->is_last_try)
			return failed(CLASS_INDEXER_GONE, "the indexer went away each time "
			    "(setting max_attempts)");
		outcome.is_crash = true;
		(void)snprintf(outcome.text, sizeof(outcome.text),
		    "the indexer went away; it goes on from its checkpoint");
		return outcome;
	}
	if (end->said_fail)
		return failed(end->fail_class, end->fail_text);
	if (ended_by_sigterm(end->wait_status)) {
		outcome = (struct outcome){ .event = OP_EVENT_CANCEL, .by_hand = true };
		(void)snprintf(outcome.text, sizeof(outcome.text),
		    "the worker was sent SIGTERM from outside backfilld");
		return outcome;
	}
	return of_a_crash(end);
}
