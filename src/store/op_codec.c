#include "store/op_codec.h"

#include "common/fields_codec.h"

static struct fields_layout
layout(void)
{
	return (struct fields_layout){ op_fields, op_field_numbers, op_fields_count,
	    sizeof(struct op) };
}

void
op_encode(struct buf *to, const struct op *op)
{
	struct fields_layout rows = layout();

	fields_encode(to, &rows, op);
}

int
op_decode(struct bytes body, struct op *op_out)
{
	struct fields_layout rows = layout();

	if (fields_decode(body, &rows, op_out) == -1)
		return -1;
	return tid_is_valid(op_out->id) && op_status_is_valid(op_out->status) ? 0 : -1;
}
