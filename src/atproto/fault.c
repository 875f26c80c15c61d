#include "atproto/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *symbol, *kind, *text;
} faults[] = {
	[FAULT_NONE] = { "NONE", "", "" },
#define FAULT(symbol, kind, text) [FAULT_##symbol] = { #symbol, kind, text },
#include "atproto/fault.def"
#undef FAULT
};

int
fault_set(struct fault *fault, enum fault_code code, uint64_t offset)
{
	fault->code = code;
	fault->offset = offset;
	fault->detail[0] = '\0';
	return -1;
}

int
fault_set_detail(struct fault *fault, enum fault_code code, uint64_t offset,
    struct str detail)
{
	size_t n = detail.len < FAULT_DETAIL_SIZE - 1 ? detail.len :
	    FAULT_DETAIL_SIZE - 1;

	fault_set(fault, code, offset);
	for (size_t i = 0; i < n; i++)
		fault->detail[i] = detail.ptr[i] >= ' ' && detail.ptr[i] <= '~' ?
		    detail.ptr[i] : '?';
	fault->detail[n] = '\0';
	return -1;
}

const char *
fault_kind(enum fault_code code)
{
	return faults[code].kind;
}

const char *
fault_text(enum fault_code code)
{
	return faults[code].text;
}

const char *
fault_symbol(enum fault_code code)
{
	return faults[code].symbol;
}

void
fault_format(const struct fault *fault, char text_out[FAULT_TEXT_SIZE])
{
	char place[40] = "";
	bool has_detail = fault->detail[0] != '\0';

	if (fault->offset != FAULT_NO_OFFSET)
		snprintf(place, sizeof(place), " at byte %" PRIu64, fault->offset);
	snprintf(text_out, FAULT_TEXT_SIZE, "%s%s: %s%s%s%s", fault_kind(fault->code),
	    place, fault_text(fault->code), has_detail ? " (" : "", fault->detail,
	    has_detail ? ")" : "");
}

int
fault_to_err(const struct fault *fault, struct err *err)
{
	char text[FAULT_TEXT_SIZE];
	enum err_code code = ERR_INVALID;

	if (strcmp(fault_kind(fault->code), "TooLarge") == 0)
		code = ERR_LIMIT;
	else if (strcmp(fault_kind(fault->code), "Io") == 0)
		code = ERR_SYSTEM;
	fault_format(fault, text);
	return err_set(err, code, "%s", text);
}
