#include "workers/room.h"

#include <stdlib.h>

#include "common/clock.h"

#define WAIT_MS		1000
#define WAIT_MAX_MS	(30 * 1000)
#define TELL_MS		(60 * 1000)	/* small writes find room where large ones do not */

bool
room_is_refusal(struct str class)
{
	return str_eq(class, STR("disk-full"));
}

/* Half of it is left to chance: repositories that were refused together do not come
 * back together. */
static int64_t
wait_of(int64_t lacking_ms)
{
	int64_t wait_ms = lacking_ms / 4;

	if (wait_ms < WAIT_MS)
		wait_ms = WAIT_MS;
	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	return wait_ms / 2 + (int64_t)arc4random_uniform((uint32_t)(wait_ms / 2) + 1);
}

bool
room_refused(struct room *room, int64_t *wait_ms_out)
{
	int64_t now_ms = clock_mono_ms();

	if (!room->is_lacking) {
		room->is_lacking = true;
		room->since_ms = now_ms;
		room->is_told = false;
	}
	*wait_ms_out = wait_of(now_ms - room->since_ms);
	if (room->is_told || (room->told_ms > 0 && now_ms - room->told_ms < TELL_MS))
		return false;
	room->is_told = true;
	room->told_ms = now_ms;
	return true;
}

bool
room_found(struct room *room)
{
	bool was_told = room->is_lacking && room->is_told;

	room->is_lacking = false;
	room->is_told = false;
	return was_told;
}
