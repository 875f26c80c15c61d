#include "ctl/repo_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "atproto/dagcbor_json.h"
#include "common/exitcode.h"
#include "common/json.h"

#define FLUSH_BYTES	(256 * 1024)

static void
flush(struct repo_session *s, size_t above_bytes)
{
	if (buf_len(&s->out) > above_bytes) {
		fwrite(buf_data(&s->out), 1, buf_len(&s->out), stdout);
		buf_reset(&s->out);
	}
}

static int
each_record(struct repo_session *s, void each(struct repo_session *,
    const struct repo_record *,
    const struct repo_walk *))
{
	struct repo_walk *walk = repo_walk_new(s->repo, s->args->filter);
	struct repo_record record;
	struct fault fault;
	char text[FAULT_TEXT_SIZE];
	int rc;

	while ((rc = repo_walk_next(walk, &record, &fault)) > 0) {
		each(s, &record, walk);
		flush(s, FLUSH_BYTES);
	}
	if (rc < 0) {
		fault_format(&fault, text);
		fprintf(stderr, "backfillctl repo: %s\n", text);
	}
	repo_walk_free(&walk);
	return rc < 0 ? EXIT_SYSTEM : EXIT_OK;
}

static void
say_bad(const struct repo_walk *walk)
{
	struct fault fault = repo_walk_fault(walk);
	char text[FAULT_TEXT_SIZE];

	fault_format(&fault, text);
	fprintf(stderr, "bad record: %s\n", text);
}

static void
ls_one(struct repo_session *s, const struct repo_record *record,
    const struct repo_walk *walk)
{
	char cid[CID_TEXT_SIZE];

	cid_format(&record->cid, cid);
	buf_printf(&s->out, "%.*s\t%s\t", STR_FMT(record->path), cid);
	if (record->bad == FAULT_NONE) {
		buf_printf(&s->out, "%zu\n", record->bytes.len);
	} else {
		buf_printf(&s->out, "-\n");
		say_bad(walk);
	}
}

static void
export_one(struct repo_session *s, const struct repo_record *record,
    const struct repo_walk *walk)
{
	char cid[CID_TEXT_SIZE];

	if (record->bad != FAULT_NONE) {
		say_bad(walk);
		return;
	}
	/* DIDs, paths and CIDs have no characters that JSON escapes. */
	cid_format(&record->cid, cid);
	buf_printf(&s->out, "{\"uri\":\"at://%.*s/%.*s\",\"cid\":\"%s\",\"value\":",
	    STR_FMT(repo_commit(s->repo)->did), STR_FMT(record->path), cid);
	dagcbor_to_json(record->bytes, &s->out);
	buf_add_str(&s->out, STR("}\n"));
}

static void
verify_one(struct repo_session *s, const struct repo_record *record,
    const struct repo_walk *walk)
{
	struct fault fault = repo_walk_fault(walk);
	char text[FAULT_TEXT_SIZE];

	if (record->bad == FAULT_NONE)
		return;
	fault_format(&fault, text);
	buf_printf(&s->out, "bad record: %s\n", text);
}

static void
bad_json_one(struct repo_session *s, const struct repo_record *record,
    const struct repo_walk *walk)
{
	struct fault fault = repo_walk_fault(walk);
	struct json *json = &s->json;

	if (record->bad == FAULT_NONE)
		return;
	json_object_begin(json);
	json_member_str(json, STR("path"), record->path);
	json_member_str(json, STR("reason"), str_from(fault_kind(fault.code)));
	json_member_str(json, STR("text"), str_from(fault_text(fault.code)));
	json_member_u64(json, STR("offset"), fault.offset);
	json_object_end(json);
}

void
repo_print_invalid(struct repo_session *s, const struct fault *fault)
{
	struct json json = json_to(&s->out);
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	if (!s->args->json) {
		buf_printf(&s->out, "invalid: %s\n", text);
		return;
	}
	json_object_begin(&json);
	json_member_bool(&json, STR("valid"), false);
	json_member_str(&json, STR("reason"), str_from(fault_kind(fault->code)));
	json_member_str(&json, STR("message"), str_from(text));
	if (fault->offset != FAULT_NO_OFFSET)
		json_member_u64(&json, STR("offset"), fault->offset);
	if (fault->detail[0] != '\0')
		json_member_str(&json, STR("detail"), str_from(fault->detail));
	json_object_end(&json);
	buf_add_byte(&s->out, '\n');
}

static int
write_valid_json(struct repo_session *s)
{
	const struct commit *commit = repo_commit(s->repo);
	struct repo_stats stats = repo_stats(s->repo);
	struct json *json = &s->json;
	char cid[CID_TEXT_SIZE];
	int rc;

	*json = json_to(&s->out);
	json_object_begin(json);
	json_member_bool(json, STR("valid"), true);
	json_member_str(json, STR("did"), commit->did);
	json_member_str(json, STR("rev"), commit->rev);
	cid_format(&commit->cid, cid);
	json_member_str(json, STR("commit"), str_from(cid));
	cid_format(&commit->data, cid);
	json_member_str(json, STR("data"), str_from(cid));
	json_member_bool(json, STR("signatureChecked"), s->has_key);
	json_member_u64(json, STR("records"), stats.records);
	json_member_u64(json, STR("recordsBad"), stats.records_bad);
	json_member_u64(json, STR("nodes"), stats.nodes);
	json_member_u64(json, STR("blocks"), stats.blocks);
	json_member_u64(json, STR("bytes"), stats.bytes);
	json_name(json, STR("bad"));
	json_array_begin(json);
	rc = stats.records_bad > 0 ? each_record(s, bad_json_one) : EXIT_OK;
	json_array_end(json);
	json_object_end(json);
	buf_add_byte(&s->out, '\n');
	return rc;
}

int
repo_print_valid(struct repo_session *s)
{
	const struct commit *commit = repo_commit(s->repo);
	struct repo_stats stats = repo_stats(s->repo);
	char cid[CID_TEXT_SIZE], data[CID_TEXT_SIZE];

	if (s->args->json)
		return write_valid_json(s);
	cid_format(&commit->cid, cid);
	cid_format(&commit->data, data);
	buf_printf(&s->out, "valid: %.*s at %.*s\n", STR_FMT(commit->did),
	    STR_FMT(commit->rev));
	buf_printf(&s->out, "commit %s\ndata %s\n", cid, data);
	buf_printf(&s->out, "signature %s\n", s->has_key ? "checked" :
	    "not checked: give --key or --did-doc");
	buf_printf(&s->out, "records %" PRIu64 ", of these bad %" PRIu64 "\n",
	    stats.records, stats.records_bad);
	buf_printf(&s->out, "nodes %" PRIu64 ", blocks %" PRIu64 ", bytes %" PRIu64 "\n",
	    stats.nodes, stats.blocks, stats.bytes);
	return stats.records_bad > 0 ? each_record(s, verify_one) : EXIT_OK;
}

int
repo_print_list(struct repo_session *s)
{
	return each_record(s, ls_one);
}

int
repo_print_export(struct repo_session *s)
{
	return each_record(s, export_one);
}

void
repo_print_flush(struct repo_session *s)
{
	flush(s, 0);
}
