/*
 * http_error.h - what libcurl's codes and HTTP's status codes mean for us.  Pure.
 */
#ifndef BF_FETCH_HTTP_ERROR_H
#define BF_FETCH_HTTP_ERROR_H

#include <curl/curl.h>
#include <stdbool.h>

#include "fetch/fetch_error.h"

/* A transfer that failed; has_head tells whether an answer had begun. */
enum fetch_class http_error_of_curl(CURLcode code, bool has_head);

/* A status that is not 2xx (RFC 9110, 15), when its body says nothing better. */
enum fetch_class http_error_of_status(unsigned status);

#endif
