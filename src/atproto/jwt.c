#include "atproto/jwt.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "atproto/basex.h"
#include "atproto/did.h"
#include "common/limits.h"

/* Clocks of honest servers differ by seconds. */
#define LEEWAY_SECS	60

#define NUMBER_MOST	9007199254740992.	/* 2^53: beyond, JSON numbers blur */

const char *
jwt_fault_name(enum jwt_fault fault)
{
	static const char *const names[] = {
#define X(fault, name)	[JWT_##fault] = name,
		JWT_FAULTS(X)
#undef X
	};

	return names[fault];
}

static void fail_put(struct jwt_error *error, enum jwt_fault fault,
    const char *fmt, ...) BF_PRINTF(3, 4);

static void
fail_put(struct jwt_error *error, enum jwt_fault fault, const char *fmt, ...)
{
	va_list ap;

	error->fault = fault;
	va_start(ap, fmt);
	(void)vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
}

#define fail(...)	(fail_put(__VA_ARGS__), -1)

/* --- form --- */

/* The three parts; -1 unless there are just as many. */
static int
split(struct str token, struct str parts[3])
{
	const char *end = token.ptr + token.len;
	const char *at = token.ptr;

	for (int i = 0; i < 3; i++) {
		const char *dot = memchr(at, '.', (size_t)(end - at));

		if ((i < 2) != (dot != NULL))
			return -1;
		parts[i] = (struct str){ at, (size_t)((dot != NULL ? dot : end) - at) };
		at = dot != NULL ? dot + 1 : end;
	}
	return 0;
}

