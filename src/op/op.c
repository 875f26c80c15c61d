#include "op/op.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct op, kind, member)
const struct field op_fields[] = { OP_FIELDS(ROW) };
#undef ROW

#define NUMBER(number, kind, member)	number,
const uint8_t op_field_numbers[] = { OP_FIELDS(NUMBER) };
#undef NUMBER

const size_t op_fields_count = sizeof(op_fields) / sizeof(op_fields[0]);
