#include "search/mapping.h"

#include <stdlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/settings.h"

struct mapping {
	char *text;			/* owned; all slices point into it */
	struct mapping_row *rows;	/* owned */
	size_t count;
};

const char *const search_field_names[SEARCH_FIELDS_COUNT] = {
#define F(NAME, name, weight)	#name,
	SEARCH_FIELDS(F)
#undef F
};

static bool
find_field(struct str name, enum search_field *field_out)
{
	for (size_t i = 0; i < SEARCH_FIELDS_COUNT; i++)
		if (str_eq(name, str_from(search_field_names[i]))) {
			*field_out = (enum search_field)i;
			return true;
		}
	return false;
}

static int
check_path(struct str path, struct str item, struct err *err)
{
	bool was_dot = true;

	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] == '.' && was_dot)
			break;
		was_dot = path.ptr[i] == '.';
	}
	if (was_dot || path.len > LIMIT_SEARCH_PATH_BYTES)
		return err_set(err, ERR_INVALID, "search_mapping: %.*s: '%.*s' is no "
		    "path of member names with dots between", STR_FMT(item),
		    STR_FMT(path));
	return 0;
}

static void
add_path(struct mapping_row *row, enum search_field field, struct str path)
{
	row->paths = xrealloc(row->paths, (row->paths_count + 1) * sizeof(*row->paths));
	row->paths[row->paths_count++] = (struct mapping_path){ field, path };
}

/* "authors=authors.name,authors.orcid" */
static int
add_paths(struct mapping *mapping, struct str item, size_t equals, struct err *err)
{
	struct str name = { item.ptr, equals };
	struct str rest = { item.ptr + equals + 1, item.len - equals - 1 };
	enum search_field field;

	if (mapping->count == 0)
		return err_set(err, ERR_INVALID, "search_mapping: %.*s: a collection has "
		    "to stand before it", STR_FMT(item));
	if (!find_field(name, &field))
		return err_set(err, ERR_INVALID, "search_mapping: %.*s: there is no "
		    "field '%.*s' (title, abstract, keywords, authors, fields)",
		    STR_FMT(item), STR_FMT(name));
	for (;;) {
		const char *comma = rest.len > 0 ? memchr(rest.ptr, ',', rest.len) : NULL;
		size_t len = comma != NULL ? (size_t)(comma - rest.ptr) : rest.len;
		struct str path = { rest.ptr, len };

		if (check_path(path, item, err) == -1)
			return -1;
		add_path(&mapping->rows[mapping->count - 1], field, path);
		if (comma == NULL)
			return 0;
		rest = (struct str){ comma + 1, rest.len - len - 1 };
	}
}

static int
add_collection(struct mapping *mapping, struct str item, struct err *err)
{
	if (item.len > LIMIT_COLLECTION_BYTES || memchr(item.ptr, '.', item.len) == NULL)
		return err_set(err, ERR_INVALID, "search_mapping: %.*s: neither a "
		    "collection nor FIELD=PATH", STR_FMT(item));
	if (mapping_find(mapping, item) != NULL)
		return err_set(err, ERR_INVALID, "search_mapping: %.*s stands there "
		    "twice", STR_FMT(item));
	mapping->rows = xrealloc(mapping->rows,
	    (mapping->count + 1) * sizeof(*mapping->rows));
	mapping->rows[mapping->count++] = (struct mapping_row){ .collection = item };
	return 0;
}

/* Every collection gives something. */
static int
check_rows(const struct mapping *mapping, struct err *err)
{
	if (mapping->count == 0)
		return err_set(err, ERR_INVALID, "search_mapping: no collection is named");
	for (size_t i = 0; i < mapping->count; i++)
		if (mapping->rows[i].paths_count == 0)
			return err_set(err, ERR_INVALID, "search_mapping: %.*s gives "
			    "nothing: FIELD=PATH has to follow",
			    STR_FMT(mapping->rows[i].collection));
	return 0;
}

static int
parse(struct mapping *mapping, struct err *err)
{
	struct str rest = str_from(mapping->text);
	struct str item;

	while ((item = settings_next_item(&rest)).len > 0) {
		const char *equals = memchr(item.ptr, '=', item.len);
		int rc = equals != NULL ?
		    add_paths(mapping, item, (size_t)(equals - item.ptr), err) :
		    add_collection(mapping, item, err);

		if (rc == -1)
			return -1;
	}
	return check_rows(mapping, err);
}

int
mapping_parse(struct str list, struct mapping **mapping_out, struct err *err)
{
	struct mapping *mapping = xcalloc(1, sizeof(*mapping));

	mapping->text = xstrndup(list.ptr != NULL ? list.ptr : "", list.len);
	if (parse(mapping, err) == -1) {
		mapping_free(&mapping);
		return -1;
	}
	*mapping_out = mapping;
	return 0;
}

void
mapping_free(struct mapping **mapping)
{
	if (*mapping == NULL)
		return;
	for (size_t i = 0; i < (*mapping)->count; i++)
		free((*mapping)->rows[i].paths);
	free((*mapping)->rows);
	free((*mapping)->text);
	free(*mapping);
	*mapping = NULL;
}

size_t
mapping_count(const struct mapping *mapping)
{
	return mapping->count;
}

const struct mapping_row *
mapping_row(const struct mapping *mapping, size_t n)
{
	return &mapping->rows[n];
}

const struct mapping_row *
mapping_find(const struct mapping *mapping, struct str collection)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (str_eq(mapping->rows[i].collection, collection))
			return &mapping->rows[i];
	return NULL;
}
