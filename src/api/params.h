/*
 * params.h - the query parameters of a request.
 *
 * As a form encodes them (URL standard, application/x-www-form-urlencoded),
 * which is what XRPC clients do.  Unknown names are ignored, as the reference
 * server does; values out of range are refused, never clamped.  Pure.
 */
#ifndef BF_API_PARAMS_H
#define BF_API_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/str.h"

struct params {
	size_t count;
	struct param {
		struct str name, value;	/* borrowed from the text that was parsed */
	} list[LIMIT_HTTP_PARAMS];
};

/*
 * Decodes in place: the text has to stay.  ERR_INVALID: a bad escape, a NUL,
 * text that is not UTF-8; ERR_LIMIT: too many.
 */
int params_parse(char *query, size_t len, struct params *params_out,
    struct err *err) BF_MUSTCHECK;

/* Empty if it is not there.  ERR_INVALID if it is there twice. */
int params_text(const struct params *params, struct str name,
    struct str *value_out, struct err *err) BF_MUSTCHECK;

/* *value_out stays as it is if the parameter is not there. */
int params_integer(const struct params *params, struct str name, uint64_t least,
    uint64_t most, uint64_t *value_out, struct err *err) BF_MUSTCHECK;

#endif
