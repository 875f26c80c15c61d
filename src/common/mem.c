#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/exitcode.h"

static void *
checked(void *ptr, size_t size)
{
	if (ptr == NULL && size > 0) {
		fprintf(stderr, "<2>out of memory: %zu bytes\n", size);
		_exit(EXIT_NO_MEMORY);
	}
	return ptr;
}

void *
xmalloc(size_t size)
{
	return checked(malloc(size), size);
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count, size), count * size);
}

void *
xrealloc(void *ptr, size_t size)
{
	return checked(realloc(ptr, size), size);
}

void *
xmemdup(const void *from, size_t size)
{
	void *to = xmalloc(size);

	if (size > 0)
		memcpy(to, from, size);
	return to;
}

char *
xstrndup(const char *text, size_t len)
{
	char *to = xmalloc(len + 1);

	if (len > 0)
		memcpy(to, text, len);
	to[len] = '\0';
	return to;
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}
