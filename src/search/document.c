#include "search/document.h"

#include "atproto/cid.h"
#include "atproto/dagcbor.h"
#include "common/limits.h"
#include "common/utf8.h"

void
search_document_clear(struct search_document *document)
{
	buf_clear(&document->uri);
	buf_clear(&document->cid);
	for (size_t i = 0; i < SEARCH_FIELDS_COUNT; i++)
		buf_clear(&document->text[i]);
}

static void
add_piece(struct buf *to, struct str piece)
{
	size_t room = LIMIT_SEARCH_FIELD_BYTES - buf_len(to);

	if (buf_len(to) > 0 && room > 0) {
		buf_add_byte(to, '\n');
		room--;
	}
	buf_add_str(to, utf8_cut(piece, room));
}

/* An array on the way to what a path names; it stands for its items. */
struct level {
	uint64_t left;		/* items that were not looked at */
	struct dagcbor next;	/* the first of them */
	struct str path;	/* from here on */
};

/* The member that a path begins with; the path then goes on behind it. */
static bool
enter(struct dagcbor *at, struct str *path)
{
	const char *dot = memchr(path->ptr, '.', path->len);
	size_t len = dot != NULL ? (size_t)(dot - path->ptr) : path->len;
	struct str name = { path->ptr, len };

	*path = dot == NULL ? STR_NONE : (struct str){ dot + 1, path->len - len - 1 };
	return dagcbor_find(*at, name, at);
}

/* The next item of the innermost array that has one. */
static bool
go_back(struct level *levels, size_t *depth, struct dagcbor *at, struct str *path)
{
	struct level *level;

	while (*depth > 0 && levels[*depth - 1].left == 0)
		--*depth;
	if (*depth == 0)
		return false;
	level = &levels[*depth - 1];
	*at = level->next;
	*path = level->path;
	if (--level->left > 0)
		dagcbor_skip(&level->next);
	return true;
}

/*
 * Follow a path from a value; every text that it ends at is added.  What was
 * checked nests at most LIMIT_CBOR_DEPTH deep, and so does the way back.
 */
static void
follow(struct dagcbor at, struct str path, struct buf *to)
{
	struct level levels[LIMIT_CBOR_DEPTH];
	size_t depth = 0;

	do {
		struct dagcbor inside = at;
		struct dagcbor_item item = dagcbor_next(&inside);

		while (item.type == DAGCBOR_MAP && path.len > 0 && enter(&at, &path)) {
			inside = at;
			item = dagcbor_next(&inside);
		}
		if (item.type == DAGCBOR_TEXT && path.len == 0)
			add_piece(to, item.text);
		else if (item.type == DAGCBOR_ARRAY)
			levels[depth++] = (struct level){ item.count, inside, path };
	} while (go_back(levels, &depth, &at, &path));
}

static void
set_names(struct search_document *document, struct str did, struct str path,
    struct bytes cid)
{
	const char *slash = memchr(path.ptr, '/', path.len);
	char text[CID_TEXT_SIZE];
	struct cid parsed;

	buf_reset(&document->uri);
	buf_printf(&document->uri, "at://%.*s/%.*s", STR_FMT(did), STR_FMT(path));
	document->collection = (struct str){
		(const char *)buf_data(&document->uri) + strlen("at://") + did.len + 1,
		slash != NULL ? (size_t)(slash - path.ptr) : path.len,
	};
	buf_reset(&document->cid);
	if (cid_unpack(cid, &parsed) == 0) {
		cid_format(&parsed, text);
		buf_add_str(&document->cid, str_from(text));
	}
}

int
search_document_fill(struct search_document *document, const struct mapping_row *row,
    struct str did, struct str path, struct bytes cid, struct bytes record,
    struct fault *fault)
{
	if (dagcbor_check(record, fault) == -1)
		return -1;
	set_names(document, did, path, cid);
	for (size_t i = 0; i < SEARCH_FIELDS_COUNT; i++)
		buf_reset(&document->text[i]);
	for (size_t i = 0; i < row->paths_count; i++)
		follow(dagcbor_read(record), row->paths[i].path,
		    &document->text[row->paths[i].field]);
	return 0;
}
