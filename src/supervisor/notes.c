#include "supervisor/notes.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum kind { LOG, ITEM, WORKS };

/* A log line has only a text, an item that works only its name.  The slices point into
 * `bytes`. */
struct note {
	STAILQ_ENTRY(note) entry;
	enum kind kind;
	struct ops_item what;
	char bytes[];
};

void
notes_init(struct notes *notes)
{
	STAILQ_INIT(&notes->list);
	notes->mark = notes->last = NULL;
}

void
notes_clear(struct notes *notes)
{
	struct note *note;

	while ((note = STAILQ_FIRST(&notes->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&notes->list, entry);
		free(note);
	}
	notes->mark = notes->last = NULL;
}

bool
notes_are_empty(const struct notes *notes)
{
	return STAILQ_EMPTY(&notes->list);
}

static struct str
keep(char **to, struct str text)
{
	struct str kept = { *to, text.len };

	if (text.len > 0)
		memcpy(*to, text.ptr, text.len);
	*to += text.len;
	return kept;
}

static void
add(struct notes *notes, enum kind kind, const struct ops_item *what)
{
	struct note *note = xmalloc(sizeof(*note) + what->item.len + what->class.len +
	    what->text.len);
	char *to = note->bytes;

	note->kind = kind;
	note->what = (struct ops_item){
		.at_ms = what->at_ms, .item = keep(&to, what->item),
		.class = keep(&to, what->class), .text = keep(&to, what->text),
	};
	STAILQ_INSERT_TAIL(&notes->list, note, entry);
	notes->last = note;
}

void
notes_add_log(struct notes *notes, int64_t at_ms, struct str text)
{
	add(notes, LOG, &(struct ops_item){ .at_ms = at_ms, .text = text });
}

void
notes_add_item(struct notes *notes, const struct ops_item *item)
{
	add(notes, ITEM, item);
}

void
notes_add_works(struct notes *notes, int64_t at_ms, struct str item)
{
	add(notes, WORKS, &(struct ops_item){ .at_ms = at_ms, .item = item });
}

void
notes_mark(struct notes *notes)
{
	notes->mark = notes->last;
}

static int
write_note(const struct note *note, struct ops *ops, struct str id, struct err *err)
{
	const struct ops_item *what = &note->what;

	switch (note->kind) {
	case LOG:
		return ops_note(ops, id, OP_EVENT_LOG, what->text, what->at_ms, NULL, NULL,
		    err);
	case ITEM:
		return ops_add_item(ops, id, what, err);
	case WORKS:
		return ops_take_back_item(ops, id, what->item, what->at_ms, err);
	}
	return 0;
}

int
notes_write(const struct notes *notes, enum notes_part part, struct ops *ops,
    struct str id, struct err *err)
{
	enum notes_part here = notes->mark != NULL ? NOTES_BEFORE_MARK : NOTES_BEHIND_MARK;
	const struct note *note;

	STAILQ_FOREACH(note, &notes->list, entry) {
		if (here == part && write_note(note, ops, id, err) == -1)
			return -1;
		if (note == notes->mark)
			here = NOTES_BEHIND_MARK;
	}
	return 0;
}
