#include "workers/pool_host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/settings.h"
#include "fetch/polite.h"

#define PAUSE_MS	500		/* at most, after the first failure; doubles */
#define PAUSE_MAX_MS	(60 * 1000)

static int64_t
pause_ms(const struct pool_host *host, const struct sync_outcome *outcome)
{
	double chance = (double)arc4random() / 4294967296.;

	if (outcome->retry_after_ms > 0)
		return outcome->retry_after_ms;
	return polite_backoff_ms(PAUSE_MS, host->failures - 1, PAUSE_MAX_MS, chance);
}

void
pool_host_learn(struct pool_host *host, const struct sync_outcome *outcome,
    const struct settings *settings, int64_t now_ms)
{
	enum fetch_class class;
	uint64_t patience_ms;

	/* Any word of the host itself, good or bad, shows that it lives. */
	if (outcome->result != SYNC_FAILED ||
	    fetch_class_parse(str_from(outcome->error_class), &class) == -1 ||
	    !fetch_class_is_transient(class)) {
		*host = (struct pool_host){ 0 };
		return;
	}
	if (host->failures++ == 0)
		host->bad_since_ms = now_ms;
	host->pause_until_ms = now_ms + pause_ms(host, outcome);
	patience_ms = class == FETCH_RATE_LIMITED ? settings->rate_limit_patience_ms :
	    settings->host_patience_ms;
	host->is_given_up = now_ms - host->bad_since_ms >= (int64_t)patience_ms;
	(void)snprintf(host->class, sizeof(host->class), "%s", outcome->error_class);
	(void)snprintf(host->text, sizeof(host->text), "%s", outcome->error_text);
}
