#include "fetch/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/mem.h"

/* What the thread and the loop share: whoever is last frees it. */
struct question {
	pthread_mutex_t lock;
	unsigned users;
	int done_fd;		/* an eventfd: the answer is there */
	char *host;		/* owned */
	struct addrinfo *addresses;	/* owned */
	int error;		/* of getaddrinfo() */
};

struct resolve {
	/* borrowed */
	struct ev_loop *loop;
	resolve_cb *cb;
	void *arg;
	struct question *question;	/* shared */
	struct ev_io done;
	struct ev_timer failed;		/* the thread could not be made */
};

static void
let_go(struct question *question)
{
	unsigned users;

	(void)pthread_mutex_lock(&question->lock);
	users = --question->users;
	(void)pthread_mutex_unlock(&question->lock);
	if (users > 0)
		return;
	(void)pthread_mutex_destroy(&question->lock);
	if (question->addresses != NULL)
		freeaddrinfo(question->addresses);
	(void)close(question->done_fd);
	free(question->host);
	free(question);
}

static void *
ask(void *arg)
{
	static const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG,
	};
	struct question *question = arg;
	uint64_t one = 1;

	question->error = getaddrinfo(question->host, NULL, &hints,
	    &question->addresses);
	(void)!write(question->done_fd, &one, sizeof(one));
	let_go(question);
	return NULL;
}

static void
finish(struct resolve *resolve)
{
	struct question *question = resolve->question;
	resolve_cb *cb = resolve->cb;
	void *arg = resolve->arg;

	ev_io_stop(resolve->loop, &resolve->done);
	ev_timer_stop(resolve->loop, &resolve->failed);
	free(resolve);
	cb(question->error == 0 ? question->addresses : NULL,
	    gai_strerror(question->error), arg);
	let_go(question);
}

static void
on_done(struct ev_loop *loop BF_UNUSED, struct ev_io *io, int revents BF_UNUSED)
{
	finish(io->data);
}

static void
on_failed(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	finish(timer->data);
}

struct resolve *
resolve_start(struct ev_loop *loop, const char *host, resolve_cb *cb, void *arg)
{
	struct resolve *resolve = xcalloc(1, sizeof(*resolve));
	struct question *question = xcalloc(1, sizeof(*question));
	pthread_attr_t attr;
	pthread_t thread;

	*resolve = (struct resolve){ .loop = loop, .cb = cb, .arg = arg,
	    .question = question };
	(void)pthread_mutex_init(&question->lock, NULL);
	question->users = 2;
	question->host = xstrdup(host);
	question->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ev_io_init(&resolve->done, on_done, question->done_fd, EV_READ);
	resolve->done.data = resolve;
	ev_timer_init(&resolve->failed, on_failed, 0, 0);
	resolve->failed.data = resolve;
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (question->done_fd == -1 ||
	    pthread_create(&thread, &attr, ask, question) != 0) {
		question->users = 1;
		question->error = EAI_AGAIN;
		ev_timer_start(loop, &resolve->failed);
	} else {
		ev_io_start(loop, &resolve->done);
	}
	(void)pthread_attr_destroy(&attr);
	return resolve;
}

void
resolve_cancel(struct resolve **resolve)
{
	if (*resolve == NULL)
		return;
	ev_io_stop((*resolve)->loop, &(*resolve)->done);
	ev_timer_stop((*resolve)->loop, &(*resolve)->failed);
	let_go((*resolve)->question);
	free(*resolve);
	*resolve = NULL;
}
