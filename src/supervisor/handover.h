/*
 * handover.h - what a supervisor leaves to the one that takes its place by exec.
 *
 * A file in memory (memfd) that is passed as a descriptor: a line that names the
 * format, then records, each a kind (u8), a length (u32) and that many bytes: the
 * fields of one of the structs below, or raw bytes.  Records about the same peer
 * follow each other.  Written and read by upgrade.c only; never on a disk.
 *
 * The descriptors named here stay open across exec.
 */
#ifndef BF_SUPERVISOR_HANDOVER_H
#define BF_SUPERVISOR_HANDOVER_H

#include "common/buf.h"
#include "common/err.h"
#include "common/field.h"
#include "proto/channel.h"

/* Raise the number when a field changes its meaning; added fields need nothing. */
#define HANDOVER_FORMAT	"backfilld handover 1\n"

#define HANDOVER_HEAD(F)						\
	F(1, U64, proto_version)	/* of the processes that live on */ \
	F(2, U64, started_ms)						\
	F(3, U64, last_id)						\
	F(4, U64, lock_fd)						\
	F(5, U64, listen_fd)						\
	F(6, U64, control_fd)						\
	F(7, TEXT, http_address)					\
	F(8, TEXT, version)		/* of the one that leaves */	\
	F(9, BOOL, control_is_given)	/* its file is the init system's */ \
	F(10, TEXT, cgroup)		/* with those of workers in it, or empty */

#define HANDOVER_SERVICE(F)						\
	F(1, TEXT, name)						\
	F(2, U64, pid)							\
	F(3, U64, fd)			/* of its channel */		\
	F(4, BOOL, is_ready)						\
	F(5, U64, starts)						\
	F(6, U64, delay_ms)

#define HANDOVER_CHILD(F)						\
	F(1, U64, pid)							\
	F(2, U64, fd)			/* 0: it has closed its channel */ \
	F(3, TEXT, id)							\
	F(4, TEXT, type)						\
	F(5, TEXT, did)							\
	F(6, U64, priority)						\
	F(7, BOOL, wants_pause)						\
	F(8, BOOL, told_to_pause)					\
	F(9, U64, state)		/* enum child_state */		\
	F(10, U64, stop_reason)						\
	F(11, BOOL, said_done)						\
	F(12, BOOL, said_fail)						\
	F(13, BOOL, said_paused)					\
	F(14, TEXT, fail_class)						\
	F(15, TEXT, fail_text)						\
	F(16, BOOL, was_killed)						\
	F(17, BOOL, is_last_try)					\
	F(18, TEXT, cancelled_by)					\
	F(19, BOOL, said_hello)						\
	F(20, U64, stop_mono_ms)					\
	F(21, TEXT, stage)						\
	F(22, U64, processed)						\
	F(23, U64, total)						\
	F(24, U64, failed)						\
	F(25, U64, bytes)						\
	F(26, U64, rate_milli)						\
	F(27, U64, bytes_before)					\
	F(28, U64, created)						\
	F(29, U64, updated)						\
	F(30, U64, deleted)						\
	F(31, U64, logs)						\
	F(32, U64, debug_logs)						\
	F(33, U64, items)						\
	F(34, BOOL, answers_pings)					\
	F(35, BYTES, met)		/* uint64_t each, by enum op_met */ \
	F(36, U64, stage_done)						\
	F(37, U64, stage_total)

#define HANDOVER_CLIENT(F)						\
	F(1, U64, fd)			/* of the API: that of its service */ \
	F(2, BOOL, is_api)						\
	F(3, BOOL, said_hello)						\
	F(4, TEXT, who)

#define HANDOVER_PENDING(F)		/* of the client before it */	\
	F(1, U64, kind)							\
	F(2, U64, req)							\
	F(3, TEXT, id)

#define HANDOVER_FD(F)			/* of the peer before it */	\
	F(1, U64, fd)							\
	F(2, U64, at)			/* OUT_FD: its place in the output */

/* R(NUMBER, NAME, name, layout) */
#define HANDOVER_RECORDS(R)						\
	R(1, HEAD, head, HANDOVER_HEAD)					\
	R(2, SERVICE, service, HANDOVER_SERVICE)			\
	R(3, CHILD, child, HANDOVER_CHILD)				\
	R(4, CLIENT, client, HANDOVER_CLIENT)				\
	R(5, PENDING, pending, HANDOVER_PENDING)			\
	R(6, SPILL, spill, HANDOVER_FD)					\
	R(7, OUT_FD, out_fd, HANDOVER_FD)

#define HANDOVER_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;
#define R(number, NAME, name, FIELDS)					\
	struct handover_##name { FIELDS(HANDOVER_MEMBER) };
HANDOVER_RECORDS(R)
#undef R

enum handover_kind {
#define R(number, NAME, name, FIELDS) HANDOVER_KIND_##NAME = number,
	HANDOVER_RECORDS(R)
#undef R
	HANDOVER_KIND_IN,		/* raw: read from the peer, not handled yet */
	HANDOVER_KIND_OUT,		/* raw: not sent to it yet */
};

/* --- writing --- */

void handover_begin(struct buf *to);
void handover_put(struct buf *to, enum handover_kind kind, const void *record);

/* What a channel still has in hand, behind the record of its peer. */
void handover_put_channel(struct buf *to, const struct channel *channel);

/* --- reading --- */

struct handover_record {
	enum handover_kind kind;
	struct bytes raw;
	union {
#define R(number, NAME, name, FIELDS) struct handover_##name name;
		HANDOVER_RECORDS(R)
#undef R
	};
};

/* The whole file, checked from its first line.  ERR_VERSION: another format. */
int handover_read(int fd, struct buf *to, struct err *err) BF_MUSTCHECK;

/* The next record; its texts point into `rest`, which moves on.  1: there is one;
 * 0: the end; -1: damaged. */
int handover_next(struct bytes *rest, struct handover_record *record_out,
    struct err *err) BF_MUSTCHECK;

#endif
