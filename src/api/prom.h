/*
 * prom.h - writing metrics in the text format of Prometheus (exposition format 0.0.4).
 */
#ifndef BF_API_PROM_H
#define BF_API_PROM_H

#include <stdint.h>

#include "common/buf.h"
#include "common/str.h"

#define PROM_BUCKETS_MOST	12

/* How often values fell under each of some bounds, which are the owner's. */
struct histogram {
	uint64_t counts[PROM_BUCKETS_MOST + 1];	/* the last: over all bounds */
	double sum;
};

struct prom_bounds {
	double most[PROM_BUCKETS_MOST];		/* seconds, rising */
	unsigned count;
};

void histogram_add(struct histogram *histogram, const struct prom_bounds *bounds,
    double value);

/* The head of a family; type is "gauge", "counter" or "histogram". */
void prom_family(struct buf *to, const char *name, const char *type, const char *help);

/* One sample.  labels are whole, as prom_label() makes them, or empty. */
void prom_u64(struct buf *to, const char *name, const char *labels, uint64_t value);
void prom_double(struct buf *to, const char *name, const char *labels, double value);
void prom_histogram(struct buf *to, const char *name, const char *labels,
    const struct prom_bounds *bounds, const struct histogram *histogram);

/* `name="value"` into text, for one sample: names of types may be an operator's. */
#define PROM_LABELS_SIZE	256
void prom_labels(char text_out[PROM_LABELS_SIZE], const char *name, struct str value,
    const char *other_name, struct str other_value);	/* other_name may be NULL */

#endif
