#include "t/unit/maker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "atproto/car.h"
#include "atproto/dagcbor_write.h"
#include "atproto/mst_build.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/tid.h"

struct placed {
	struct cid cid;
	size_t at, len;		/* in maker->data */
};

struct maker {
	struct sha256 *sha;
	struct mst_build *build;
	struct buf data;
	struct placed *blocks;
	size_t n, size;
};

static void
keep(struct maker *maker, const struct cid *cid, struct bytes block)
{
	if (maker->n == maker->size) {
		maker->size = maker->size > 0 ? maker->size * 2 : 64;
		maker->blocks = xrealloc(maker->blocks,
		    maker->size * sizeof(*maker->blocks));
	}
	maker->blocks[maker->n++] = (struct placed){ *cid, buf_len(&maker->data),
	    block.len };
	buf_add(&maker->data, block.ptr, block.len);
}

static void
keep_node(const struct cid *cid, struct bytes block, void *arg)
{
	keep(arg, cid, block);
}

struct maker *
maker_new(void)
{
	struct maker *maker = xcalloc(1, sizeof(*maker));

	maker->sha = sha256_new();
	maker->build = mst_build_new(maker->sha, keep_node, maker);
	return maker;
}

void
maker_free(struct maker **maker)
{
	mst_build_free(&(*maker)->build);
	sha256_free(&(*maker)->sha);
	buf_clear(&(*maker)->data);
	free((*maker)->blocks);
	free(*maker);
	*maker = NULL;
}

void
maker_add_link(struct maker *maker, struct str path, const struct cid *cid)
{
	mst_build_add(maker->build, path, cid);
}

void
maker_add_block(struct maker *maker, struct bytes block)
{
	struct cid cid;

	cid_of(maker->sha, CID_DAG_CBOR, block, &cid);
	keep(maker, &cid, block);
}

void
maker_add(struct maker *maker, struct str path, struct bytes record)
{
	struct cid cid;

	cid_of(maker->sha, CID_DAG_CBOR, record, &cid);
	keep(maker, &cid, record);
	maker_add_link(maker, path, &cid);
}

uint64_t
maker_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
random_base32(uint64_t *random, char *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = "abcdefghijklmnopqrstuvwxyz234567"[maker_random(random) & 31];
}

static void
write_pair(struct buf *to, const char *name, const char *value)
{
	dagcbor_write_text(to, str_from(name));
	dagcbor_write_text(to, str_from(value));
}

static void
write_subject(struct buf *to, uint64_t *random)
{
	char cid[] = "bafyreixxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	char uri[] = "at://did:plc:xxxxxxxxxxxxxxxxxxxxxxxx/app.bsky.feed.post/3kxxxxxxxxxxx";

	random_base32(random, cid + 7, 52);
	random_base32(random, uri + 13, 24);
	random_base32(random, uri + sizeof(uri) - 12, 11);
	dagcbor_write_text(to, STR("subject"));
	dagcbor_write_map(to, 2);
	write_pair(to, "cid", cid);
	write_pair(to, "uri", uri);
}

static void
write_post(struct buf *to, uint64_t *random, const char *created)
{
	static const char *const words[] = { "the", "protocol", "of", "a", "repository",
	    "is", "signed", "and", "every", "record", "caf\xc3\xa9", "has", "its", "place" };
	char text[320] = "";
	size_t n = 3 + maker_random(random) % 30, at = 0;

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i > 0 ? " " :
		    "", words[maker_random(random) % BF_ARRAY_LEN(words)]);
	dagcbor_write_map(to, 4);
	write_pair(to, "text", text);
	write_pair(to, "$type", "app.bsky.feed.post");
	dagcbor_write_text(to, STR("langs"));
	dagcbor_write_array(to, 1);
	dagcbor_write_text(to, STR("en"));
	write_pair(to, "createdAt", created);
}

static void
write_follow(struct buf *to, uint64_t *random, const char *created)
{
	char did[] = "did:plc:xxxxxxxxxxxxxxxxxxxxxxxx";

	random_base32(random, did + 8, 24);
	dagcbor_write_map(to, 3);
	write_pair(to, "$type", "app.bsky.graph.follow");
	write_pair(to, "subject", did);
	write_pair(to, "createdAt", created);
}

static void
write_like(struct buf *to, uint64_t *random, const char *type, const char *created)
{
	dagcbor_write_map(to, 3);
	write_pair(to, "$type", type);
	write_subject(to, random);
	write_pair(to, "createdAt", created);
}

/* Collections in the order of their names, and their share of a hundred. */
static const struct {
	const char *name;
	unsigned share;
} collections[] = {
	{ "app.bsky.feed.like", 60 },
	{ "app.bsky.feed.post", 22 },
	{ "app.bsky.feed.repost", 6 },
	{ "app.bsky.graph.follow", 12 },
};

