#include "fetch/crossref.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"
#include "fetch/json_get.h"
#include "fetch/url.h"

struct crossref {
	struct json_get *get;		/* NULL once it is done */
	crossref_cb *cb;
	void *arg;
};

struct polite_options
crossref_rates(struct str mail)
{
	if (mail.len > 0)
		return (struct polite_options){ .requests_per_s = 10, .burst = 3,
		    .per_host_max = 3 };
	return (struct polite_options){ .requests_per_s = 5, .burst = 1,
	    .per_host_max = 1 };
}

static struct str
text_of(json_t *value)
{
	return (struct str){ json_string_value(value), json_string_length(value) };
}

/* "issued": {"date-parts": [[2017, 5]]} */
static unsigned
year_of(json_t *message)
{
	json_t *parts = json_object_get(json_object_get(message, "issued"), "date-parts");
	json_int_t year = json_integer_value(json_array_get(json_array_get(parts, 0), 0));

	return year > 0 && year < 10000 ? (unsigned)year : 0;
}

static void
on_json(const struct fetch_error *error, json_t *json, void *arg)
{
	struct crossref *crossref = arg;
	struct crossref_work work = { 0 };
	struct fetch_error no_work;
	json_t *message = json_object_get(json, "message");

	crossref->get = NULL;
	if (error->class == FETCH_OK && !json_is_object(message)) {
		fetch_error_set(&no_work, FETCH_INVALID, "the answer is no work");
		error = &no_work;
	}
	if (error->class == FETCH_OK) {
		work.title = text_of(json_array_get(json_object_get(message, "title"), 0));
		work.venue = text_of(json_array_get(
		    json_object_get(message, "container-title"), 0));
		work.year = year_of(message);
	}
	crossref->cb(error, error->class == FETCH_OK ? &work : NULL, crossref->arg);
	free(crossref);
}

struct crossref *
crossref_look_up(struct http *http, const char *url, struct str mail, struct str doi,
    crossref_cb *cb, void *arg)
{
	struct crossref *crossref = xcalloc(1, sizeof(*crossref));
	struct buf text = BUF_INIT;

	crossref->cb = cb;
	crossref->arg = arg;
	buf_printf(&text, "%s/works/", url);
	url_encode(&text, doi);
	if (mail.len > 0) {
		buf_printf(&text, "?mailto=");
		url_encode(&text, mail);
	}
	buf_add_byte(&text, '\0');
	crossref->get = json_get_start(http, (const char *)buf_data(&text), on_json,
	    crossref);
	buf_clear(&text);
	return crossref;
}

void
crossref_cancel(struct crossref **crossref)
{
	if (*crossref != NULL && (*crossref)->get != NULL) {
		json_get_cancel(&(*crossref)->get);
		free(*crossref);
	}
	*crossref = NULL;
}
