#include "t/peer/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "common/json.h"
#include "common/mem.h"

#define FAULTS_MAX	64
#define BOMB_BYTES	(32u << 20)

struct fault_rule;

typedef void spoil_cb(const struct fault_rule *rule, struct peer_world *world,
    const struct peer_request *request, struct peer_answer *answer);

struct fault_rule {
	/* owned; which requests: the last word of the path, "" for all */
	char *on, *did, *error, *to, *kind;
	int host;			/* -1: any */
	uint64_t skip, times;		/* the first so many pass; then so many */
	uint64_t status, retry_after, reset, after, ms;
	uint64_t fired;
	spoil_cb *spoil;
};

struct peer_faults {
	struct fault_rule rules[FAULTS_MAX];
	unsigned count;
};

/* --- what goes wrong --- */

static void
spoil_status(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	answer->type = "application/json";
	answer_error(answer, (unsigned)rule->status, rule->error, "scripted");
	if (rule->retry_after > 0)
		buf_printf(&answer->headers, "Retry-After: %" PRIu64 "\r\n",
		    rule->retry_after);
	if (rule->reset > 0)
		buf_printf(&answer->headers, "RateLimit-Limit: 1\r\n"
		    "RateLimit-Remaining: 0\r\nRateLimit-Reset: %" PRIu64 "\r\n",
		    (uint64_t)time(NULL) + rule->reset);
}

static void
spoil_cut(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	/* Parts of a sixteenth, if no number of bytes was given. */
	answer->body_end = rule->ms > 0 ? buf_len(&answer->body) * rule->ms / 16 :
	    rule->after;
	answer->then = strcmp(rule->kind, "reset") == 0 ? THEN_RESET : THEN_CLOSE;
}

static void
spoil_stall(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	if (rule->after == 0) {
		buf_reset(&answer->body);
		answer->is_raw = true;
	}
	answer->body_end = rule->after;
	answer->then = THEN_HANG;
}

static void
spoil_drip(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	answer->drip_ms = (unsigned)rule->ms;
}

static void
spoil_text(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	answer->status = 200;
	buf_reset(&answer->body);
	answer->type = strcmp(rule->kind, "html") == 0 ? "text/html" : "application/json";
	buf_printf(&answer->body, "%s", rule->to);
}

static void
spoil_length(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	answer->has_length = true;
	answer->length = rule->after;
	answer->then = THEN_CLOSE;
}

static void
spoil_endless(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	/* The length that is told, if any. */
	answer->has_length = rule->after > 0;
	answer->length = rule->after;
	answer->then = THEN_FOREVER;
}

static void
spoil_bomb(const struct fault_rule *rule BF_UNUSED, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	uint8_t *zeros = xcalloc(1, BOMB_BYTES);
	z_stream stream = { .next_in = zeros, .avail_in = BOMB_BYTES };

	memset(zeros, ' ', BOMB_BYTES);
	buf_reset(&answer->body);
	if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	stream.avail_out = (uInt)deflateBound(&stream, BOMB_BYTES);
	stream.next_out = buf_reserve(&answer->body, stream.avail_out);
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	buf_added(&answer->body, stream.total_out);
	(void)deflateEnd(&stream);
	free(zeros);
	buf_printf(&answer->headers, "Content-Encoding: gzip\r\n");
}

static void
spoil_redirect(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	answer->status = 302;
	buf_reset(&answer->body);
	buf_printf(&answer->headers, "Location: %s\r\n", rule->to);
}

static void
spoil_headers(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	for (uint64_t i = 0; i < rule->after; i++)
		buf_printf(&answer->headers, "X-Flood-%" PRIu64 ": %064d\r\n", i, 0);
}

/* A list that gives the same page, and the same cursor, whatever is asked. */
static void
spoil_repeat(const struct fault_rule *rule BF_UNUSED, struct peer_world *world,
    const struct peer_request *request, struct peer_answer *answer)
{
	static char start[] = "0";
	struct peer_request first = *request;

	for (size_t i = 0; i < first.param_count; i++)
		if (strcmp(first.params[i].name, "cursor") == 0)
			first.params[i].value = start;
	buf_reset(&answer->body);
	answer_request(world, &first, answer);
}

