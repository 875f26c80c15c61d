#include "common/fdutil.h"
#include "proto/channel_impl.h"

struct channel_state
channel_state(const struct channel *ch)
{
	struct channel_state state = {
		.fd = ch->fd, .in = buf_bytes(&ch->in), .out = buf_bytes(&ch->out),
		.out_fds_count = ch->out_fds_count,
	};

	for (size_t i = 0; i < ch->out_fds_count; i++) {
		state.out_fds[i].fd = ch->out_fds[i].fd;
		state.out_fds[i].at = ch->out_fds[i].at - ch->sent;
	}
	return state;
}

void
channel_restore_input(struct channel *ch, struct bytes in)
{
	buf_add(&ch->in, in.ptr, in.len);
	ev_timer_set(&ch->more, 0., 0.);
	ev_timer_start(ch->loop, &ch->more);
}

void
channel_restore_output(struct channel *ch, struct bytes out)
{
	buf_add(&ch->out, out.ptr, out.len);
	ev_io_start(ch->loop, &ch->writable);
}

void
channel_restore_fd(struct channel *ch, int fd, uint64_t at)
{
	if (ch->out_fds_count == LIMIT_CHANNEL_FDS) {
		fd_close(&fd);
		return;
	}
	ch->out_fds[ch->out_fds_count++] = (struct pending_fd){ fd, ch->sent + at };
}
