/*
 * chart.h - how fast an operation went, as a drawing in the page (SVG).
 */
#ifndef BF_API_CHART_H
#define BF_API_CHART_H

#include "api/samples.h"
#include "common/buf.h"

/* Wants two steps at least; app.js goes on where this ends. */
void chart_write(struct buf *to, const struct samples_view *view);

#endif
