#include "api/chart.h"

#include "api/html.h"
#include "common/human.h"

#define WIDTH	640
#define HEIGHT	120

/* The top of the scale: 1, 2, 3 or 5 times a power of ten. */
static double
nice_top(double most)
{
	double top = 1;

	for (;;) {
		if (top >= most)
			return top;
		if (top * 2 >= most)
			return top * 2;
		if (top * 3 >= most)
			return top * 3;
		if (top * 5 >= most)
			return top * 5;
		top *= 10;
	}
}

static void
add_points(struct buf *to, const struct samples_view *view, double top)
{
	for (unsigned i = 0; i < view->count; i++)
		buf_printf(to, "%s%.1f,%.1f", i > 0 ? " " : "",
		    (double)i * WIDTH / (view->count - 1),
		    HEIGHT - view->rate[i] / top * HEIGHT);
}

void
chart_write(struct buf *to, const struct samples_view *view)
{
	double top = nice_top(view->most * 1.1);	/* the line stays below it */
	char rate[HUMAN_SIZE], span[HUMAN_SIZE];

	human_count((uint64_t)top, rate);
	human_duration(view->step_ms * view->count, span);
	buf_printf(to, "<figure class=\"chart\"><figcaption>Records per second"
	    "<span>over %s</span></figcaption><div class=\"plot\"><span class=\"top\">%s/s</span>"
	    "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
	    "aria-label=\"Records per second over %s, at most %.0f\">"
	    "<path class=\"grid\" d=\"M0 .5H%d M0 %dH%d\"/>", span, rate, WIDTH, HEIGHT, span,
	    view->most, WIDTH, HEIGHT / 2, WIDTH);
	buf_printf(to, "<polygon class=\"area\" points=\"0,%d ", HEIGHT);
	add_points(to, view, top);
	buf_printf(to, " %d,%d\"/><polyline class=\"line\" points=\"", WIDTH, HEIGHT);
	add_points(to, view, top);
	html(to, "\"/></svg></div></figure>\n");
}
