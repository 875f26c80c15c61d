/*
 * input.h - the JSON body of a procedure, checked as the lexicons say.
 *
 * Messages are worded as the reference server words them ("Input/did must be a
 * string").  Unknown members are ignored: lexicon objects are open.  Pure.
 */
#ifndef BF_API_INPUT_H
#define BF_API_INPUT_H

#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

/* jansson's; its header and common/json.h cannot be included together. */
struct json_t;

/*
 * An object from text that is strict JSON: no duplicate names, no NUL, UTF-8,
 * at most LIMIT_HTTP_JSON_DEPTH deep, nothing behind it.  The caller ends it
 * with input_free().  ERR_INVALID says what is wrong.
 */
int input_parse(struct str text, struct json_t **input_out, struct err *err)
    BF_MUSTCHECK;
void input_free(struct json_t **input);

/* As that, from the fields of a form: empty ones are absent, numbers are numbers where
 * the lexicons have integers. */
struct params;
int input_from_form(const struct params *form, struct json_t **input_out,
    struct err *err) BF_MUSTCHECK;

/*
 * A member by its lexicon type.  Text is borrowed from input, and empty if the
 * member is absent; a member that is there may not be empty.
 */
int input_text(const struct json_t *input, const char *name, struct str *value_out,
    struct err *err) BF_MUSTCHECK;
int input_did(const struct json_t *input, const char *name, struct str *value_out,
    struct err *err) BF_MUSTCHECK;
int input_aturi(const struct json_t *input, const char *name, struct str *value_out,
    struct err *err) BF_MUSTCHECK;

/* "http(s)://host[:port][/...]", as far as syntax goes; whether the host may be
 * asked is for the worker to say. */
int input_url(const struct json_t *input, const char *name, struct str *value_out,
    struct err *err) BF_MUSTCHECK;

/* 0 if it is absent; least > 0. */
int input_integer(const struct json_t *input, const char *name, uint64_t least,
    uint64_t most, uint64_t *value_out, struct err *err) BF_MUSTCHECK;

#endif
