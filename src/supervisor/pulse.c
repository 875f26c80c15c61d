#include "supervisor/pulse.h"

void
pulse_start(struct pulse *pulse, int64_t now_ms)
{
	pulse->asked_mono_ms = pulse->heard_mono_ms = now_ms;
}

bool
pulse_is_lost(struct pulse *pulse, uint64_t timeout_ms, int64_t now_ms)
{
	int64_t late_ms = (int64_t)(timeout_ms * 2 / PULSE_ASKS);

	if (now_ms - pulse->asked_mono_ms > late_ms)
		pulse->heard_mono_ms = now_ms;
	pulse->asked_mono_ms = now_ms;
	return now_ms - pulse->heard_mono_ms > (int64_t)timeout_ms;
}
