#include "t/peer/peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

void
answer_clear(struct peer_answer *answer)
{
	buf_clear(&answer->headers);
	buf_clear(&answer->body);
}

void
answer_error(struct peer_answer *answer, unsigned status, const char *name,
    const char *text)
{
	answer->status = status;
	buf_reset(&answer->body);
	buf_printf(&answer->body, "{\"error\":\"%s\",\"message\":\"%s\"}", name, text);
}

static const char *const statuses[] = {
	[PEER_ACTIVE] = "active", [PEER_DEACTIVATED] = "deactivated",
	[PEER_SUSPENDED] = "suspended", [PEER_TAKENDOWN] = "takendown",
	[PEER_GONE] = "deleted",
};

static const char *const errors[] = {
	[PEER_ACTIVE] = "", [PEER_DEACTIVATED] = "RepoDeactivated",
	[PEER_SUSPENDED] = "RepoSuspended", [PEER_TAKENDOWN] = "RepoTakendown",
	[PEER_GONE] = "RepoNotFound",
};

/* --- lists --- */

static void
write_listed(struct peer_world *world, size_t number, struct json *json)
{
	const struct peer_repo *repo = world_repo(world, number);
	char did[PEER_DID_SIZE], rev[TID_SIZE], head[CID_TEXT_SIZE];

	world_did(number, did);
	world_rev(world, number, rev);
	cid_format(world_head(world, number), head);
	json_object_begin(json);
	json_member_str(json, STR("did"), str_from(did));
	json_member_str(json, STR("head"), str_from(head));
	json_member_str(json, STR("rev"), str_from(rev));
	json_member_bool(json, STR("active"), repo->status == PEER_ACTIVE);
	if (repo->status != PEER_ACTIVE)
		json_member_str(json, STR("status"), str_from(statuses[repo->status]));
	json_object_end(json);
}

static bool
is_listed(const struct peer_world *world, size_t number,
    const struct peer_request *request)
{
	const struct peer_repo *repo = &world->repos[number];

	if (str_eq(request->name, STR("listRepos")))
		return repo->host == request->host && repo->status != PEER_GONE &&
		    !repo->is_unlisted;
	return repo->status != PEER_GONE && world_has_collection(repo,
	    request_param(request, "collection"));
}

/* listRepos, listReposByCollection. */
static void
list_repos(struct peer_world *world, const struct peer_request *request,
    struct peer_answer *answer)
{
	struct json json = json_to(&answer->body);
	size_t limit = request_number(request, "limit", 500), n = 0;
	size_t number = request_number(request, "cursor", 0);

	if (limit > 1000) {
		answer_error(answer, 400, "InvalidRequest", "limit");
		return;
	}
	json_object_begin(&json);
	json_name(&json, STR("repos"));
	json_array_begin(&json);
	for (; number < world->count && n < limit; number++) {
		if (!is_listed(world, number, request))
			continue;
		write_listed(world, number, &json);
		n++;
	}
	json_array_end(&json);
	if (n == limit) {
		struct buf cursor = BUF_INIT;

		buf_printf(&cursor, "%zu", number);
		json_member_str(&json, STR("cursor"), buf_str(&cursor));
		buf_clear(&cursor);
	}
	json_object_end(&json);
}

static void
list_hosts(const struct peer_world *world, struct peer_answer *answer)
{
	buf_printf(&answer->body, "{\"hosts\":[");
	for (unsigned host = 1; host <= world->hosts; host++)
		buf_printf(&answer->body, "%s{\"hostname\":\"127.0.0.1:%u\","
		    "\"status\":\"active\"}", host > 1 ? "," : "", world->ports[host]);
	buf_printf(&answer->body, "]}");
}

/* --- one repository --- */