/* A list without an end, of accounts that nobody has. */
static void
spoil_endless_list(const struct fault_rule *rule, struct peer_world *world BF_UNUSED,
    const struct peer_request *request BF_UNUSED, struct peer_answer *answer)
{
	buf_reset(&answer->body);
	buf_printf(&answer->body, "{\"cursor\":\"x%" PRIu64 "\",\"repos\":[]}",
	    rule->fired);
}

static const struct { const char *name; spoil_cb *spoil; } kinds[] = {
	{ "status", spoil_status }, { "cut", spoil_cut }, { "reset", spoil_cut },
	{ "stall", spoil_stall }, { "drip", spoil_drip }, { "html", spoil_text },
	{ "json", spoil_text }, { "length", spoil_length }, { "endless", spoil_endless },
	{ "bomb", spoil_bomb }, { "redirect", spoil_redirect },
	{ "headers", spoil_headers }, { "repeat", spoil_repeat },
	{ "endless-list", spoil_endless_list },
};

/* --- rules --- */

struct peer_faults *
faults_new(void)
{
	return xcalloc(1, sizeof(struct peer_faults));
}

static char *
keep(const struct peer_request *request, const char *name)
{
	struct str value = request_param(request, name);

	return xstrndup(value.len > 0 ? value.ptr : "", value.len);
}

int
faults_add(struct peer_faults *faults, const struct peer_request *request)
{
	struct fault_rule *rule = &faults->rules[faults->count];

	if (faults->count == FAULTS_MAX)
		return -1;
	*rule = (struct fault_rule){
		.on = keep(request, "on"), .did = keep(request, "did"),
		.error = keep(request, "error"), .to = keep(request, "to"),
		.kind = keep(request, "kind"),
		.host = (int)request_number(request, "host", UINT64_MAX),
		.skip = request_number(request, "skip", 0),
		.times = request_number(request, "times", UINT64_MAX),
		.status = request_number(request, "status", 500),
		.retry_after = request_number(request, "retry_after", 0),
		.reset = request_number(request, "reset", 0),
		.after = request_number(request, "after", 0),
		.ms = request_number(request, "ms", 0),
	};
	for (size_t i = 0; i < BF_ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, rule->kind) == 0)
			rule->spoil = kinds[i].spoil;
	return rule->spoil != NULL ? (int)faults->count++ : -1;
}

void
faults_clear(struct peer_faults *faults)
{
	for (unsigned i = 0; i < faults->count; i++) {
		struct fault_rule *rule = &faults->rules[i];

		free(rule->on);
		free(rule->did);
		free(rule->error);
		free(rule->to);
		free(rule->kind);
	}
	faults->count = 0;
}

void
faults_free(struct peer_faults **faults)
{
	faults_clear(*faults);
	free(*faults);
	*faults = NULL;
}

static bool
fits(struct fault_rule *rule, const struct peer_request *request)
{
	struct str did = request_param(request, "did");

	if (did.len == 0 && str_eq(request->name, STR("plc")))
		did = (struct str){ request->path.ptr + 1, request->path.len - 1 };
	if ((rule->on[0] != '\0' && !str_eq(request->name, str_from(rule->on))) ||
	    (rule->did[0] != '\0' && !str_eq(did, str_from(rule->did))) ||
	    (rule->host >= 0 && (unsigned)rule->host != request->host) ||
	    rule->fired >= rule->times)
		return false;
	if (rule->skip > 0) {
		rule->skip--;
		return false;
	}
	return true;
}

void
faults_apply(struct peer_faults *faults, struct peer_world *world,
    const struct peer_request *request, struct peer_answer *answer)
{
	for (unsigned i = 0; i < faults->count; i++) {
		struct fault_rule *rule = &faults->rules[i];

		if (!fits(rule, request))
			continue;
		rule->fired++;
		rule->spoil(rule, world, request, answer);
		return;
	}
}

void
faults_list(const struct peer_faults *faults, struct buf *to)
{
	struct json json = json_to(to);

	json_array_begin(&json);
	for (unsigned i = 0; i < faults->count; i++)
		json_u64(&json, faults->rules[i].fired);
	json_array_end(&json);
}
