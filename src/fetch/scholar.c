#include "fetch/scholar.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/json_get.h"
#include "fetch/url.h"

#define PAGE	500		/* the most that it gives */
#define PAGES	(LIMIT_CITATIONS / 100)	/* of fewer, each costs three seconds */

struct scholar {
	struct http *http;		/* borrowed, outlives us */
	struct json_get *get;		/* NULL once it is done */
	scholar_work_cb *on_work;
	scholar_done_cb *on_done;
	void *arg;
	struct buf paper;		/* owned; the URL up to its parameters */
	uint64_t offset;
	unsigned pages;			/* that came */
};

struct polite_options
scholar_rates(void)
{
	return (struct polite_options){ .requests_per_s = 1 / 3.0, .burst = 1,
	    .per_host_max = 1 };
}

static void ask_page(struct scholar *scholar);

static struct str
text_member(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return (struct str){ json_string_value(value), json_string_length(value) };
}

static void
join_authors(json_t *paper, struct buf *to)
{
	json_t *author;
	size_t i;

	json_array_foreach(json_object_get(paper, "authors"), i, author) {
		if (buf_len(to) > 0)
			buf_printf(to, "; ");
		buf_add_str(to, text_member(author, "name"));
	}
}

static void
tell_work(struct scholar *scholar, json_t *paper)
{
	json_t *ids = json_object_get(paper, "externalIds");
	json_int_t year = json_integer_value(json_object_get(paper, "year"));
	struct buf authors = BUF_INIT;

	join_authors(paper, &authors);
	scholar->on_work(&(struct scholar_work){
		.title = text_member(paper, "title"),
		.venue = text_member(paper, "venue"),
		.doi = text_member(ids, "DOI"),
		.arxiv = text_member(ids, "ArXiv"),
		.authors = buf_str(&authors),
		.year = year > 0 && year < 10000 ? (unsigned)year : 0,
	}, scholar->arg);
	buf_clear(&authors);
}

static void
scholar_free(struct scholar *scholar)
{
	buf_clear(&scholar->paper);
	free(scholar);
}

static void
on_page(const struct fetch_error *error, json_t *json, void *arg)
{
	struct scholar *scholar = arg;
	json_t *row, *next = json_object_get(json, "next");
	struct fetch_error no_list;
	size_t i;

	scholar->get = NULL;
	/* Null it is where the publisher wants it. */
	if (error->class == FETCH_OK && json_object_get(json, "data") == NULL) {
		fetch_error_set(&no_list, FETCH_INVALID, "the answer is no list");
		error = &no_list;
	}
	if (error->class == FETCH_OK) {
		json_array_foreach(json_object_get(json, "data"), i, row)
			tell_work(scholar, json_object_get(row, "citedPaper"));
		/* A `next` that does not go on would never end. */
		if (json_is_integer(next) &&
		    json_integer_value(next) > (json_int_t)scholar->offset &&
		    json_integer_value(next) < LIMIT_CITATIONS &&
		    ++scholar->pages < PAGES) {
			scholar->offset = (uint64_t)json_integer_value(next);
			ask_page(scholar);
			return;
		}
	}
	scholar->on_done(error, scholar->arg);
	scholar_free(scholar);
}

static void
ask_page(struct scholar *scholar)
{
	struct buf url = BUF_INIT;

	buf_add_str(&url, buf_str(&scholar->paper));
	buf_printf(&url, "?fields=title,authors,year,externalIds,venue&limit=%d&offset=%llu",
	    PAGE, (unsigned long long)scholar->offset);
	buf_add_byte(&url, '\0');
	scholar->get = json_get_start(scholar->http, (const char *)buf_data(&url), on_page,
	    scholar);
	buf_clear(&url);
}

struct scholar *
scholar_references(struct http *http, const char *url, struct str doi,
    scholar_work_cb *on_work, scholar_done_cb *on_done, void *arg)
{
	struct scholar *scholar = xcalloc(1, sizeof(*scholar));

	scholar->http = http;
	scholar->on_work = on_work;
	scholar->on_done = on_done;
	scholar->arg = arg;
	buf_printf(&scholar->paper, "%s/paper/DOI:", url);
	url_encode(&scholar->paper, doi);
	buf_printf(&scholar->paper, "/references");
	ask_page(scholar);
	return scholar;
}

void
scholar_cancel(struct scholar **scholar)
{
	if (*scholar != NULL && (*scholar)->get != NULL) {
		json_get_cancel(&(*scholar)->get);
		scholar_free(*scholar);
	}
	*scholar = NULL;
}
