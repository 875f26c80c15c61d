/*
 * msg.h - messages as structs, and their one codec.
 *
 * The structs, the names and the codec's tables come from messages.def.  Text
 * and bytes in an unpacked message are borrowed: they point into the frame and
 * are valid until the handler returns.
 */
#ifndef BF_PROTO_MSG_H
#define BF_PROTO_MSG_H

#include "common/buf.h"
#include "common/err.h"
#include "common/field.h"
#include "op/op.h"
#include "proto/messages.def"

/* Who may send a message: a receiver says which of these it accepts. */
enum msg_sender {
	FROM_SUPERVISOR = 1,
	FROM_WORKER = 2,
	FROM_INDEXER = 4,
	FROM_RECORD_WRITER = 8,
	FROM_RECORD_READER = 16,
	FROM_RECORD_PEER = FROM_RECORD_WRITER | FROM_RECORD_READER,
	FROM_CLIENT = 32,
	FROM_ASKER = 64,	/* who has a channel to the resolver */
	FROM_RESOLVER = 128,
	FROM_ANY = 255,
};

enum msg_type {
#define MSG(number, NAME, name, sender)	MSG_TYPE_##NAME = number,
	MESSAGES(MSG)
#undef MSG
};

/* F(OP, op) in a message is a whole operation record. */
#define FIELD_TYPE_OP	struct op

#define MSG(number, NAME, name, sender)	\
	struct msg_##name { MSG_##NAME(FIELD_MEMBER) };
MESSAGES(MSG)
#undef MSG

struct msg {
	enum msg_type type;
	union {
#define MSG(number, NAME, name, sender)	struct msg_##name name;
		MESSAGES(MSG)
#undef MSG
	};
};

/* "progress"; "?" for a number that is none. */
const char *msg_name(enum msg_type type);

/* Append a whole frame, length prefix included. */
void msg_pack(struct buf *to, const struct msg *msg);

/*
 * Read the payload of one frame (without the length prefix).  ERR_PROTOCOL
 * names the message and the field for anything that is not exactly a message:
 * an unknown number, a sender not among `accepted` (enum msg_sender bits), a
 * wrong kind, too few or too many fields, bytes left over, text that is not
 * UTF-8.  Allocates nothing, whatever the bytes claim.
 */
int msg_unpack(struct bytes payload, unsigned accepted, struct msg *msg_out,
    struct err *err) BF_MUSTCHECK;

#endif
