#include "api/password.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "atproto/basex.h"
#include "atproto/sha256.h"
#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"

#define USER		"admin:"
#define KEY_BYTES	32
#define CHECKS_SAVED	8	/* slow ones at once ... */
#define CHECK_MS	250	/* ... and then one in so many ms */

struct password {
	char *hash;			/* owned; NULL: the password itself was given */
	struct sha256 *sha;		/* owned */
	uint8_t key[KEY_BYTES];		/* of digests; random */
	uint8_t right[SHA256_BYTES];	/* digest of the right credential */
	bool has_right;			/* with a hash: once it was given */
	int64_t busy_until_ms;		/* slow checks are paid for until then */
	struct buf credential;		/* owned; wiped after each look */
};

/* Its memory stays for the next. */
static void
wipe(struct buf *buf)
{
	if (buf->mem != NULL)
		explicit_bzero(buf->mem, buf->size);
	buf_reset(buf);
}

/* Whoever could read this memory could not tell the password from the digest. */
static void
digest(struct password *password, struct str credential, uint8_t digest_out[SHA256_BYTES])
{
	sha256_begin(password->sha);
	sha256_add(password->sha, (struct bytes){ password->key, KEY_BYTES });
	sha256_add(password->sha,
	    (struct bytes){ (const uint8_t *)credential.ptr, credential.len });
	sha256_end(password->sha, digest_out);
}

static bool
is_equal(const uint8_t a[SHA256_BYTES], const uint8_t b[SHA256_BYTES])
{
	unsigned difference = 0;

	for (size_t i = 0; i < SHA256_BYTES; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

static bool
is_hash(const char *secret)
{
	return secret[0] == '$' && strchr(secret + 1, '$') != NULL &&
	    crypt_checksalt(secret) != CRYPT_SALT_INVALID;
}

struct password *
password_new(const char *secret)
{
	struct password *password = xcalloc(1, sizeof(*password));

	password->sha = sha256_new();
	if (getrandom(password->key, KEY_BYTES, 0) != KEY_BYTES)
		abort();
	if (is_hash(secret)) {
		password->hash = xstrdup(secret);
	} else {
		buf_printf(&password->credential, USER "%s", secret);
		digest(password, buf_str(&password->credential), password->right);
		password->has_right = true;
		wipe(&password->credential);
	}
	return password;
}

void
password_free(struct password **password)
{
	if (*password == NULL)
		return;
	sha256_free(&(*password)->sha);
	buf_clear(&(*password)->credential);
	free((*password)->hash);
	explicit_bzero(*password, sizeof(**password));
	free(*password);
	*password = NULL;
}

/* --- against the hash --- */

static bool
may_check(struct password *password, int64_t now_ms)
{
	if (password->busy_until_ms < now_ms)
		password->busy_until_ms = now_ms;
	if (password->busy_until_ms - now_ms > (CHECKS_SAVED - 1) * CHECK_MS)
		return false;
	password->busy_until_ms += CHECK_MS;
	return true;
}

/* The credential ends in a NUL. */
static bool
fits_hash(const struct password *password, const char *credential)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *made = crypt_rn(credential + strlen(USER), password->hash, data,
	    (int)sizeof(*data));
	size_t len = strlen(password->hash);
	bool is_whole = made != NULL && strlen(made) == len;
	unsigned difference = !is_whole;

	for (size_t i = 0; is_whole && i < len; i++)
		difference |= (unsigned char)(made[i] ^ password->hash[i]);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return difference == 0;
}

static enum password_result
check_hash(struct password *password, struct buf *credential, int64_t now_ms)
{
	struct str text = buf_str(credential);

	if (!str_starts_with(text, STR(USER)) || memchr(text.ptr, '\0', text.len) != NULL)
		return PASSWORD_WRONG;
	if (!may_check(password, now_ms))
		return PASSWORD_BUSY;
	buf_add_byte(credential, '\0');
	return fits_hash(password, (const char *)buf_data(credential)) ?
	    PASSWORD_RIGHT : PASSWORD_WRONG;
}

enum password_result
password_check(struct password *password, struct str basic, int64_t now_ms)
{
	enum password_result result = PASSWORD_WRONG;
	struct buf *credential = &password->credential;
	uint8_t given[SHA256_BYTES];

	if (base64_decode(basic, credential) == 0) {
		digest(password, buf_str(credential), given);
		if (password->has_right && is_equal(given, password->right))
			result = PASSWORD_RIGHT;
		else if (password->hash != NULL)
			result = check_hash(password, credential, now_ms);
		if (result == PASSWORD_RIGHT && !password->has_right) {
			memcpy(password->right, given, SHA256_BYTES);
			password->has_right = true;
		}
		explicit_bzero(given, sizeof(given));
	}
	wipe(credential);
	return result;
}
