#include "supervisor/handshake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/fdlayout.h"

static void
send_setting(struct channel *channel, const struct settings *settings,
    const struct setting *row)
{
	struct msg msg = { .type = MSG_TYPE_SETTING };
	char *text = settings_text(settings, row);

	msg.setting = (struct msg_setting){
		.name = str_from(row->name), .value = str_from(text),
	};
	channel_send(channel, &msg);
	free(text);
}

void
handshake_send_settings(struct channel *channel, const struct settings *settings,
    unsigned audience)
{
	for (size_t i = 0; i < settings_count; i++)
		if ((settings_rows[i].audience & audience) != 0)
			send_setting(channel, settings, &settings_rows[i]);
}

void
handshake_send(struct channel *channel, const struct settings *settings,
    unsigned audience)
{
	struct msg msg = { .type = MSG_TYPE_HELLO };

	handshake_send_settings(channel, settings, audience);
	msg.hello = (struct msg_hello){
		.version = PROTO_VERSION, .program = STR("backfilld"),
		.pid = (uint64_t)getpid(),
	};
	channel_send(channel, &msg);
}
