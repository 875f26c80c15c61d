#include "workers/citation_queue.h"

#include <assert.h>
#include <ev.h>
#include <stdlib.h>

#include "common/mem.h"
#include "workers/citation_env.h"

struct place {
	struct citation_queue *queue;
	struct citation_job *job;	/* owned; NULL once it has ended */
	char *did, *path;		/* owned */
	struct citation_outcome outcome;
};

struct citation_queue {
	struct citation_env *env;	/* borrowed, outlives us */
	citation_queue_cb *cb;
	void *arg;
	struct place *places;		/* owned; a ring */
	unsigned size, first, count;
	struct ev_timer soon;		/* the first may have ended */
};

static void
place_clear(struct place *place)
{
	citation_job_cancel(&place->job);
	free(place->did);
	free(place->path);
	*place = (struct place){ .queue = place->queue };
}

/* Those at the front that have ended. */
static void
on_soon(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct citation_queue *queue = timer->data;

	while (queue->count > 0 && queue->places[queue->first].job == NULL) {
		struct place ended = queue->places[queue->first];

		queue->places[queue->first] = (struct place){ .queue = queue };
		queue->first = (queue->first + 1) % queue->size;
		queue->count--;
		queue->cb(str_from(ended.did), str_from(ended.path), &ended.outcome,
		    queue->arg);
		place_clear(&ended);
	}
}

struct citation_queue *
citation_queue_new(struct citation_env *env, unsigned at_a_time, citation_queue_cb *cb,
    void *arg)
{
	struct citation_queue *queue = xcalloc(1, sizeof(*queue));

	queue->env = env;
	queue->cb = cb;
	queue->arg = arg;
	queue->size = at_a_time;
	queue->places = xcalloc(at_a_time, sizeof(*queue->places));
	for (unsigned i = 0; i < at_a_time; i++)
		queue->places[i].queue = queue;
	ev_timer_init(&queue->soon, on_soon, 0., 0.);
	queue->soon.data = queue;
	return queue;
}

void
citation_queue_free(struct citation_queue **queue)
{
	if (*queue == NULL)
		return;
	for (unsigned i = 0; i < (*queue)->size; i++)
		place_clear(&(*queue)->places[i]);
	ev_timer_stop((*queue)->env->net.loop, &(*queue)->soon);
	free((*queue)->places);
	free(*queue);
	*queue = NULL;
}

unsigned
citation_queue_room(const struct citation_queue *queue)
{
	return queue->size - queue->count;
}

bool
citation_queue_is_empty(const struct citation_queue *queue)
{
	return queue->count == 0;
}

static void
on_outcome(const struct citation_outcome *outcome, void *arg)
{
	struct place *place = arg;

	place->job = NULL;
	place->outcome = *outcome;
	ev_timer_start(place->queue->env->net.loop, &place->queue->soon);
}

static struct place *
take_place(struct citation_queue *queue)
{
	assert(queue->count < queue->size);
	return &queue->places[(queue->first + queue->count++) % queue->size];
}

void
citation_queue_add(struct citation_queue *queue, struct str did, struct str path,
    struct bytes record)
{
	struct place *place = take_place(queue);

	place->did = xstrndup(did.ptr, did.len);
	place->path = xstrndup(path.ptr, path.len);
	place->job = citation_job_start(queue->env, did, path, record, on_outcome, place);
}

void
citation_queue_add_failed(struct citation_queue *queue, struct str item,
    const char *class, const char *text)
{
	struct place *place = take_place(queue);

	place->did = xstrdup("");
	place->path = xstrndup(item.ptr, item.len);
	(void)str_copy(place->outcome.error_class, CITATION_CLASS_SIZE, str_from(class));
	(void)str_copy(place->outcome.error_text, ERR_TEXT_SIZE, str_from(text));
	ev_timer_start(queue->env->net.loop, &queue->soon);
}
