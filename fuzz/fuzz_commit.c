/* A commit block, checked against a key of each curve; and the same bytes as a node
 * of the tree. */
#include "fuzz/fuzz.h"

#include "atproto/commit.h"
#include "atproto/dagcbor.h"
#include "atproto/mst.h"

#define K256_KEY	"did:key:zQ3shXjHeiBuRCKmM36cuYnm7YEMzhGnCmCyW92sRJ9pribSF"
#define P256_KEY	"did:key:zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo"

static void
try_commit(struct bytes block)
{
	struct sha256 *sha = sha256_new();
	struct commit_expect expect = { .did = STR_NONE, .allow_version2 = true };
	struct key k256, p256;
	struct commit commit;
	struct fault fault;
	struct cid cid;

	fuzz_require(key_parse_did_key(STR(K256_KEY), &k256) == 0);
	fuzz_require(key_parse_did_key(STR(P256_KEY), &p256) == 0);
	cid_of(sha, CID_DAG_CBOR, block, &cid);
	if (commit_parse(block, &cid, sha, &commit, &fault) == 0) {
		fuzz_require(commit_check(&commit, &expect, &fault) == 0);
		expect.key = &k256;
		(void)!commit_check(&commit, &expect, &fault);
		expect.key = &p256;
		(void)!commit_check(&commit, &expect, &fault);
	}
	sha256_free(&sha);
}

static void
try_node(struct bytes block)
{
	struct mst_node node = { .n = 0 };
	struct fault fault;

	/* Reading a node is as strict as the check is. */
	if (mst_node_read(&node, block, &fault) == 0)
		fuzz_require(dagcbor_check(block, &fault) == 0);
	mst_node_clear(&node);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_commit((struct bytes){ data, size });
	try_node((struct bytes){ data, size });
	return 0;
}
