#include "api/op_query.h"

#include "common/tid.h"

static int
parse_status(const struct params *params, enum op_status *status_out,
    struct err *err)
{
	struct str word;

	if (params_text(params, STR("status"), &word, err) == -1)
		return -1;
	*status_out = 0;
	if (word.ptr == NULL || op_status_parse(word, status_out) == 0)
		return 0;
	return err_set(err, ERR_INVALID, "status must be one of (queued|running|"
	    "completed|failed|cancelled)");
}

/* A type of an operator's own has no other spelling. */
static int
parse_type(const struct params *params, struct str *type_out, struct err *err)
{
	const struct op_type *type;
	struct str word;

	if (params_text(params, STR("type"), &word, err) == -1)
		return -1;
	type = op_type_find(word);
	if (type == NULL && word.ptr != NULL && !op_type_is_plain_name(word))
		return err_set(err, ERR_INVALID, "type: \"%.*s\" is no type of "
		    "operation", STR_FMT(word));
	*type_out = type != NULL ? str_from(type->kebab) : word;
	return 0;
}

int
op_query_parse(const struct params *params, struct op_query *query_out,
    struct err *err)
{
	struct op_query query = { .limit = OP_QUERY_LIMIT_DEFAULT };

	if (params_text(params, STR("id"), &query.id, err) == -1 ||
	    parse_status(params, &query.status, err) == -1 ||
	    parse_type(params, &query.type, err) == -1 ||
	    params_integer(params, STR("limit"), 1, LIMIT_LIST_PAGE, &query.limit,
	    err) == -1 ||
	    params_text(params, STR("cursor"), &query.cursor, err) == -1)
		return -1;
	if (query.id.ptr != NULL && str_is_empty(query.id))
		return err_set(err, ERR_INVALID, "id is empty");
	if (query.cursor.ptr != NULL && !tid_is_valid(query.cursor))
		return err_set(err, ERR_INVALID, "cursor is not one of ours");
	*query_out = query;
	return 0;
}
