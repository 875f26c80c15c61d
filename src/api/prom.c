#include "api/prom.h"

#include <inttypes.h>
#include <stdio.h>

void
histogram_add(struct histogram *histogram, const struct prom_bounds *bounds, double value)
{
	unsigned i = 0;

	while (i < bounds->count && value > bounds->most[i])
		i++;
	histogram->counts[i]++;
	histogram->sum += value;
}

void
prom_family(struct buf *to, const char *name, const char *type, const char *help)
{
	buf_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
add_name(struct buf *to, const char *name, const char *labels)
{
	if (*labels == '\0')
		buf_printf(to, "%s ", name);
	else
		buf_printf(to, "%s{%s} ", name, labels);
}

void
prom_u64(struct buf *to, const char *name, const char *labels, uint64_t value)
{
	add_name(to, name, labels);
	buf_printf(to, "%" PRIu64 "\n", value);
}

void
prom_double(struct buf *to, const char *name, const char *labels, double value)
{
	add_name(to, name, labels);
	buf_printf(to, "%.9g\n", value);
}

void
prom_histogram(struct buf *to, const char *name, const char *labels,
    const struct prom_bounds *bounds, const struct histogram *histogram)
{
	const char *comma = *labels == '\0' ? "" : ",";
	uint64_t count = 0;

	for (unsigned i = 0; i < bounds->count; i++) {
		count += histogram->counts[i];
		buf_printf(to, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, labels, comma,
		    bounds->most[i], count);
	}
	count += histogram->counts[bounds->count];
	buf_printf(to, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, count);
	buf_printf(to, "%s_sum", name);
	buf_printf(to, *labels == '\0' ? "%s %.9g\n" : "{%s} %.9g\n", labels, histogram->sum);
	buf_printf(to, "%s_count", name);
	buf_printf(to, *labels == '\0' ? "%s %" PRIu64 "\n" : "{%s} %" PRIu64 "\n", labels,
	    count);
}

/* The format's three escapes. */
static size_t
add_label(char *to, size_t size, const char *name, struct str value)
{
	size_t n = (size_t)snprintf(to, size, "%s=\"", name);

	for (size_t i = 0; i < value.len && n + 4 < size; i++) {
		char c = value.ptr[i];

		if (c == '\\' || c == '"' || c == '\n')
			to[n++] = '\\';
		to[n++] = c == '\n' ? 'n' : c;
	}
	to[n++] = '"';
	to[n] = '\0';
	return n;
}

void
prom_labels(char text_out[PROM_LABELS_SIZE], const char *name, struct str value,
    const char *other_name, struct str other_value)
{
	size_t n = add_label(text_out, PROM_LABELS_SIZE / 2, name, value);

	if (other_name == NULL)
		return;
	text_out[n++] = ',';
	(void)add_label(text_out + n, PROM_LABELS_SIZE - n, other_name, other_value);
}
