#include "supervisor/handover.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fields_codec.h"
#include "common/number.h"

#define HEAD_BYTES	5	/* kind and length */
#define MOST_BYTES	(1ll << 32)

#define NUMBER(number, kind, member)	number,
#define R(number, NAME, name, FIELDS)					\
	static const uint8_t name##_numbers[] = { FIELDS(NUMBER) };
HANDOVER_RECORDS(R)
#undef R
#undef NUMBER

#define ROW(number, kind, member)	FIELD_ROW_OF(self, kind, member)
#define R(number, NAME, name, FIELDS)					\
	static struct fields_layout					\
	name##_layout(void)						\
	{								\
		typedef struct handover_##name self;			\
		static const struct field fields[] = { FIELDS(ROW) };	\
									\
		return (struct fields_layout){ fields, name##_numbers,	\
		    BF_ARRAY_LEN(fields), sizeof(self) };		\
	}
HANDOVER_RECORDS(R)
#undef R
#undef ROW

/* False for raw bytes. */
static bool
find_layout(enum handover_kind kind, struct fields_layout *layout_out)
{
	switch (kind) {
#define R(number, NAME, name, FIELDS)				\
	case HANDOVER_KIND_##NAME:				\
		*layout_out = name##_layout();			\
		return true;
	HANDOVER_RECORDS(R)
#undef R
	case HANDOVER_KIND_IN:
	case HANDOVER_KIND_OUT:
		break;
	}
	return false;
}

/* --- writing --- */

void
handover_begin(struct buf *to)
{
	buf_add_str(to, STR(HANDOVER_FORMAT));
}

static size_t
begin_record(struct buf *to, enum handover_kind kind)
{
	uint8_t head[HEAD_BYTES] = { (uint8_t)kind };

	buf_add(to, head, sizeof(head));
	return buf_len(to);
}

static void
end_record(struct buf *to, size_t start)
{
	u32_encode(buf_data(to) + start - sizeof(uint32_t),
	    (uint32_t)(buf_len(to) - start));
}

void
handover_put(struct buf *to, enum handover_kind kind, const void *record)
{
	struct fields_layout layout;
	size_t start = begin_record(to, kind);

	if (find_layout(kind, &layout))
		fields_encode(to, &layout, record);
	end_record(to, start);
}

static void
put_raw(struct buf *to, enum handover_kind kind, struct bytes raw)
{
	size_t start;

	if (raw.len == 0)
		return;
	start = begin_record(to, kind);
	buf_add(to, raw.ptr, raw.len);
	end_record(to, start);
}

void
handover_put_channel(struct buf *to, const struct channel *channel)
{
	struct channel_state state = channel_state(channel);

	put_raw(to, HANDOVER_KIND_IN, state.in);
	put_raw(to, HANDOVER_KIND_OUT, state.out);
	for (size_t i = 0; i < state.out_fds_count; i++)
		handover_put(to, HANDOVER_KIND_OUT_FD, &(struct handover_out_fd){
		    .fd = (uint64_t)state.out_fds[i].fd, .at = state.out_fds[i].at });
}

/* --- reading --- */

int
handover_read(int fd, struct buf *to, struct err *err)
{
	struct str format = STR(HANDOVER_FORMAT);
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return err_errno(err, "handover");
	if (st.st_size > MOST_BYTES)
		return err_set(err, ERR_LIMIT, "handover: too large");
	while (buf_len(to) < (size_t)st.st_size) {
		n = pread(fd, buf_reserve(to, (size_t)st.st_size), (size_t)st.st_size -
		    buf_len(to), (off_t)buf_len(to));
		if (n <= 0)
			return err_errno(err, "handover");
		buf_added(to, (size_t)n);
	}
	if (!str_starts_with(buf_str(to), format))
		return err_set(err, ERR_VERSION, "handover: of another version");
	buf_consume(to, format.len);
	return 0;
}

static int
decode(struct handover_record *record)
{
	struct fields_layout layout;

	if (record->kind < HANDOVER_KIND_HEAD || record->kind > HANDOVER_KIND_OUT)
		return -1;
	/* All members of the union start where the union does. */
	return find_layout(record->kind, &layout) ?
	    fields_decode(record->raw, &layout, &record->head) : 0;
}

int
handover_next(struct bytes *rest, struct handover_record *record_out,
    struct err *err)
{
	struct handover_record record;
	uint32_t len;

	if (rest->len == 0)
		return 0;
	if (rest->len < HEAD_BYTES)
		return err_set(err, ERR_CORRUPT, "handover: cut short");
	record.kind = (enum handover_kind)rest->ptr[0];
	len = u32_decode(rest->ptr + 1);
	if (len > rest->len - HEAD_BYTES)
		return err_set(err, ERR_CORRUPT, "handover: cut short");
	record.raw = (struct bytes){ rest->ptr + HEAD_BYTES, len };
	if (decode(&record) == -1)
		return err_set(err, ERR_CORRUPT, "handover: a record of kind %d is damaged",
		    (int)record.kind);
	rest->ptr += HEAD_BYTES + len;
	rest->len -= HEAD_BYTES + len;
	*record_out = record;
	return 1;
}