static void
add_sample(struct maker *maker, const char *type, uint64_t tid, uint64_t *random,
    struct buf *record)
{
	char path[80], tid_text[TID_SIZE], created[DATETIME_SIZE];

	tid_format(tid, tid_text);
	datetime_format(tid_us(tid) / 1000, created);
	snprintf(path, sizeof(path), "%s/%s", type, tid_text);
	buf_reset(record);
	if (strcmp(type, "app.bsky.feed.post") == 0)
		write_post(record, random, created);
	else if (strcmp(type, "app.bsky.graph.follow") == 0)
		write_follow(record, random, created);
	else
		write_like(record, random, type, created);
	maker_add(maker, str_from(path), buf_bytes(record));
}

void
maker_add_samples(struct maker *maker, size_t n, uint64_t seed)
{
	struct buf record = BUF_INIT;
	uint64_t random = seed;

	for (size_t c = 0, made = 0, share = 0; c < BF_ARRAY_LEN(collections); c++) {
		uint64_t us = 1700000000000000;

		share += collections[c].share;
		for (; made < n * share / 100; made++) {
			us += 1000000 + maker_random(&random) % 100000000;
			add_sample(maker, collections[c].name, us << 10 |
			    (maker_random(&random) & 1023), &random, &record);
		}
	}
	buf_clear(&record);
}

void
maker_commit(struct sha256 *sha, struct str did, struct str rev, const struct cid *data,
    const struct keypair *pair, struct buf *to)
{
	uint8_t digest[SHA256_BYTES], sig[KEY_SIG_BYTES] = { 0 };
	struct buf commit = BUF_INIT;

	/* First without, then with the signature, which sorts behind `rev`. */
	for (int is_signed = 0; is_signed <= 1; is_signed++) {
		buf_reset(&commit);
		dagcbor_write_map(&commit, 5 + (uint64_t)is_signed);
		dagcbor_write_text(&commit, STR("did"));
		dagcbor_write_text(&commit, did);
		dagcbor_write_text(&commit, STR("rev"));
		dagcbor_write_text(&commit, rev);
		if (is_signed) {
			dagcbor_write_text(&commit, STR("sig"));
			dagcbor_write_bytes(&commit, (struct bytes){ sig, sizeof(sig) });
		}
		dagcbor_write_text(&commit, STR("data"));
		dagcbor_write_link(&commit, data);
		dagcbor_write_text(&commit, STR("prev"));
		dagcbor_write_null(&commit);
		dagcbor_write_text(&commit, STR("version"));
		dagcbor_write_int(&commit, 3);
		if (!is_signed) {
			sha256_digest(sha, buf_bytes(&commit), digest);
			keypair_sign(pair, digest, sig);
		}
	}
	buf_add(to, buf_data(&commit), buf_len(&commit));
	buf_clear(&commit);
}

static int
descending(const void *a, const void *b)
{
	return memcmp(((const struct placed *)b)->cid.bytes,
	    ((const struct placed *)a)->cid.bytes, CID_BYTES);
}

void
maker_finish(struct maker *maker, struct str did, struct str rev,
    const struct keypair *pair, enum maker_order order, struct buf *car_out)
{
	struct buf commit = BUF_INIT;
	struct cid data, root;

	mst_build_end(maker->build, &data);
	maker_commit(maker->sha, did, rev, &data, pair, &commit);
	cid_of(maker->sha, CID_DAG_CBOR, buf_bytes(&commit), &root);
	car_write_header(car_out, &root);
	if (order == MAKER_TREE_ORDER)
		car_write_block(car_out, &root, buf_bytes(&commit));
	else
		keep(maker, &root, buf_bytes(&commit));
	if (order == MAKER_CID_ORDER)
		qsort(maker->blocks, maker->n, sizeof(*maker->blocks), descending);
	for (size_t i = 0; i < maker->n; i++)
		car_write_block(car_out, &maker->blocks[i].cid, (struct bytes){
		    buf_data(&maker->data) + maker->blocks[i].at, maker->blocks[i].len });
	buf_clear(&commit);
}

struct keypair *
maker_keypair(enum key_curve curve)
{
	static const uint8_t secret[32] = { 0x0c, 0x06, 0x23, 0x22, 0xfb, 0x83, 0xf4,
	    0x7d,
	    0x60, 0x53, 0x27, 0x35, 0x98, 0x1a, 0x56, 0x56, 0xc4, 0xbb, 0xab, 0x2a, 0x71,
	    0x53, 0x97, 0x9e, 0x65, 0xae, 0x3d, 0x28, 0xc8, 0x64, 0xcc, 0xcf };
	struct keypair *pair = keypair_new(curve, secret);

	assert(pair != NULL);
	return pair;
}
