#include "workers/replay_window.h"

#include <assert.h>
#include <stdlib.h>

#include "common/mem.h"

#define FIRST_SIZE	64

void
replay_window_init(struct replay_window *window, const struct replay_position *done)
{
	*window = (struct replay_window){ .done = *done };
}

void
replay_window_clear(struct replay_window *window)
{
	free(window->entries);
	*window = (struct replay_window){ .n = 0 };
}

static struct replay_entry *
entry_at(const struct replay_window *window, size_t i)
{
	return &window->entries[(window->first + i) % window->size];
}

static void
grow(struct replay_window *window)
{
	size_t size = window->size > 0 ? window->size * 2 : FIRST_SIZE;
	struct replay_entry *entries = xcalloc(size, sizeof(*entries));

	for (size_t i = 0; i < window->n; i++)
		entries[i] = *entry_at(window, i);
	free(window->entries);
	window->entries = entries;
	window->size = size;
	window->first = 0;
}

uint64_t
replay_window_begin(struct replay_window *window, const struct replay_position *position)
{
	if (window->n == window->size)
		grow(window);
	*entry_at(window, window->n) = (struct replay_entry){ .position = *position };
	return window->first_id + window->n++;
}

void
replay_window_end(struct replay_window *window, uint64_t id)
{
	assert(id >= window->first_id && id - window->first_id < window->n);
	entry_at(window, (size_t)(id - window->first_id))->is_done = true;
	while (window->n > 0 && entry_at(window, 0)->is_done) {
		window->done = entry_at(window, 0)->position;
		window->first = (window->first + 1) % window->size;
		window->first_id++;
		window->n--;
	}
}

static int64_t
distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

bool
replay_is_loss(const struct replay_position *known, uint64_t seq, int64_t time_ms)
{
	int64_t leap_ms = distance(time_ms, known->time_ms);

	if (known->seq == 0 || seq < known->seq)
		return false;
	if (seq == known->seq)		/* some servers send the last one again */
		return leap_ms > REPLAY_LEAP_MS;
	if (seq == known->seq + 1)
		return false;
	return seq - known->seq > REPLAY_LEAP_EVENTS || leap_ms > REPLAY_LEAP_MS;
}
