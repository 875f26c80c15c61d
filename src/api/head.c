#include "api/head.h"

#include <string.h>
#include <strings.h>

#include "common/limits.h"

static bool
str_eq_nocase(struct str a, struct str b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

/* RFC 9110, 5.6.2 */
static bool
is_token(struct str name)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    memchr(others, c, sizeof(others) - 1) != NULL))
			return false;
	}
	return name.len > 0;
}

static bool
has_control(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static int
add_length(struct head *head, struct str value, struct err *err)
{
	if (head->has_length)
		return err_set(err, ERR_INVALID, "more than one Content-Length");
	if (str_to_u64(value, &head->content_length) == -1)
		return err_set(err, ERR_INVALID, "Content-Length is not a number");
	head->has_length = true;
	return 0;
}

static int
add_coding(struct head *head, struct str value, struct err *err)
{
	if (head->is_chunked || !str_eq_nocase(value, STR("chunked")))
		return err_set(err, ERR_INVALID,
		    "Transfer-Encoding other than chunked");
	head->is_chunked = true;
	return 0;
}

static int
add_text(struct str *member, const char *name, struct str value, struct err *err)
{
	if (member->ptr != NULL)
		return err_set(err, ERR_INVALID, "more than one %s", name);
	*member = value;
	return 0;
}

int
head_add(struct head *head, struct str name, struct str value, struct err *err)
{
	if (++head->count > LIMIT_HTTP_HEADERS)
		return err_set(err, ERR_LIMIT, "more than %d header lines",
		    LIMIT_HTTP_HEADERS);
	if (!is_token(name))
		return err_set(err, ERR_INVALID, "a header name is not a token");
	if (has_control(value))
		return err_set(err, ERR_INVALID, "%.*s: control character",
		    STR_FMT(name));

	if (str_eq_nocase(name, STR("content-length")))
		return add_length(head, value, err);
	if (str_eq_nocase(name, STR("transfer-encoding")))
		return add_coding(head, value, err);
	if (str_eq_nocase(name, STR("host")))
		return add_text(&head->host, "Host", value, err);
	if (str_eq_nocase(name, STR("content-type")))
		return add_text(&head->content_type, "Content-Type", value, err);
	if (str_eq_nocase(name, STR("content-encoding")))
		return add_text(&head->content_encoding, "Content-Encoding", value, err);
	if (str_eq_nocase(name, STR("authorization")))
		return add_text(&head->authorization, "Authorization", value, err);
	if (str_eq_nocase(name, STR("origin")))
		return add_text(&head->origin, "Origin", value, err);
	if (str_eq_nocase(name, STR("cookie")))
		return add_text(&head->cookie, "Cookie", value, err);
	if (str_eq_nocase(name, STR("if-none-match")))
		return add_text(&head->if_none_match, "If-None-Match", value, err);
	if (str_eq_nocase(name, STR("last-event-id")))
		return add_text(&head->last_event_id, "Last-Event-ID", value, err);
	if (str_eq_nocase(name, STR("sec-fetch-site")))
		return add_text(&head->fetch_site, "Sec-Fetch-Site", value, err);
	if (str_eq_nocase(name, STR("x-form-token")))
		return add_text(&head->form_token, "X-Form-Token", value, err);
	if (str_eq_nocase(name, STR("expect")))
		head->expects_continue = str_eq_nocase(value, STR("100-continue"));
	return 0;
}

int
head_check(const struct head *head, struct err *err)
{
	if (head->is_chunked && head->has_length)
		return err_set(err, ERR_INVALID,
		    "both Transfer-Encoding and Content-Length");
	return 0;
}

bool
head_type_is(struct str content_type, struct str media_type)
{
	size_t n = 0;

	while (n < content_type.len && content_type.ptr[n] != ';' &&
	    content_type.ptr[n] != ' ' && content_type.ptr[n] != '\t')
		n++;
	return str_eq_nocase((struct str){ content_type.ptr, n }, media_type);
}