/* NULL unless the part is one JSON object. */
static json_t *
parse_object(struct str part)
{
	struct buf text = BUF_INIT;
	json_t *object = NULL;

	if (part.len > 0 && base64url_decode(part, &text) == 0)
		object = json_loadb((const char *)buf_data(&text), buf_len(&text),
		    JSON_REJECT_DUPLICATES, NULL);
	buf_clear(&text);
	if (!json_is_object(object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* A member that is text; STR_NONE if it is absent or anything else. */
static struct str
text_of(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	if (!json_is_string(member))
		return STR_NONE;
	return (struct str){ json_string_value(member), json_string_length(member) };
}

static int
seconds_of(const json_t *object, const char *name, int64_t *secs_out)
{
	double value = json_number_value(json_object_get(object, name));

	if (!json_is_number(json_object_get(object, name)) || !(value > 0) ||
	    value > NUMBER_MOST)
		return -1;
	*secs_out = (int64_t)value;
	return 0;
}

/* The names of the one key that accounts sign with. */
static bool
names_account_key(struct str kid, struct str iss)
{
	static const struct str fragment = { "#atproto", 8 };

	if (str_eq(kid, fragment))
		return true;
	return kid.len == iss.len + fragment.len && str_starts_with(kid, iss) &&
	    memcmp(kid.ptr + iss.len, fragment.ptr, fragment.len) == 0;
}

static int
read_header(const json_t *header, struct jwt *jwt, struct jwt_error *error)
{
	struct str alg = text_of(header, "alg"), typ = text_of(header, "typ");
	bool has_typ = json_object_get(header, "typ") != NULL;

	if (alg.len == 0 || json_object_get(header, "crit") != NULL)
		return fail(error, JWT_BAD, "poorly formatted jwt");
	if (has_typ && !str_eq(typ, STR("JWT")))
		return fail(error, JWT_BAD_TYPE, "jwt type has to be JWT");
	if (str_eq(alg, STR("ES256K")))
		jwt->curve = KEY_K256;
	else if (str_eq(alg, STR("ES256")))
		jwt->curve = KEY_P256;
	else
		return fail(error, JWT_BAD_SIGNATURE,
		    "jwt algorithm has to be ES256K or ES256");
	return 0;
}

static int
read_payload(const json_t *payload, struct jwt *jwt, struct jwt_error *error)
{
	const json_t *lxm = json_object_get(payload, "lxm");
	const json_t *nbf = json_object_get(payload, "nbf");

	jwt->iss = text_of(payload, "iss");
	jwt->aud = text_of(payload, "aud");
	jwt->jti = text_of(payload, "jti");
	jwt->lxm = text_of(payload, "lxm");
	if (jwt->iss.len == 0 || jwt->aud.len == 0 ||
	    seconds_of(payload, "exp", &jwt->exp_secs) == -1 ||
	    (lxm != NULL && !json_is_string(lxm)) ||
	    (nbf != NULL && seconds_of(payload, "nbf", &jwt->nbf_secs) == -1))
		return fail(error, JWT_BAD, "poorly formatted jwt");
	if (seconds_of(payload, "iat", &jwt->iat_secs) == -1)
		return fail(error, JWT_BAD, "jwt has no iat");
	if (jwt->jti.len == 0)
		return fail(error, JWT_BAD, "jwt has no jti");
	return 0;
}

static int
read_kid(const json_t *header, const struct jwt *jwt, struct jwt_error *error)
{
	const json_t *kid = json_object_get(header, "kid");

	if (kid != NULL && !names_account_key(text_of(header, "kid"), jwt->iss))
		return fail(error, JWT_BAD, "jwt key id has to be #atproto");
	return 0;
}

static int
read_signature(struct str part, struct jwt *jwt, struct jwt_error *error)
{
	struct buf bytes = BUF_INIT;
	int result = -1;

	if (base64url_decode(part, &bytes) == 0 && buf_len(&bytes) == KEY_SIG_BYTES) {
		memcpy(jwt->signature, buf_data(&bytes), KEY_SIG_BYTES);
		result = 0;
	}
	buf_clear(&bytes);
	if (result == -1)
		return fail(error, JWT_BAD_SIGNATURE, "could not verify jwt signature");
	return 0;
}

int
jwt_parse(struct str token, struct jwt *jwt_out, struct jwt_error *error)
{
	struct jwt jwt = { 0 };
	struct str parts[3];
	json_t *header;
	int result = -1;

	if (token.len > LIMIT_JWT_BYTES)
		return fail(error, JWT_BAD, "jwt is longer than %d bytes",
		    LIMIT_JWT_BYTES);
	if (token.len == 0 || split(token, parts) == -1)
		return fail(error, JWT_BAD, "poorly formatted jwt");
	header = parse_object(parts[0]);
	jwt.payload = parse_object(parts[1]);
	jwt.signed_text = (struct str){ token.ptr, parts[0].len + 1 + parts[1].len };
	if (header == NULL || jwt.payload == NULL)
		fail_put(error, JWT_BAD, "poorly formatted jwt");
	else if (read_header(header, &jwt, error) == 0 &&
	    read_payload(jwt.payload, &jwt, error) == 0 &&
	    read_kid(header, &jwt, error) == 0)
		result = read_signature(parts[2], &jwt, error);
	json_decref(header);
	if (result == 0)
		*jwt_out = jwt;
	else
		jwt_clear(&jwt);
	return result;
}

void
jwt_clear(struct jwt *jwt)
{
	json_decref(jwt->payload);
	*jwt = (struct jwt){ 0 };
}

/* --- meaning --- */

static bool
is_listed(struct str item, struct str list)
{
	while (list.len > 0) {
		const char *blank = memchr(list.ptr, ' ', list.len);
		size_t n = blank != NULL ? (size_t)(blank - list.ptr) : list.len;

		if (str_eq((struct str){ list.ptr, n }, item))
			return true;
		n += blank != NULL;
		list = (struct str){ list.ptr + n, list.len - n };
	}
	return false;
}

static int
check_times(const struct jwt *jwt, const struct jwt_rules *rules,
    struct jwt_error *error)
{
	int64_t now = rules->now_secs;

	if (now > jwt->exp_secs)
		return fail(error, JWT_EXPIRED, "jwt expired");
	if (jwt->iat_secs > now + LEEWAY_SECS || jwt->nbf_secs > now + LEEWAY_SECS)
		return fail(error, JWT_BAD, "jwt is not valid yet");
	if (jwt->exp_secs > now + LIMIT_JWT_LIFE_SECS ||
	    jwt->exp_secs - jwt->iat_secs > LIMIT_JWT_LIFE_SECS)
		return fail(error, JWT_BAD, "jwt is valid for longer than %d s",
		    LIMIT_JWT_LIFE_SECS);
	if (jwt->iat_secs < rules->issued_since_secs)
		return fail(error, JWT_BAD, "jwt was issued before the server "
		    "started, so it may have been used: get another");
	return 0;
}

int
jwt_check(const struct jwt *jwt, const struct jwt_rules *rules,
    struct jwt_error *error)
{
	if (check_times(jwt, rules, error) == -1)
		return -1;
	if (!is_listed(jwt->aud, rules->audiences))
		return fail(error, JWT_BAD_AUDIENCE,
		    "jwt audience does not match service did");
	if (jwt->lxm.len == 0)
		return fail(error, JWT_BAD_METHOD,
		    "missing jwt lexicon method (\"lxm\"). must match: %.*s",
		    STR_FMT(rules->lxm));
	if (!str_eq(jwt->lxm, rules->lxm))
		return fail(error, JWT_BAD_METHOD,
		    "bad jwt lexicon method (\"lxm\"). must match: %.*s",
		    STR_FMT(rules->lxm));
	if (!did_is_atproto(jwt->iss))
		return fail(error, JWT_BAD_ISSUER,
		    "jwt issuer has to be a did:plc or did:web");
	return 0;
}

int
jwt_verify(const struct jwt *jwt, const struct key *key, struct jwt_error *error)
{
	struct bytes text = { (const uint8_t *)jwt->signed_text.ptr,
	    jwt->signed_text.len };
	uint8_t digest[SHA256_BYTES];
	struct sha256 *sha;
	struct fault fault;

	/* The key decides the curve; a token may not choose another for it. */
	if (key->curve != jwt->curve)
		return fail(error, JWT_BAD_SIGNATURE,
		    "jwt algorithm is not that of the issuer's key");
	sha = sha256_new();
	sha256_digest(sha, text, digest);
	sha256_free(&sha);
	if (key_verify(key, digest, (struct bytes){ jwt->signature, KEY_SIG_BYTES },
	    false, &fault) == -1)
		return fail(error, JWT_BAD_SIGNATURE,
		    "jwt signature does not match jwt issuer");
	return 0;
}
