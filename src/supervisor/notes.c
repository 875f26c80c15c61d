#include "supervisor/notes.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* A log line has only a text; its item is empty.  The slices point into `bytes`. */
struct note {
	STAILQ_ENTRY(note) entry;
	struct ops_item what;
	char bytes[];
};

void
notes_init(struct notes *notes)
{
	STAILQ_INIT(notes);
}

void
notes_clear(struct notes *notes)
{
	struct note *note;

	while ((note = STAILQ_FIRST(notes)) != NULL) {
		STAILQ_REMOVE_HEAD(notes, entry);
		free(note);
	}
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

void
notes_add_item(struct notes *notes, const struct ops_item *item)
{
	struct note *note = xmalloc(sizeof(*note) + item->item.len + item->class.len +
	    item->text.len);
	char *to = note->bytes;

	note->what = (struct ops_item){
		.at_ms = item->at_ms, .item = keep(&to, item->item),
		.class = keep(&to, item->class), .text = keep(&to, item->text),
	};
	STAILQ_INSERT_TAIL(notes, note, entry);
}

void
notes_add_log(struct notes *notes, int64_t at_ms, struct str text)
{
	struct ops_item line = { .at_ms = at_ms, .text = text };

	notes_add_item(notes, &line);
}

int
notes_write(const struct notes *notes, struct ops *ops, struct str id,
    struct err *err)
{
	const struct note *note;

	STAILQ_FOREACH(note, notes, entry) {
		const struct ops_item *what = &note->what;
		bool is_log = str_is_empty(what->item) && str_is_empty(what->class);

		if ((is_log ? ops_note(ops, id, OP_EVENT_LOG, what->text, what->at_ms, NULL,
		    NULL, err) : ops_add_item(ops, id, what, err)) == -1)
			return -1;
	}
	return 0;
}
