/*
 * json_get.h - one JSON object from a URL: for services that are no XRPC servers.
 */
#ifndef BF_FETCH_JSON_GET_H
#define BF_FETCH_JSON_GET_H

#include <jansson.h>

#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct json_get;

/* json is an object with FETCH_OK, else NULL; for the callback.  The request is freed
 * when this returns. */
typedef void json_get_cb(const struct fetch_error *error, json_t *json, void *arg);

/* Begin.  url is copied; it stands in the configuration, or begins with what does.
 * Never calls back from inside. */
struct json_get *json_get_start(struct http *http, const char *url, json_get_cb *cb,
    void *arg);

/* Drop it, without a callback; sets *get to NULL.  NULL is fine. */
void json_get_cancel(struct json_get **get);

#endif
