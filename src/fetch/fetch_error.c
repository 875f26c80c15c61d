#include "fetch/fetch_error.h"

#include <stdarg.h>
#include <stdio.h>

enum kind { DONE, OUTCOME, TRANSIENT, FINAL };

static const struct class_row {
	struct str word;
	enum kind kind;
} rows[FETCH_CLASS_COUNT] = {
#define X(name, word, kind) [FETCH_##name] = { { word, sizeof(word) - 1 }, kind },
	FETCH_CLASSES(X)
#undef X
};

void
fetch_error_set(struct fetch_error *error, enum fetch_class class,
    const char *fmt, ...)
{
	va_list ap;

	error->class = class;
	va_start(ap, fmt);
	(void)vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
}

const char *
fetch_class_word(enum fetch_class class)
{
	return rows[class].word.ptr;
}

int
fetch_class_parse(struct str word, enum fetch_class *class_out)
{
	for (size_t i = 0; i < FETCH_CLASS_COUNT; i++) {
		if (str_eq(rows[i].word, word)) {
			*class_out = (enum fetch_class)i;
			return 0;
		}
	}
	return -1;
}

bool
fetch_class_is_transient(enum fetch_class class)
{
	return rows[class].kind == TRANSIENT;
}

bool
fetch_class_is_outcome(enum fetch_class class)
{
	return rows[class].kind == OUTCOME;
}
