#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "atproto/cid.h"
#include "atproto/dagcbor.h"
#include "atproto/dagcbor_json.h"
#include "atproto/did.h"
#include "atproto/nsid.h"
#include "common/human.h"
#include "common/json.h"
#include "common/mem.h"
#include "ctl/index_query.h"
#include "ctl/table.h"

#define WRITE_BYTES	(64 * 1024)	/* lines are gathered up to this */

static const struct table_column columns[] = {
	{ "COLLECTION", false, 12 },
	{ "RECORDS", true, 0 },
};

struct tally {
	char *collection;	/* owned */
	uint64_t records;
};

struct output {
	struct buf lines;
	struct tally *tallies;	/* owned; in the order they were met */
	size_t tallies_count, last;
	uint64_t damaged;
};

static struct str
collection_of(struct str path)
{
	const char *slash = path.len > 0 ? memchr(path.ptr, '/', path.len) : NULL;

	return (struct str){ path.ptr, slash != NULL ? (size_t)(slash - path.ptr) :
	    path.len };
}

static bool
is_tally_of(const struct output *out, size_t i, struct str collection)
{
	return i < out->tallies_count &&
	    str_eq(str_from(out->tallies[i].collection), collection);
}

/* Records come repository by repository in order of path: mostly the last
 * collection again, and there are few. */
static void
on_counted_record(const struct msg *msg, void *arg)
{
	struct str collection = collection_of(msg->record.path);
	struct output *out = arg;

	if (!is_tally_of(out, out->last, collection)) {
		out->last = 0;
		while (out->last < out->tallies_count &&
		    !is_tally_of(out, out->last, collection))
			out->last++;
	}
	if (out->last == out->tallies_count) {
		out->tallies = xrealloc(out->tallies,
		    ++out->tallies_count * sizeof(*out->tallies));
		out->tallies[out->last] = (struct tally){
			xstrndup(collection.ptr, collection.len), 0,
		};
	}
	out->tallies[out->last].records++;
}

static void
add_uri(struct buf *to, const struct msg_record *record)
{
	struct buf uri = BUF_INIT;

	buf_printf(&uri, "at://%.*s/", STR_FMT(record->did));
	buf_add_str(&uri, record->path);
	json_quote(to, buf_str(&uri));
	buf_clear(&uri);
}

static void
on_record(const struct msg *msg, void *arg)
{
	const struct msg_record *record = &msg->record;
	struct output *out = arg;
	char text[CID_TEXT_SIZE];
	struct fault fault;
	struct cid cid;

	/* It was verified before it was stored; a damaged store must not steer us. */
	if (cid_unpack(record->cid, &cid) == -1 ||
	    dagcbor_check(record->record, &fault) == -1) {
		out->damaged++;
		return;
	}
	cid_format(&cid, text);
	buf_add_str(&out->lines, STR("{\"uri\":"));
	add_uri(&out->lines, record);
	buf_printf(&out->lines, ",\"cid\":\"%s\",\"value\":", text);
	dagcbor_to_json(record->record, &out->lines);
	buf_add_str(&out->lines, STR("}\n"));
	if (buf_len(&out->lines) >= WRITE_BYTES)
		term_write(&out->lines);
}

static int
by_collection(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->collection,
	    ((const struct tally *)b)->collection);
}

static void
print_counts_json(const struct output *out)
{
	struct buf lines = BUF_INIT;

	for (size_t i = 0; i < out->tallies_count; i++) {
		struct json json = json_to(&lines);

		json_object_begin(&json);
		json_member_str(&json, STR("collection"),
		    str_from(out->tallies[i].collection));
		json_member_u64(&json, STR("records"), out->tallies[i].records);
		json_object_end(&json);
		buf_add_byte(&lines, '\n');
	}
	term_write(&lines);
	buf_clear(&lines);
}

static void
print_counts(const struct ctl *ctl, struct output *out)
{
	struct table *table = table_new(columns, BF_ARRAY_LEN(columns));
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < out->tallies_count; i++) {
		char count[HUMAN_SIZE];

		if (ctl->term.is_tty)
			human_count(out->tallies[i].records, count);
		else
			(void)snprintf(count, sizeof(count), "%" PRIu64,
			    out->tallies[i].records);
		table_add(table, str_from(out->tallies[i].collection));
		table_add(table, str_from(count));
	}
	table_format(table, &ctl->term, ctl->term.is_tty ? term_columns() : TABLE_NO_WIDTH, &text);
	term_write(&text);
	buf_clear(&text);
	table_free(&table);
}

static int
query(struct ctl *ctl, const struct msg *question, index_answer_cb *on_answer,
    struct output *out, struct err *err)
{
	struct client records;
	int rc = 0;

	if (ctl_open_records(ctl, &records, err) == -1)
		return -1;
	if (!str_is_empty(question->records.did))
		rc = index_query_has_repo(&records, question->records.did, err);
	if (rc == 0)
		rc = index_query(&records, question, MSG_TYPE_RECORD, on_answer, out, err);
	client_clear(&records);
	if (rc == 0 && out->damaged > 0)
		return err_set(err, ERR_CORRUPT, "%" PRIu64 " records are damaged and were "
		    "left out", out->damaged);
	return rc;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct msg msg = { .type = MSG_TYPE_RECORDS, .records = {
		.lane = 1, .did = str_from(args_value(args, "did")),
		.collection = str_from(args_value(args, "collection")),
	} };
	bool is_counted = args_has(args, "count");
	struct output out = { .lines = BUF_INIT };
	struct err err;
	int rc;

	if (!str_is_empty(msg.records.did) && !did_is_valid(msg.records.did))
		return ctl_usage(ctl, "--did %.*s: not a DID", STR_FMT(msg.records.did));
	if (!str_is_empty(msg.records.collection) &&
	    !nsid_pattern_is_valid(msg.records.collection))
		return ctl_usage(ctl, "--collection %.*s: has to be an NSID, or its start "
		    "and \".*\"", STR_FMT(msg.records.collection));
	rc = query(ctl, &msg, is_counted ? on_counted_record : on_record, &out, &err);
	term_write(&out.lines);
	if (rc == 0 && is_counted && out.tallies_count > 0) {
		qsort(out.tallies, out.tallies_count, sizeof(*out.tallies), by_collection);
		if (ctl->is_json)
			print_counts_json(&out);
		else
			print_counts(ctl, &out);
	}
	for (size_t i = 0; i < out.tallies_count; i++)
		free(out.tallies[i].collection);
	free(out.tallies);
	buf_clear(&out.lines);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

static const struct args_option options[] = {
	{ "did", 0, "DID", "only this repository" },
	{ "collection", 0, "NSID", "only this collection, or all of \"pub.chive.*\"" },
	{ "count", 0, NULL, "only how many there are of each collection" },
	{ 0 },
};

const struct command command_records = {
	.name = "records",
	.operands = "",
	.summary = "print what is indexed, one JSON document a line",
	.details =
	    "Each line is {\"uri\", \"cid\", \"value\"}; repository by repository, in order\n"
	    "of path.  What is printed is one snapshot of the index.\n",
	.options = options,
	.run = run,
};