static void
describe(const struct peer_repo *repo, struct str did, struct peer_answer *answer)
{
	buf_printf(&answer->body, "{\"handle\":\"a.test\",\"did\":\"%.*s\",\"didDoc\":{},"
	    "\"handleIsCorrect\":true,\"collections\":[%s%s\"zz.test.version\"]}",
	    STR_FMT(did), repo->records > 0 ? "\"app.bsky.feed.post\"," : "",
	    repo->has_chive ? "\"pub.chive.test.thing\"," : "");
}

static void
tell_status(const struct peer_world *world, size_t number, struct str did,
    struct peer_answer *answer)
{
	const struct peer_repo *repo = &world->repos[number];
	char rev[TID_SIZE];

	world_rev(world, number, rev);
	if (repo->status == PEER_ACTIVE)
		buf_printf(&answer->body, "{\"did\":\"%.*s\",\"active\":true,"
		    "\"rev\":\"%s\"}", STR_FMT(did), rev);
	else
		buf_printf(&answer->body, "{\"did\":\"%.*s\",\"active\":false,"
		    "\"status\":\"%s\"}", STR_FMT(did), statuses[repo->status]);
}

static void
tell_latest(struct peer_world *world, size_t number, struct peer_answer *answer)
{
	char rev[TID_SIZE], head[CID_TEXT_SIZE];

	world_rev(world, number, rev);
	cid_format(world_head(world, number), head);
	buf_printf(&answer->body, "{\"cid\":\"%s\",\"rev\":\"%s\"}", head, rev);
}

static void
answer_about_repo(struct peer_world *world, const struct peer_request *request,
    struct peer_answer *answer)
{
	struct str did = request_param(request, "did");
	struct peer_repo *repo;
	size_t number;

	if (did.len == 0)
		did = request_param(request, "repo");
	if (world_find(world, did, &number) == -1 ||
	    world->repos[number].host != request->host) {
		answer_error(answer, 400, "RepoNotFound", "Could not find repo for DID");
		return;
	}
	repo = world_repo(world, number);
	if (str_eq(request->name, STR("getRepoStatus")) && repo->status != PEER_GONE) {
		tell_status(world, number, did, answer);
	} else if (repo->status != PEER_ACTIVE) {
		answer_error(answer, 400, errors[repo->status], "not to be had");
	} else if (str_eq(request->name, STR("getRepo"))) {
		answer->type = "application/vnd.ipld.car";
		world_car(world, number, &answer->body);
	} else if (str_eq(request->name, STR("getLatestCommit"))) {
		tell_latest(world, number, answer);
	} else if (str_eq(request->name, STR("describeRepo"))) {
		describe(repo, did, answer);
	} else {
		answer_error(answer, 501, "MethodNotImplemented", "not here");
	}
}

static void
answer_document(struct peer_world *world, struct str did, struct peer_answer *answer)
{
	size_t number;

	if (world_find(world, did, &number) == -1) {
		answer->status = 404;
		buf_printf(&answer->body, "{\"message\":\"DID not registered\"}");
	} else if (world->repos[number].is_tombstoned) {
		answer->status = 410;
		buf_printf(&answer->body, "{\"message\":\"DID not available\"}");
	} else {
		answer->type = "application/did+ld+json";
		world_document(world, number, &answer->body);
	}
}

void
answer_request(struct peer_world *world, const struct peer_request *request,
    struct peer_answer *answer)
{
	if (str_eq(request->name, STR("plc")) && request->host == 0)
		answer_document(world, (struct str){ request->path.ptr + 1,
		    request->path.len - 1 }, answer);
	else if (str_eq(request->name, STR("listRepos")) && request->host > 0)
		list_repos(world, request, answer);
	else if (str_eq(request->name, STR("listReposByCollection")) && request->host == 0)
		list_repos(world, request, answer);
	else if (str_eq(request->name, STR("listHosts")) && request->host == 0)
		list_hosts(world, answer);
	else if (request->host > 0)
		answer_about_repo(world, request, answer);
	else
		answer_error(answer, 404, "MethodNotImplemented", "not here");
}
