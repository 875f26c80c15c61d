#include "op/op_type.h"

#include "op/op_tier.h"

#define OP_TYPE_NAME_MAX	31

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

static int
check_text(const char *name, struct str text, struct err *err)
{
	if (!str_is_visible(text))
		return err_set(err, ERR_INVALID, "%s: has a blank or another character "
		    "that does not belong there", name);
	return 0;
}

static int
check_param(const struct op_type *type, unsigned param, const char *name,
    size_t len, size_t max_len, struct err *err)
{
	if (len == 0 && (type->needs & param) != 0)
		return err_set(err, ERR_INVALID, "%s needs the parameter %s",
		    type->kebab, name);
	if (len > 0 && (type->takes & param) == 0)
		return err_set(err, ERR_INVALID, "%s does not take the parameter %s",
		    type->kebab, name);
	if (len > max_len)
		return err_set(err, ERR_INVALID, "%s is longer than %zu bytes", name,
		    max_len);
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
	if (check_param(type, OP_PARAM_DID, "did", op->did.len, LIMIT_DID_BYTES,
	    err) == -1 ||
	    check_param(type, OP_PARAM_PDS_URL, "pdsUrl", op->pds_url.len,
	    LIMIT_URL_BYTES, err) == -1 ||
	    check_param(type, OP_PARAM_URI, "uri", op->uri.len, LIMIT_ATURI_BYTES,
	    err) == -1 ||
	    check_param(type, OP_PARAM_BATCH_SIZE, "batchSize", op->batch_size > 0,
	    1, err) == -1 ||
	    check_param(type, OP_PARAM_TIER, "tier", op->tier.len, SIZE_MAX, err) == -1)
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
