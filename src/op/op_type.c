#include "op/op_type.h"

#include <inttypes.h>

#include "op/op_tier.h"

#define OP_TYPE_NAME_MAX	31
#define ALL_TAKE		(OP_PARAM_ITEMS_OF | OP_PARAM_IDEMPOTENCY_KEY)

const struct op_type op_types[] = {
#define X(name, kebab, camel, takes, needs, spill_files, retry) \
	{ kebab, camel, takes, needs, spill_files, retry },
	OP_TYPES(X)
#undef X
};

const size_t op_types_count = BF_ARRAY_LEN(op_types);

const struct op_type *
op_type_find(struct str name)
{
	for (size_t i = 0; i < op_types_count; i++)
		if (str_eq(name, str_from(op_types[i].kebab)) ||
		    str_eq(name, str_from(op_types[i].camel)))
			return &op_types[i];
	return NULL;
}

bool
op_type_is_plain_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
			return false;
	}
	return name.len > 0 && name.len <= OP_TYPE_NAME_MAX;
}

struct param {
	unsigned bit;
	struct field field;		/* in struct op; its name is the API's */
	uint64_t most;
};

static const struct param params[] = {
#define X(name, bit, kind, member, api_name, most) \
	{ bit, { api_name, FIELD_##kind, offsetof(struct op, member) }, most },
	OP_PARAMS(X)
#undef X
};

/* The length of a text, or the number: 0 if it is not there. */
static uint64_t
measure(const struct op *op, const struct field *field)
{
	return field->kind == FIELD_U64 ? *FIELD_AT_CONST(uint64_t, op, field) :
	    FIELD_AT_CONST(struct str, op, field)->len;
}

int
op_params_fit(const struct op *op, struct err *err)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(params); i++) {
		const struct param *param = &params[i];
		uint64_t given = measure(op, &param->field);

		if (given <= param->most)
			continue;
		return param->field.kind == FIELD_U64 ?
		    err_set(err, ERR_LIMIT, "%s is greater than %" PRIu64 ": it is %" PRIu64,
		    param->field.name, param->most, given) :
		    err_set(err, ERR_LIMIT, "%s is longer than %" PRIu64 " bytes: it has %"
		    PRIu64, param->field.name, param->most, given);
	}
	return 0;
}

static int
check_text(const char *name, struct str text, struct err *err)
{
	if (!str_is_visible(text))
		return err_set(err, ERR_INVALID, "%s: has a blank or another character "
		    "that does not belong there", name);
	return 0;
}

static int
check_taken(const struct op *op, const struct op_type *type, struct err *err)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(params); i++) {
		const struct param *param = &params[i];
		bool is_there = measure(op, &param->field) > 0;

		if (!is_there && (type->needs & param->bit) != 0)
			return err_set(err, ERR_INVALID, "%s needs the parameter %s",
			    type->kebab, param->field.name);
		if (is_there && ((type->takes | ALL_TAKE) & param->bit) == 0)
			return err_set(err, ERR_INVALID, "%s does not take the parameter %s",
			    type->kebab, param->field.name);
	}
	return 0;
}

static int
check_tier(struct str tier, struct err *err)
{
	enum op_tier known;

	return tier.len == 0 || op_tier_parse(tier, &known) == 0 ? 0 :
	    err_set(err, ERR_INVALID, "tier: has to be " OP_TIER_WORDS);
}

/* The parameters of the earlier operation come along, so nothing is needed. */
static int
check_items_of(const struct op *op, const struct op_type *type, struct err *err)
{
	if (op->items_of.len == 0)
		return 0;
	if (type->retry == OP_RETRY_NONE)
		return err_set(err, ERR_INVALID, "%s: its failed items cannot be run alone; "
		    "trigger it again", type->kebab);
	return tid_is_valid(op->items_of) ? 0 :
	    err_set(err, ERR_INVALID, "itemsOf: is not an operation's id");
}

int
op_params_check(const struct op *op, const struct op_type *type, struct err *err)
{
	if (op_params_fit(op, err) == -1 || check_taken(op, type, err) == -1)
		return -1;
	if (op->did.len > 0 && !str_starts_with(op->did, STR("did:")))
		return err_set(err, ERR_INVALID, "did: does not begin with \"did:\"");
	return check_text("did", op->did, err) == -1 ||
	    check_text("pdsUrl", op->pds_url, err) == -1 ||
	    check_text("uri", op->uri, err) == -1 ||
	    check_tier(op->tier, err) == -1 ||
	    check_items_of(op, type, err) == -1 ? -1 : 0;
}

struct str
op_retry_item(enum op_retry retry, struct str item)
{
	struct str prefix = STR("at://"), did = item;

	switch (retry) {
	case OP_RETRY_NONE:
		return STR_NONE;
	case OP_RETRY_URIS:
		return str_starts_with(item, prefix) ? item : STR_NONE;
	case OP_RETRY_SERVERS:
		if (str_starts_with(item, STR("https://")) ||
		    str_starts_with(item, STR("http://")))
			return item;
		break;
	case OP_RETRY_DIDS:
		break;
	}
	if (str_starts_with(item, prefix)) {
		did = (struct str){ item.ptr + prefix.len, 0 };
		while (prefix.len + did.len < item.len && did.ptr[did.len] != '/')
			did.len++;
	}
	return str_starts_with(did, STR("did:")) ? did : STR_NONE;
}
