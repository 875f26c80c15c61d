/*
 * page.h - what all pages of the dashboard have in common.
 *
 * The pages are whole without a script: app.js only keeps them up to date and spares
 * reloads.  What it may replace by a newer version of itself is an element with an id
 * and `data-live`.
 */
#ifndef BF_API_PAGE_H
#define BF_API_PAGE_H

#include <stdbool.h>

#include "api/html.h"
#include "op/op.h"

struct err;
struct op_type;
struct request;

struct page {
	struct buf *to;			/* borrowed: the reply's body */
	struct request *request;	/* borrowed */
	int64_t now_ms;
	bool may_change;		/* show what changes something */
};

/* Start the reply: everything up to the page's own content. */
struct page page_begin(struct request *request, unsigned status, const char *title);
void page_end(struct page *page);

/* A page that says one thing: that there is no such operation, for example. */
void page_message(struct request *request, unsigned status, const char *title,
    const char *text);

/* The store cannot be read: logged, and a page about it. */
void page_store_error(struct request *request, const struct err *err);

/* The hidden field that every form needs. */
void page_form_token(struct page *page);

/* --- an operation's parts --- */

/* "DID sync", "PDS scan"; a type of an operator's own as it is. */
void page_type(struct page *page, struct str type);

/* What it works on: a DID, a host, an address; "everything" if nothing was named. */
void page_target(struct page *page, const struct op *op);

void page_badge(struct page *page, const struct op *op);

/* The bar with its figures, for a running operation; kept up to date by app.js. */
void page_progress(struct page *page, const struct op *op);

/* How long it took, or has taken so far. */
void page_duration(struct page *page, const struct op *op);

/* Buttons, for an operation that has not ended; nothing otherwise. */
void page_cancel_form(struct page *page, const struct op *op);
void page_pause_form(struct page *page, const struct op *op);

#endif
