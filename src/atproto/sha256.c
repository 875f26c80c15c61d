#include "atproto/sha256.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "common/mem.h"

struct sha256 {
	/* owned */
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

struct sha256 *
sha256_new(void)
{
	struct sha256 *sha = xmalloc(sizeof(*sha));

	sha->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	sha->ctx = EVP_MD_CTX_new();
	/* Only a broken OpenSSL or no memory: nothing can be verified then. */
	if (sha->md == NULL || sha->ctx == NULL ||
	    EVP_DigestInit_ex2(sha->ctx, sha->md, NULL) != 1)
		abort();
	return sha;
}

void
sha256_free(struct sha256 **sha)
{
	if (*sha == NULL)
		return;
	EVP_MD_CTX_free((*sha)->ctx);
	EVP_MD_free((*sha)->md);
	free(*sha);
	*sha = NULL;
}

void
sha256_begin(struct sha256 *sha)
{
	/* Without a digest the context keeps its own and is only reset. */
	if (EVP_DigestInit_ex2(sha->ctx, NULL, NULL) != 1)
		abort();
}

void
sha256_add(struct sha256 *sha, struct bytes piece)
{
	if (EVP_DigestUpdate(sha->ctx, piece.ptr, piece.len) != 1)
		abort();
}

void
sha256_end(struct sha256 *sha, uint8_t digest_out[SHA256_BYTES])
{
	if (EVP_DigestFinal_ex(sha->ctx, digest_out, NULL) != 1)
		abort();
}

void
sha256_digest(struct sha256 *sha, struct bytes data,
    uint8_t digest_out[SHA256_BYTES])
{
	sha256_begin(sha);
	sha256_add(sha, data);
	sha256_end(sha, digest_out);
}
