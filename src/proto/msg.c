#include "proto/msg.h"

#include <stdlib.h>

#include "proto/frame.h"
#include "proto/wire.h"

/* A nested operation record is one more kind, known only to this codec. */
#define FIELD_OP	((enum field_kind)100)

struct layout {
	const char *name;
	enum msg_sender sender;
	const struct field *fields;
	uint32_t count;
};

/* One function per message, so that `self` can name its struct in the rows. */
#define ROW(kind, member)	FIELD_ROW_OF(self, kind, member)
#define MSG(number, NAME, name, sender)					\
	static struct layout						\
	name##_layout(void)						\
	{								\
		typedef struct msg_##name self;				\
		static const struct field fields[] = { MSG_##NAME(ROW) }; \
									\
		return (struct layout){ #name, sender, fields,		\
		    BF_ARRAY_LEN(fields) };				\
	}
MESSAGES(MSG)
#undef MSG
#undef ROW

/* False if the number is no message's. */
static bool
find_layout(uint64_t type, struct layout *layout_out)
{
	switch (type) {
#define MSG(number, NAME, name, sender)			\
	case number:					\
		*layout_out = name##_layout();		\
		return true;
	MESSAGES(MSG)
#undef MSG
	}
	return false;
}

const char *
msg_name(enum msg_type type)
{
	struct layout layout;

	return find_layout(type, &layout) ? layout.name : "?";
}

/* All members of the union start where the union does. */
static void *
body_of(struct msg *msg)
{
	return &msg->hello;
}

static bool
is_set(const struct field *field, const void *record)
{
	switch (field->kind) {
	case FIELD_U64:
		return *FIELD_AT_CONST(uint64_t, record, field) != 0;
	case FIELD_BOOL:
		return *FIELD_AT_CONST(bool, record, field);
	case FIELD_TEXT:
		return FIELD_AT_CONST(struct str, record, field)->len > 0;
	case FIELD_BYTES:
		return FIELD_AT_CONST(struct bytes, record, field)->len > 0;
	}
	return false;
}

static void
pack_plain(struct buf *to, const struct field *field, const void *record)
{
	switch (field->kind) {
	case FIELD_U64:
		wire_pack_u64(to, *FIELD_AT_CONST(uint64_t, record, field));
		break;
	case FIELD_BOOL:
		wire_pack_bool(to, *FIELD_AT_CONST(bool, record, field));
		break;
	case FIELD_TEXT:
		wire_pack_text(to, *FIELD_AT_CONST(struct str, record, field));
		break;
	case FIELD_BYTES:
		wire_pack_bytes(to, *FIELD_AT_CONST(struct bytes, record, field));
		break;
	}
}

static int
unpack_plain(struct wire_reader *r, const struct field *field, void *record)
{
	switch (field->kind) {
	case FIELD_U64:
		return wire_read_u64(r, FIELD_AT(uint64_t, record, field));
	case FIELD_BOOL:
		return wire_read_bool(r, FIELD_AT(bool, record, field));
	case FIELD_TEXT:
		return wire_read_text(r, FIELD_AT(struct str, record, field));
	case FIELD_BYTES:
		return wire_read_bytes(r, FIELD_AT(struct bytes, record, field));
	}
	return -1;
}

/* An operation travels as a map of its set fields by name, so that a client in
 * any language can read it and an older one skips what it does not know. */
static void
pack_op(struct buf *to, const struct op *op)
{
	uint32_t count = 0;

	for (size_t i = 0; i < op_fields_count; i++)
		count += is_set(&op_fields[i], op);
	wire_pack_map(to, count);
	for (size_t i = 0; i < op_fields_count; i++) {
		if (is_set(&op_fields[i], op)) {
			wire_pack_text(to, str_from(op_fields[i].name));
			pack_plain(to, &op_fields[i], op);
		}
	}
}

static const struct field *
find_op_field(struct str name)
{
	for (size_t i = 0; i < op_fields_count; i++)
		if (str_eq(name, str_from(op_fields[i].name)))
			return &op_fields[i];
	return NULL;
}

static int
unpack_op(struct wire_reader *r, struct op *op)
{
	uint32_t count;
	struct str name;

	*op = (struct op){ 0 };
	if (wire_read_map(r, &count) == -1)
		return -1;
	for (; count > 0; count--) {
		const struct field *field;

		if (wire_read_text(r, &name) == -1)
			return -1;
		field = find_op_field(name);
		if ((field != NULL ? unpack_plain(r, field, op) : wire_skip_plain(r)) == -1)
			return -1;
	}
	return 0;
}

void
msg_pack(struct buf *to, const struct msg *msg)
{
	size_t start = buf_len(to), payload;
	struct layout layout;
	uint8_t *head;
	const void *body = &msg->hello;

	if (!find_layout(msg->type, &layout))
		abort();
	buf_add(to, (uint8_t[FRAME_HEAD_BYTES]){ 0 }, FRAME_HEAD_BYTES);
	wire_pack_array(to, 1 + layout.count);
	wire_pack_u64(to, msg->type);
	for (uint32_t i = 0; i < layout.count; i++) {
		const struct field *field = &layout.fields[i];

		if (field->kind == FIELD_OP)
			pack_op(to, FIELD_AT_CONST(struct op, body, field));
		else
			pack_plain(to, field, body);
	}
	payload = buf_len(to) - start - FRAME_HEAD_BYTES;
	head = buf_data(to) + start;
	for (int i = 0; i < FRAME_HEAD_BYTES; i++)
		head[i] = (uint8_t)(payload >> (24 - 8 * i));
}

static int
unpack_fields(struct wire_reader *r, const struct layout *layout, struct msg *msg,
    struct err *err)
{
	void *body = body_of(msg);

	for (uint32_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		int rc = field->kind == FIELD_OP ?
		    unpack_op(r, FIELD_AT(struct op, body, field)) :
		    unpack_plain(r, field, body);

		if (rc == -1)
			return err_set(err, ERR_PROTOCOL, "message %s: bad field %s",
			    layout->name, field->name);
	}
	return 0;
}

int
msg_unpack(struct bytes payload, unsigned accepted, struct msg *msg_out,
    struct err *err)
{
	struct wire_reader r = wire_reader(payload);
	struct layout layout;
	struct msg msg;
	uint32_t count;
	uint64_t type;

	if (wire_read_array(&r, &count) == -1 || wire_read_u64(&r, &type) == -1)
		return err_set(err, ERR_PROTOCOL, "frame of %zu bytes: not a message",
		    payload.len);
	if (count == 0)		/* the number was behind it */
		return err_set(err, ERR_PROTOCOL, "frame of %zu bytes: an empty array is no "
		    "message", payload.len);
	if (!find_layout(type, &layout))
		return err_set(err, ERR_PROTOCOL, "message number %llu: unknown",
		    (unsigned long long)type);
	if ((layout.sender & accepted) == 0)
		return err_set(err, ERR_PROTOCOL, "message %s: not expected from this peer",
		    layout.name);
	if (count != 1 + layout.count)
		return err_set(err, ERR_PROTOCOL, "message %s: %u fields instead of %u",
		    layout.name, count - 1, layout.count);
	msg.type = (enum msg_type)type;
	if (unpack_fields(&r, &layout, &msg, err) == -1)
		return -1;
	if (!wire_at_end(&r))
		return err_set(err, ERR_PROTOCOL, "message %s: %zu bytes left over",
		    layout.name, (size_t)(r.end - r.at));
	*msg_out = msg;
	return 0;
}
