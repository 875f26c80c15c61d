/*
 * op_query.h - which operations a caller asks for: the parameters of
 * getBackfillStatus and getBackfillHistory.
 *
 * The lexicons know `id` and `status`; `type`, `limit` and `cursor` are ours.
 */
#ifndef BF_API_OP_QUERY_H
#define BF_API_OP_QUERY_H

#include "api/params.h"
#include "op/op_state.h"
#include "op/op_type.h"

#define OP_QUERY_LIMIT_DEFAULT	50

struct op_query {
	struct str id;			/* empty: a list is asked for */
	enum op_status status;		/* 0: all */
	struct str type;		/* in kebab-case; empty: all */
	uint64_t limit;			/* 1..LIMIT_LIST_PAGE */
	struct str cursor;		/* the id after which to go on; empty: the newest */
};

/* ERR_INVALID says which parameter breaks which rule.  Text in the result is
 * borrowed from params. */
int op_query_parse(const struct params *params, struct op_query *query_out,
    struct err *err) BF_MUSTCHECK;

#endif
