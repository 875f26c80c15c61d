#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
err_put(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
}

static enum err_code
code_of(int error)
{
	switch (error) {
	case ENOSPC:
		return ERR_DISK_FULL;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_PERMISSION;
	default:
		return ERR_SYSTEM;
	}
}

void
err_put_errno(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	size_t used;
	va_list ap;

	err->code = code_of(saved);
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s",
	    strerror(saved));
	errno = saved;
}

void
err_put_context(struct err *err, const char *fmt, ...)
{
	char inner[ERR_TEXT_SIZE];
	size_t used;
	va_list ap;

	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
}
