/*
 * handshake.h - our half of the first words to a child: its settings, then
 * hello (docs/protocol.md, "How a channel starts").
 */
#ifndef BF_SUPERVISOR_HANDSHAKE_H
#define BF_SUPERVISOR_HANDSHAKE_H

#include "common/settings.h"
#include "proto/channel.h"

/* Send each setting that the audience may have, again, after a reload. */
void handshake_send_settings(struct channel *channel,
    const struct settings *settings, unsigned audience);

/* Send each setting that the audience (enum settings_audience) may have, and
 * hello.  With audience 0 only hello: for clients of the control socket. */
void handshake_send(struct channel *channel, const struct settings *settings,
    unsigned audience);

#endif
