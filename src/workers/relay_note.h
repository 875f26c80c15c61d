/*
 * relay_note.h - where a relay's firehose stands now, noted for a later catch-up.
 *
 * Before a full sync: what happens while it runs is then read by catch-up.  A position
 * that is saved already stays: nothing has been lost behind it yet.
 * Process: workers.
 */
#ifndef BF_WORKERS_RELAY_NOTE_H
#define BF_WORKERS_RELAY_NOTE_H

struct relay_note;
struct sync_env;

/* The row is written, or was there; why is NULL, or tells why there is none.  The note
 * is freed when this returns. */
typedef void relay_note_cb(const char *why, void *arg);

/* Begin; relay_url is set.  Takes relay_idle_ms if the relay is silent.  Never calls
 * back from inside. */
struct relay_note *relay_note_start(const struct sync_env *env, relay_note_cb *cb,
    void *arg);

/* Drop it, without a callback; sets *note to NULL.  NULL is fine. */
void relay_note_cancel(struct relay_note **note);

#endif
