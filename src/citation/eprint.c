#include "citation/eprint.h"

#include "atproto/dagcbor.h"
#include "common/settings.h"

static const char *const field_names[] = {
#define X(name, text) text,
	EPRINT_FIELDS(X)
#undef X
};

static int
find_field(struct str name)
{
	for (int i = 0; i < EPRINT_FIELD_COUNT; i++) {
		if (str_eq(name, str_from(field_names[i])))
			return i;
	}
	return -1;
}

int
eprint_map_parse(struct str setting, struct eprint_map *map_out, struct err *err)
{
	struct eprint_map map = { 0 };
	struct str item;

	while (!str_is_empty(item = settings_next_item(&setting))) {
		const char *equals = memchr(item.ptr, '=', item.len);
		size_t len = equals != NULL ? (size_t)(equals - item.ptr) : item.len;
		int field = find_field((struct str){ item.ptr, len });

		if (equals == NULL || len + 1 == item.len || field == -1)
			return err_set(err, ERR_INVALID, "eprint_fields: \"%.*s\" is not "
			    "title=, doi=, document= or holder= and the name of a field",
			    STR_FMT(item));
		map.paths[field] = (struct str){ equals + 1, item.len - len - 1 };
	}
	*map_out = map;
	return 0;
}

/* The value at a path of names parted by points. */
static bool
find_path(struct bytes record, struct str path, struct dagcbor *value_out)
{
	struct dagcbor at = dagcbor_read(record);

	if (path.len == 0)
		return false;
	for (;;) {
		const char *point = memchr(path.ptr, '.', path.len);
		size_t len = point != NULL ? (size_t)(point - path.ptr) : path.len;

		if (!dagcbor_find(at, (struct str){ path.ptr, len }, &at))
			return false;
		if (point == NULL)
			break;
		path.ptr += len + 1;
		path.len -= len + 1;
	}
	*value_out = at;
	return true;
}

static struct str
text_at(struct bytes record, struct str path)
{
	struct dagcbor value;
	struct dagcbor_item item;

	if (!find_path(record, path, &value))
		return STR_NONE;
	item = dagcbor_next(&value);
	return item.type == DAGCBOR_TEXT ? item.text : STR_NONE;
}

/* {"$type": "blob", "ref": link, "size": n}, or of old {"cid": text}. */
static void
read_blob(struct dagcbor blob, struct eprint *eprint)
{
	struct dagcbor member;
	struct dagcbor_item item;

	if (dagcbor_find(blob, STR("ref"), &member)) {
		item = dagcbor_next(&member);
		eprint->has_document = item.type == DAGCBOR_LINK &&
		    cid_unpack(item.bytes, &eprint->document) == 0;
	} else if (dagcbor_find(blob, STR("cid"), &member)) {
		item = dagcbor_next(&member);
		eprint->has_document = item.type == DAGCBOR_TEXT &&
		    cid_parse(item.text, &eprint->document) == 0;
	}
	if (dagcbor_find(blob, STR("size"), &member)) {
		item = dagcbor_next(&member);
		if (item.type == DAGCBOR_INT && item.integer > 0)
			eprint->document_bytes = (uint64_t)item.integer;
	}
}

void
eprint_read(struct bytes record, const struct eprint_map *map,
    struct eprint *eprint_out)
{
	struct eprint eprint = { 0 };
	struct dagcbor blob;

	eprint.title = text_at(record, map->paths[EPRINT_TITLE]);
	eprint.holder = text_at(record, map->paths[EPRINT_HOLDER]);
	if (!doi_parse(text_at(record, map->paths[EPRINT_DOI]), eprint.doi))
		eprint.doi[0] = '\0';
	if (find_path(record, map->paths[EPRINT_DOCUMENT], &blob))
		read_blob(blob, &eprint);
	*eprint_out = eprint;
}
