#include "workers/relay_stream.h"

#include "common/limits.h"
#include "workers/sync_env.h"

#define NSID		"com.atproto.sync.subscribeRepos"
#define SILENCE_MS	(30 * 1000)	/* servers ping every 30 s */

struct subscribe_options
relay_stream_options(const struct sync_env *env)
{
	return (struct subscribe_options){
		.user_agent = env->user_agent, .is_trusted = true,
		.connect_ms = (int64_t)env->settings->connect_timeout_ms,
		.silence_ms = SILENCE_MS, .message_bytes = LIMIT_FRAME_BYTES,
	};
}

void
relay_stream_url(struct buf *to, const char *relay_url, const char *query)
{
	struct str url = str_from(relay_url);

	while (url.len > 0 && url.ptr[url.len - 1] == '/')
		url.len--;
	buf_add_str(to, url);
	buf_printf(to, "/xrpc/" NSID "%s", query);
	buf_add_byte(to, 0);
}
