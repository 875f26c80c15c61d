#include "t/peer/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/dagcbor_write.h"
#include "atproto/keypair.h"
#include "common/mem.h"
#include "t/unit/maker.h"

#define DID_PREFIX	"did:plc:peer"
#define FIRST_REV_US	1760000000000000ull
#define REV_STEP_US	1000000ull

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

struct peer_repo *
world_repo(struct peer_world *world, size_t number)
{
	return number < world->count ? &world->repos[number] : NULL;
}

struct peer_repo *
world_add(struct peer_world *world)
{
	if (world->count == world->room) {
		world->room = world->room * 2 + 64;
		world->repos = xrealloc(world->repos, world->room * sizeof(*world->repos));
	}
	world->repos[world->count] = (struct peer_repo){ 0 };
	return &world->repos[world->count++];
}

void
world_clear(struct peer_world *world)
{
	for (size_t i = 0; i < world->count; i++)
		free(world->repos[i].endpoint);
	free(world->repos);
}

void
world_did(size_t number, char did_out[PEER_DID_SIZE])
{
	size_t len = sizeof(DID_PREFIX) - 1;

	memcpy(did_out, DID_PREFIX, len);
	for (size_t i = PEER_DID_SIZE - 2; i >= len; i--) {
		did_out[i] = digits[number & 31];
		number >>= 5;
	}
	did_out[PEER_DID_SIZE - 1] = '\0';
}

int
world_find(const struct peer_world *world, struct str did, size_t *number_out)
{
	size_t number = 0, len = sizeof(DID_PREFIX) - 1;

	if (did.len != PEER_DID_SIZE - 1 || !str_starts_with(did, STR(DID_PREFIX)))
		return -1;
	for (size_t i = len; i < did.len; i++) {
		const char *digit = strchr(digits, did.ptr[i]);

		if (digit == NULL)
			return -1;
		number = number << 5 | (size_t)(digit - digits);
	}
	if (number >= world->count)
		return -1;
	*number_out = number;
	return 0;
}

void
world_rev(const struct peer_world *world, size_t number, char rev_out[TID_SIZE])
{
	uint64_t us = FIRST_REV_US + world->repos[number].version * REV_STEP_US + number;

	tid_format(us << 10 | (number & 1023), rev_out);
}

/* --- contents --- */

static struct keypair *
keypair_of(unsigned key)
{
	uint8_t secret[32];

	memset(secret, 0x21, sizeof(secret));
	secret[31] = (uint8_t)(1 + key);
	return keypair_new(KEY_K256, secret);
}

static void
add_thing(struct maker *maker, const char *path, const char *type, uint32_t version)
{
	struct buf record = BUF_INIT;

	dagcbor_write_map(&record, 2);
	dagcbor_write_text(&record, STR("$type"));
	dagcbor_write_text(&record, str_from(type));
	dagcbor_write_text(&record, STR("version"));
	dagcbor_write_int(&record, (int64_t)version);
	maker_add(maker, str_from(path), buf_bytes(&record));
	buf_clear(&record);
}

/* Each version replaces one record; an even one has a record more. */
static struct maker *
make(const struct peer_repo *repo, size_t number)
{
	struct maker *maker = maker_new();

	maker_add_samples(maker, repo->records, number + 1);
	if (repo->has_chive)
		add_thing(maker, "pub.chive.test.thing/self", "pub.chive.test.thing",
		    repo->version);
	if (repo->version % 2 == 0)
		add_thing(maker, "zz.test.version/even", "zz.test.version", repo->version);
	add_thing(maker, "zz.test.version/self", "zz.test.version", repo->version);
	return maker;
}

bool
world_has_collection(const struct peer_repo *repo, struct str collection)
{
	if (str_eq(collection, STR("pub.chive.test.thing")))
		return repo->has_chive;
	if (str_eq(collection, STR("zz.test.version")))
		return true;
	return repo->records > 0 && str_eq(collection, STR("app.bsky.feed.post"));
}

void
world_car(struct peer_world *world, size_t number, struct buf *to)
{
	struct peer_repo *repo = &world->repos[number];
	struct keypair *pair = keypair_of(repo->commit_key);
	struct maker *maker = make(repo, number);
	char did[PEER_DID_SIZE], rev[TID_SIZE];

	world_did(number, did);
	world_rev(world, number, rev);
	maker_finish(maker, str_from(did), str_from(rev), pair, MAKER_TREE_ORDER, to);
	maker_free(&maker);
	keypair_free(&pair);
}


const struct cid *
world_head(struct peer_world *world, size_t number)
{
	struct peer_repo *repo = &world->repos[number];
	struct buf car = BUF_INIT;

	if (repo->head_version != repo->version + 1) {
		world_car(world, number, &car);
		/* The CID follows its tag, d8 2a 58 25 00. */
		memcpy(repo->head.bytes, (uint8_t *)memmem(buf_data(&car), buf_len(&car),
		    "\xd8\x2a\x58\x25\x00", 5) + 5, CID_BYTES);
		repo->head_version = repo->version + 1;
		buf_clear(&car);
	}
	return &repo->head;
}

void
world_document(const struct peer_world *world, size_t number, struct buf *to)
{
	const struct peer_repo *repo = &world->repos[number];
	struct keypair *pair = keypair_of(repo->doc_key);
	struct key key = keypair_public(pair);
	struct buf text = BUF_INIT;
	char did[PEER_DID_SIZE];

	key_format_did_key(&key, &text);
	buf_consume(&text, sizeof("did:key:") - 1);
	world_did(number, did);
	buf_printf(to, "{\"id\":\"%s\",\"alsoKnownAs\":[\"at://a%zu.test\"],"
	    "\"verificationMethod\":[{\"id\":\"%s#atproto\",\"type\":\"Multikey\","
	    "\"controller\":\"%s\",\"publicKeyMultibase\":\"%.*s\"}],"
	    "\"service\":[{\"id\":\"#atproto_pds\","
	    "\"type\":\"AtprotoPersonalDataServer\",\"serviceEndpoint\":\"", did,
	    number, did, did, STR_FMT(buf_str(&text)));
	if (repo->endpoint != NULL)
		buf_printf(to, "%s\"}]}", repo->endpoint);
	else
		buf_printf(to, "http://127.0.0.1:%u\"}]}", world->ports[repo->doc_host]);
	buf_clear(&text);
	keypair_free(&pair);
}
