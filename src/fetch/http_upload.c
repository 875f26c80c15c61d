/*
 * http_upload.c - the body of a POST, as libcurl reads it.
 *
 * It can be read any number of times: libcurl begins again when a connection that it
 * used again turns out to be closed, and so does every new attempt.
 */
#include "fetch/http_impl.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"

struct http_body {
	/* owned */
	struct buf head, tail;
	char *content_type;

	int fd;			/* borrowed; -1: none */
	uint64_t fd_bytes;
	uint64_t at;		/* bytes that were read */
};

struct http_body *
http_body_new(const struct http_upload *upload)
{
	struct http_body *body = xcalloc(1, sizeof(*body));

	buf_add(&body->head, upload->head.ptr, upload->head.len);
	buf_add(&body->tail, upload->tail.ptr, upload->tail.len);
	body->content_type = xstrdup(upload->content_type);
	body->fd = upload->fd;
	body->fd_bytes = upload->fd != -1 ? upload->fd_bytes : 0;
	return body;
}

void
http_body_free(struct http_body **body)
{
	if (*body == NULL)
		return;
	buf_clear(&(*body)->head);
	buf_clear(&(*body)->tail);
	free((*body)->content_type);
	free(*body);
	*body = NULL;
}

static uint64_t
total(const struct http_body *body)
{
	return buf_len(&body->head) + body->fd_bytes + buf_len(&body->tail);
}

static size_t
copy_from(const struct buf *part, uint64_t at, char *to, size_t room)
{
	size_t left = buf_len(part) - (size_t)at;
	size_t n = left < room ? left : room;

	memcpy(to, buf_data(part) + at, n);
	return n;
}

static size_t
on_read(char *to, size_t size, size_t count, void *arg)
{
	struct http_body *body = arg;
	size_t room = size * count;
	uint64_t at = body->at, head = buf_len(&body->head);
	ssize_t n;

	if (at == total(body))
		return 0;
	if (at < head) {
		n = (ssize_t)copy_from(&body->head, at, to, room);
	} else if (at < head + body->fd_bytes) {
		uint64_t left = head + body->fd_bytes - at;

		n = pread(body->fd, to, left < room ? (size_t)left : room,
		    (off_t)(at - head));
		/* A file that is shorter than was said can only be a bug of ours. */
		if (n <= 0)
			return CURL_READFUNC_ABORT;
	} else {
		n = (ssize_t)copy_from(&body->tail, at - head - body->fd_bytes, to, room);
	}
	body->at += (uint64_t)n;
	return (size_t)n;
}

static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_body *body = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > total(body))
		return CURL_SEEKFUNC_FAIL;
	body->at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

CURLcode
http_body_set(struct http_body *body, CURL *easy, struct curl_slist **headers)
{
	struct buf line = BUF_INIT;
	CURLcode code;

	body->at = 0;
	buf_printf(&line, "Content-Type: %s", body->content_type);
	*buf_reserve(&line, 1) = '\0';
	*headers = curl_slist_append(*headers, (const char *)buf_data(&line));
	/* No "100-continue": servers that do not know it cost a second each. */
	*headers = curl_slist_append(*headers, "Expect:");
	buf_clear(&line);

	code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)total(body));
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_READDATA, body);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_SEEKDATA, body);
	return code;
}
