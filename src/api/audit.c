#include "api/audit.h"

#include "api/http.h"
#include "api/request.h"
#include "common/log.h"

/* Text that was not checked must not look like more than one word. */
static void
format_word(struct str text, char *word_out, size_t size)
{
	if (!str_copy(word_out, size, text) && size > 0)
		word_out[size - 1] = '\0';
	for (char *c = word_out; *c != '\0'; c++)
		if (*c == ' ')
			*c = '?';
}

static void
log_change(const struct request *request, const char *from)
{
	bool has_id = request->op_id[0] != '\0';

	log_audit("audit: from=%s who=%.*s did=%s status=%u%s%s", from,
	    STR_FMT(request->caller), request->route->name, request->reply.status,
	    has_id ? " op=" : "", request->op_id);
}

static void
log_refusal(const struct request *request, const char *from)
{
	char claimed[128];

	format_word(request->from.claimed, claimed, sizeof(claimed));
	log_audit("audit: from=%s claimed=%s tried=%s status=%u", from, claimed,
	    request->route->name, request->reply.status);
}

void
audit_answer(const struct request *request)
{
	unsigned status = request->reply.status;
	bool is_refused = status == 401 || status == 403 || status == 429;
	struct address address;
	char from[ADDRESS_TEXT_SIZE];

	if (request->route == NULL || request->route->access == ROUTE_PUBLIC ||
	    (request->route->access == ROUTE_READ && !is_refused))
		return;
	address = http_conn_address(request->conn);
	address_format(&address, from);
	if (is_refused) {
		if (!str_is_empty(request->from.claimed))
			log_refusal(request, from);
	} else if (request->route->access == ROUTE_CHANGE &&
	    !str_is_empty(request->caller)) {
		log_change(request, from);
	}
}
