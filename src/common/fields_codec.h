/*
 * fields_codec.h - a struct with a field table, as bytes on disk.
 *
 * Only the fields that are set are written, each as
 *
 *	number u8 | length u16 | content
 *
 * in the order of the table.  An integer takes its significant bytes, big-endian
 * (so 0 to 8 of them); true is one byte 1; text and bytes are as they are.
 * Decoding passes over numbers that it does not know, so that an older binary
 * can read what a newer one has only added to; what is not there becomes 0,
 * false or empty.
 */
#ifndef BF_COMMON_FIELDS_CODEC_H
#define BF_COMMON_FIELDS_CODEC_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

struct fields_layout {
	const struct field *fields;
	const uint8_t *numbers;		/* on disk, one per field; never 0 */
	size_t count;
	size_t struct_bytes;
};

/* Append the encoded record.  Text and bytes are at most 65535 long. */
void fields_encode(struct buf *to, const struct fields_layout *layout,
    const void *record);

/*
 * Fill in a whole struct; its text and bytes point into `from`.  -1 if the bytes
 * are not what fields_encode() makes, and record_out is then undefined.
 */
int fields_decode(struct bytes from, const struct fields_layout *layout,
    void *record_out) BF_MUSTCHECK;

#endif
