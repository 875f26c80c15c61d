#include "supervisor/retry.h"

#include <stdio.h>

#include "common/utf8.h"
#include "op/op_type.h"

/* Where a text lies in the buffer, which may still move. */
struct place {
	size_t at, len;
};

static struct place
keep(struct buf *texts, struct str text)
{
	struct place place = { buf_len(texts), text.len };

	buf_add_str(texts, text);
	return place;
}

static struct str
at(const struct buf *texts, struct place place)
{
	return (struct str){ (const char *)buf_data(texts) + place.at, place.len };
}

/* Given or not: what the earlier operation says counts. */
static bool
agrees(struct str given, struct str earlier)
{
	return str_is_empty(given) || str_eq(given, earlier);
}

struct count {
	enum op_retry kind;
	bool any;
};

static bool
see_item(const struct ops_item *item, void *arg)
{
	struct count *count = arg;

	count->any = !str_is_empty(op_retry_item(count->kind, item->item));
	return !count->any;
}

static int
check(struct ops_read *read, const struct op *request, const struct op *earlier,
    struct opctl_error *error)
{
	const struct op_type *type = op_type_find(earlier->type);
	struct count count = { .kind = type != NULL ? type->retry : OP_RETRY_NONE };
	struct err err;

	if (!op_status_is_terminal(op_status(earlier)))
		return opctl_fail(error, "InvalidRequest", "itemsOf: operation %.*s has not "
		    "ended", STR_FMT(earlier->id));
	if (!agrees(request->type, earlier->type) || !agrees(request->did, earlier->did) ||
	    !agrees(request->pds_url, earlier->pds_url) ||
	    !agrees(request->uri, earlier->uri) || !agrees(request->tier, earlier->tier) ||
	    (request->batch_size != 0 && request->batch_size != earlier->batch_size))
		return opctl_fail(error, "InvalidRequest", "itemsOf: operation %.*s is of "
		    "another type or has other parameters", STR_FMT(earlier->id));
	if (count.kind == OP_RETRY_NONE)
		return opctl_fail(error, "InvalidRequest", "%.*s: its failed items cannot be "
		    "run alone; trigger it again", STR_FMT(earlier->type));
	if (ops_items(read, earlier->id, see_item, &count, &err) == -1)
		return opctl_fail_store(error, &err);
	return count.any ? 0 : opctl_fail(error, "InvalidRequest", "itemsOf: nothing "
	    "failed in operation %.*s that can be run alone", STR_FMT(earlier->id));
}

static void
take_over(struct op *op, const struct op *earlier, struct buf *texts)
{
	struct place type = keep(texts, earlier->type), did = keep(texts, earlier->did),
	    pds_url = keep(texts, earlier->pds_url), uri = keep(texts, earlier->uri),
	    tier = keep(texts, earlier->tier);

	op->type = at(texts, type);
	op->did = at(texts, did);
	op->pds_url = at(texts, pds_url);
	op->uri = at(texts, uri);
	op->tier = at(texts, tier);
	op->batch_size = earlier->batch_size;
}

int
retry_complete(struct supervisor *sup, struct op *op, struct buf *texts,
    struct opctl_error *error)
{
	const struct op_type *given = op_type_find(op->type);
	struct ops_read *read;
	struct op earlier;
	struct err err;
	int rc;

	if (given != NULL)
		op->type = str_from(given->kebab);
	if (ops_read_begin(sup->ops, &read, &err) == -1)
		return opctl_fail_store(error, &err);
	if (ops_get(read, op->items_of, &earlier, &err) == 0)
		rc = check(read, op, &earlier, error);
	else if (err.code == ERR_NOT_FOUND)
		rc = opctl_fail(error, "OperationNotFound", "itemsOf: there is no operation "
		    "%.*s", STR_FMT(utf8_cut(op->items_of, 64)));
	else
		rc = opctl_fail_store(error, &err);
	if (rc == 0)
		take_over(op, &earlier, texts);
	ops_read_end(&read);
	return rc;
}
