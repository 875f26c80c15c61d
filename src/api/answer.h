/*
 * answer.h - a reply as libmicrohttpd's response: its headers, and which body.
 */
#ifndef BF_API_ANSWER_H
#define BF_API_ANSWER_H

#include <microhttpd.h>
#include <stdbool.h>

struct request;

/*
 * The response to a request whose reply is written; NULL if there is no memory.  The
 * body is sent from where it was written, so the reply stays until the response is
 * gone.  May change the reply's status to 304.  is_last: the connection is closed
 * behind it.  on_stream and its arg are for a reply that is a stream.
 */
struct MHD_Response *answer_new(struct request *request, bool is_last,
    MHD_ContentReaderCallback on_stream, void *arg);

#endif
