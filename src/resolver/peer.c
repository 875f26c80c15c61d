#include "resolver/peer.h"

#include <stdlib.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/channel.h"

struct question {
	struct peer *peer;		/* borrowed: it owns us */
	uint64_t req;
	struct lookup_ask ask;
	LIST_ENTRY(question) entry;
};

struct peer {
	struct resolver *resolver;	/* borrowed, outlives us */
	struct channel *channel;	/* owned */
	LIST_HEAD(, question) questions; /* owned; not answered yet */
	LIST_ENTRY(peer) entry;
};

static void
forget(struct question *question)
{
	lookup_ask_stop(&question->ask);
	LIST_REMOVE(question, entry);
	free(question);
}

static void
on_answer(struct lookup_ask *ask, const struct answer *answer)
{
	struct question *question = (struct question *)
	    ((char *)ask - offsetof(struct question, ask));
	struct msg msg = answer_msg(answer, question->req);

	channel_send(question->peer->channel, &msg);
	forget(question);
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct peer *peer = arg;
	struct question *question = xcalloc(1, sizeof(*question));

	question->peer = peer;
	question->req = msg->resolve.req;
	LIST_INSERT_HEAD(&peer->questions, question, entry);
	lookup_ask(&peer->resolver->lookups, msg->resolve.did, msg->resolve.is_fresh,
	    on_answer, &question->ask);
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct peer *peer = arg;

	if (why != NULL)
		log_warn("the API: %s", why->text);
	peer_free(&peer);
}

void
peer_new(struct resolver *resolver, int fd)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));
	struct channel_options options = {
		.accepts = FROM_ASKER,
		.frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg,
		.on_close = on_close,
		.arg = peer,
	};

	peer->resolver = resolver;
	LIST_INIT(&peer->questions);
	LIST_INSERT_HEAD(&resolver->peers, peer, entry);
	peer->channel = channel_new(resolver->loop, fd, &options);
}

void
peer_free(struct peer **peer)
{
	struct question *question;

	while ((question = LIST_FIRST(&(*peer)->questions)) != NULL)
		forget(question);
	LIST_REMOVE(*peer, entry);
	channel_free(&(*peer)->channel);
	free(*peer);
	*peer = NULL;
}
