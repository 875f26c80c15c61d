#include "workers/graph_rule.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "atproto/aturi.h"
#include "atproto/datetime.h"
#include "atproto/did.h"
#include "common/limits.h"

/* Where in the record: "externalIds[3].system". */
struct place {
	const struct place *outer;	/* NULL: the record itself */
	const char *name;
	int64_t index;			/* in an array; -1: it is none */
};

static int format_place(const struct place *place, char *to, size_t size);

static int
format_name(const struct place *place, char *to, size_t size)
{
	int len = 0;

	if (place->outer != NULL)
		len = format_place(place->outer, to, size);
	return len + snprintf(to + len, size - (size_t)len, "%s%s",
	    place->outer != NULL ? "." : "", place->name);
}

/* Names are ours and short, so it all fits. */
static int
format_place(const struct place *place, char *to, size_t size)
{
	int len = format_name(place, to, size);

	if (place->index >= 0)
		len += snprintf(to + len, size - (size_t)len, "[%" PRId64 "]",
		    place->index);
	return len;
}

static int BF_PRINTF(3, 4)
refuse(struct graph_fault *fault, const struct place *place, const char *fmt, ...)
{
	int len = format_place(place, fault->text, sizeof(fault->text));
	va_list ap;

	len += snprintf(fault->text + len, sizeof(fault->text) - (size_t)len, ": ");
	va_start(ap, fmt);
	(void)vsnprintf(fault->text + len, sizeof(fault->text) - (size_t)len, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- text --- */

/* spec: Lexicon, "uri": a scheme and something behind it, without blanks. */
static bool
is_uri(struct str text)
{
	const char *colon = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
	size_t scheme = colon != NULL ? (size_t)(colon - text.ptr) : 0;

	if (scheme == 0 || scheme + 1 == text.len || !str_is_visible(text))
		return false;
	for (size_t i = 0; i < scheme; i++) {
		char c = text.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && (i == 0 || ((c < '0' || c > '9') && c != '+' &&
		    c != '.' && c != '-')))
			return false;
	}
	return true;
}

/* What the text is not, or NULL. */
static const char *
lacks_format(enum graph_format format, struct str text)
{
	struct aturi uri;

	switch (format) {
	case GRAPH_ANY:
		break;
	case GRAPH_NOT_EMPTY:
		return text.len > 0 ? NULL : "is empty";
	case GRAPH_AT_URI:
		return aturi_is_valid(text) ? NULL : "is no AT-URI";
	case GRAPH_RECORD_URI:
		return aturi_parse(text, &uri) == 0 && !str_is_empty(uri.rkey) ? NULL :
		    "is no AT-URI of a record";
	case GRAPH_URI:
		return is_uri(text) ? NULL : "is no URI";
	case GRAPH_DATETIME:
		return datetime_is_valid(text) ? NULL : "is no datetime";
	case GRAPH_DID:
		return did_is_valid(text) ? NULL : "is no DID";
	}
	return NULL;
}

static int
check_text(const struct graph_rule *rule, const struct place *place, struct str text,
    struct graph_fault *fault)
{
	size_t max = rule->max_bytes != 0 ? rule->max_bytes : LIMIT_ATURI_BYTES;
	const char *why;

	if (text.len > max)
		return refuse(fault, place, "has %zu bytes, more than %zu", text.len, max);
	why = lacks_format(rule->format, text);
	return why == NULL ? 0 : refuse(fault, place, "%s", why);
}

/* --- values --- */

static const struct {
	enum dagcbor_type type;
	const char *name;
} types[] = {
	[GRAPH_TEXT] = { DAGCBOR_TEXT, "a string" },
	[GRAPH_INTEGER] = { DAGCBOR_INT, "an integer" },
	[GRAPH_BOOLEAN] = { DAGCBOR_BOOL, "a boolean" },
	[GRAPH_OBJECT] = { DAGCBOR_MAP, "an object" },
	[GRAPH_TEXTS] = { DAGCBOR_ARRAY, "an array" },
	[GRAPH_OBJECTS] = { DAGCBOR_ARRAY, "an array" },
};

static int check_map(const struct graph_rule *rules, const struct place *outer,
    struct dagcbor map, void *row, struct graph_fault *fault);

static int
check_items(const struct graph_rule *rule, struct place *place, struct dagcbor items,
    uint64_t count, struct graph_fault *fault)
{
	enum graph_type type = rule->type == GRAPH_TEXTS ? GRAPH_TEXT : GRAPH_OBJECT;

	if (count > rule->max_items)
		return refuse(fault, place, "has %" PRIu64 " items, more than %zu", count,
		    rule->max_items);
	for (uint64_t i = 0; i < count; i++) {
		struct dagcbor at = items;
		struct dagcbor_item item = dagcbor_next(&at);

		place->index = (int64_t)i;
		if (item.type != types[type].type)
			return refuse(fault, place, "is not %s", types[type].name);
		if ((type == GRAPH_TEXT ? check_text(rule, place, item.text, fault) :
		    check_map(rule->members, place, items, NULL, fault)) == -1)
			return -1;
		dagcbor_skip(&items);
	}
	return 0;
}

static int
check_value(const struct graph_rule *rule, const struct place *outer,
    struct dagcbor value, void *row, struct graph_fault *fault)
{
	struct place place = { outer, rule->name, -1 };
	struct dagcbor at = value;
	struct dagcbor_item item = dagcbor_next(&at);

	if (item.type == DAGCBOR_NULL && !rule->is_required)
		return 0;
	if (item.type != types[rule->type].type)
		return refuse(fault, &place, "is not %s", types[rule->type].name);
	switch (rule->type) {
	case GRAPH_TEXT:
		if (rule->is_kept)
			*(struct str *)(void *)((char *)row + rule->offset) = item.text;
		return check_text(rule, &place, item.text, fault);
	case GRAPH_INTEGER:
		if (item.integer < rule->least || item.integer > rule->most)
			return refuse(fault, &place, "%" PRId64 " is not in %" PRId64 " to %"
			    PRId64, item.integer, rule->least, rule->most);
		return 0;
	case GRAPH_BOOLEAN:
		return 0;
	case GRAPH_OBJECT:
		return check_map(rule->members, &place, value, NULL, fault);
	case GRAPH_TEXTS:
	case GRAPH_OBJECTS:
		return check_items(rule, &place, at, item.count, fault);
	}
	return 0;
}

static int
check_map(const struct graph_rule *rules, const struct place *outer, struct dagcbor map,
    void *row, struct graph_fault *fault)
{
	for (const struct graph_rule *rule = rules; rule->name != NULL; rule++) {
		struct dagcbor value;

		if (dagcbor_find(map, str_from(rule->name), &value)) {
			if (check_value(rule, outer, value, row, fault) == -1)
				return -1;
		} else if (rule->is_required) {
			struct place place = { outer, rule->name, -1 };

			return refuse(fault, &place, "is missing");
		}
	}
	return 0;
}

int
graph_rule_check(const struct graph_rule *rules, struct dagcbor map, void *row,
    struct graph_fault *fault)
{
	return check_map(rules, NULL, map, row, fault);
}
