#include "api/xrpc_error.h"

#include "common/attr.h"

static const struct {
	const char *name;
	unsigned status;
} errors[] = {
#define X(error, name, status) [XRPC_##error] = { name, status },
	XRPC_ERRORS(X)
#undef X
};

const char *
xrpc_error_name(enum xrpc_error error)
{
	return errors[error].name;
}

unsigned
xrpc_error_status(enum xrpc_error error)
{
	return errors[error].status;
}

enum xrpc_error
xrpc_error_find(struct str name)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(errors); i++)
		if (str_eq(name, str_from(errors[i].name)))
			return (enum xrpc_error)i;
	return XRPC_INTERNAL;
}
