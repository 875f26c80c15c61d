/* A service-auth token. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "atproto/jwt.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct jwt_rules rules = {
		.now_secs = 1800000000,
		.audiences = { "did:web:backfilld.test#backfilld", 32 },
		.lxm = { "pub.example.admin.triggerDidSync", 32 },
	};
	struct str text = fuzz_text(data, size);
	struct key key = { .curve = KEY_K256 };
	struct jwt_error error = { .text = "" };
	struct jwt jwt;

	if (jwt_parse(text, &jwt, &error) == -1) {
		fuzz_require(error.text[0] != '\0');
		return 0;
	}
	fuzz_require(jwt.iss.len > 0 && jwt.aud.len > 0 && jwt.jti.len > 0);
	fuzz_require(memchr(jwt.iss.ptr, '\0', jwt.iss.len) == NULL);
	if (jwt_check(&jwt, &rules, &error) == 0) {
		fuzz_require(jwt.exp_secs >= rules.now_secs);
		fuzz_require(str_eq(jwt.lxm, rules.lxm));
	}
	/* Nobody has this key. */
	fuzz_require(jwt_verify(&jwt, &key, &error) == -1);
	jwt_clear(&jwt);
	return 0;
}
