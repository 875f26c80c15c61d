#include "api/items.h"

#include <stdlib.h>

#include "api/page.h"
#include "common/limits.h"

#define CLASSES_MOST	32	/* workers know fewer; the rest is "other" */
#define ITEMS_SHOWN	100

/* Slices are borrowed from the store's snapshot. */
struct tally {
	struct page *page;
	unsigned kept;			/* items that the store has */
	struct class {
		struct str name;
		unsigned count;
	} classes[CLASSES_MOST];
	unsigned classes_count;
	unsigned left;			/* to write */
};

static bool
on_count(const struct ops_item *item, void *arg)
{
	struct tally *tally = arg;
	unsigned i;

	tally->kept++;
	for (i = 0; i < tally->classes_count; i++)
		if (str_eq(tally->classes[i].name, item->class))
			break;
	if (i == CLASSES_MOST)
		i--;
	if (i == tally->classes_count)
		tally->classes[tally->classes_count++] = (struct class){
			i == CLASSES_MOST - 1 ? STR("other") : item->class, 0 };
	tally->classes[i].count++;
	return true;
}

static int
by_count(const void *a, const void *b)
{
	const struct class *one = a, *other = b;

	return (one->count < other->count) - (one->count > other->count);
}

static void
write_classes(struct buf *to, struct tally *tally)
{
	qsort(tally->classes, tally->classes_count, sizeof(tally->classes[0]), by_count);
	html(to, "<ul class=\"classes\">");
	for (unsigned i = 0; i < tally->classes_count; i++) {
		const struct class *class = &tally->classes[i];

		html(to, "<li><span>");
		html_text(to, str_is_empty(class->name) ? STR("other") : class->name);
		buf_printf(to, "</span><meter min=\"0\" max=\"%u\" value=\"%u\"></meter><strong>",
		    tally->classes[0].count, class->count);
		html_count(to, class->count);
		html(to, "</strong></li>");
	}
	html(to, "</ul>\n");
}

static bool
on_item(const struct ops_item *item, void *arg)
{
	struct tally *tally = arg;
	struct page *page = tally->page;
	struct buf *to = page->to;

	if (tally->left-- == 0)
		return false;
	html(to, "<tr><td><code>");
	html_text(to, item->item);
	html(to, "</code></td><td>");
	html_text(to, item->class);
	html(to, "</td><td>");
	html_text(to, item->text);
	html(to, "</td><td class=\"num\">");
	html_ago(to, item->at_ms, page->now_ms);
	html(to, "</td></tr>\n");
	return true;
}

/* More failed than are shown, or were kept. */
static void
write_rest(struct buf *to, const struct op *op, const struct tally *tally)
{
	html(to, "<p class=\"more\">The first ");
	html_count(to, tally->kept < ITEMS_SHOWN ? tally->kept : ITEMS_SHOWN);
	html(to, " of them; <code>backfillctl show --items ");
	html_text(to, op->id);
	html(to, "</code> has up to ");
	html_count(to, LIMIT_OP_ITEMS);
	html(to, ".</p>\n");
}

int
items_write(struct page *page, struct ops_read *read, const struct op *op,
    struct err *err)
{
	struct tally tally = { .page = page, .left = ITEMS_SHOWN };
	struct buf *to = page->to;

	if (op->items_failed == 0)
		return 0;
	if (ops_items(read, op->id, on_count, &tally, err) == -1)
		return -1;
	html(to, "<section aria-labelledby=\"items-h\"><h2 id=\"items-h\">Failed items "
	    "<span class=\"count\">");
	html_count(to, op->items_failed);
	html(to, "</span></h2>\n");
	write_classes(to, &tally);
	html(to, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	    "aria-labelledby=\"items-h\"><table class=\"items\"><thead><tr>"
	    "<th>Item</th><th>Class</th><th>Why</th><th class=\"num\">When</th></tr></thead>"
	    "<tbody>\n");
	if (ops_items(read, op->id, on_item, &tally, err) == -1)
		return -1;
	html(to, "</tbody></table></div>\n");
	if (op->items_failed > ITEMS_SHOWN)
		write_rest(to, op, &tally);
	html(to, "</section>\n");
	return 0;
}
