#include "resolver/answer.h"

#include <stdlib.h>

#include "atproto/diddoc.h"
#include "common/mem.h"

static const struct {
	const char *word;
	int64_t lifetime_ms;
} rows[] = {
#define X(outcome, word, ms)	[ANSWER_##outcome] = { word, ms },
	ANSWERS(X)
#undef X
};

static enum answer_outcome
outcome_of(enum fetch_class class)
{
	if (class == FETCH_OK)
		return ANSWER_OK;
	if (class == FETCH_NOT_FOUND)
		return ANSWER_UNKNOWN;
	if (class == FETCH_GONE)
		return ANSWER_GONE;
	return fetch_class_is_transient(class) ? ANSWER_UNAVAILABLE : ANSWER_INVALID;
}

static char *
key_text(const struct diddoc *doc)
{
	struct buf text = BUF_INIT;
	char *result;

	if (!doc->has_key)
		return xstrdup("");
	key_format_did_key(&doc->key, &text);
	result = xstrndup((const char *)buf_data(&text), buf_len(&text));
	buf_clear(&text);
	return result;
}

static char *
text_or_empty(const char *text)
{
	return xstrdup(text != NULL ? text : "");
}

struct answer
answer_from_result(const struct identity_result *result)
{
	const struct diddoc *doc = result->doc;
	struct answer answer = { .outcome = outcome_of(result->error.class) };

	answer.text = xstrdup(doc != NULL ? "" : result->error.text);
	answer.key = doc != NULL ? key_text(doc) : xstrdup("");
	answer.pds_url = text_or_empty(doc != NULL ? doc->pds : NULL);
	answer.handle = text_or_empty(doc != NULL ? doc->handle : NULL);
	return answer;
}

struct answer
answer_unavailable(const char *why)
{
	return (struct answer){ .outcome = ANSWER_UNAVAILABLE, .text = xstrdup(why),
	    .key = xstrdup(""), .pds_url = xstrdup(""), .handle = xstrdup("") };
}

void
answer_clear(struct answer *answer)
{
	free(answer->text);
	free(answer->key);
	free(answer->pds_url);
	free(answer->handle);
	*answer = (struct answer){ 0 };
}

int64_t
answer_lifetime_ms(const struct answer *answer)
{
	return rows[answer->outcome].lifetime_ms;
}

struct msg
answer_msg(const struct answer *answer, uint64_t req)
{
	return (struct msg){ .type = MSG_TYPE_IDENTITY, .identity = {
		.req = req,
		.outcome = str_from(rows[answer->outcome].word),
		.text = str_from(answer->text),
		.key = str_from(answer->key),
		.pds_url = str_from(answer->pds_url),
		.handle = str_from(answer->handle),
	} };
}
