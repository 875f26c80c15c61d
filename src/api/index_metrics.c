#include "api/index_metrics.h"

#include "api/prom.h"
#include "common/clock.h"
#include "rows/host_row.h"
#include "rows/row_table.h"
#include "store/records.h"

struct hosts {
	int64_t now_ms;
	uint64_t in_state[HOST_STATE_COUNT];
	uint64_t failing, slowed;
	uint64_t rate_milli;		/* the lowest that was learned; 0: none was */
};

static bool
on_host(struct bytes key, struct bytes value, void *arg)
{
	struct hosts *hosts = arg;
	struct host_row row;

	if (host_row_decode(key, value, &row) == -1)
		return true;	/* `backfillctl index hosts` tells of it */
	hosts->in_state[host_state_at(&row, hosts->now_ms)]++;
	hosts->failing += row.failures > 0;
	hosts->slowed += row.rate_milli > 0;
	if (row.rate_milli > 0 && (hosts->rate_milli == 0 || row.rate_milli < hosts->rate_milli))
		hosts->rate_milli = row.rate_milli;
	return true;
}

static void
write_gauge(struct buf *to, const char *name, const char *help, uint64_t value)
{
	prom_family(to, name, "gauge", help);
	prom_u64(to, name, "", value);
}

static void
write_hosts(struct buf *to, const struct hosts *hosts)
{
	char labels[PROM_LABELS_SIZE];

	prom_family(to, "backfilld_hosts", "gauge", "Servers that are known: ok, pausing "
	    "(it asked for a pause, by 429 for one), parked (it failed too often).");
	for (enum host_state state = 0; state < HOST_STATE_COUNT; state++) {
		prom_labels(labels, "state", str_from(host_state_word(state)), NULL, STR_NONE);
		prom_u64(to, "backfilld_hosts", labels, hosts->in_state[state]);
	}
	write_gauge(to, "backfilld_hosts_failing",
	    "Servers whose last request failed.", hosts->failing);
	write_gauge(to, "backfilld_hosts_slowed",
	    "Servers that are asked more slowly than configured, as they refused.",
	    hosts->slowed);
	if (hosts->rate_milli == 0)
		return;
	prom_family(to, "backfilld_hosts_lowest_rate", "gauge",
	    "Requests per second to the server of those that is asked most slowly.");
	prom_double(to, "backfilld_hosts_lowest_rate", "", (double)hosts->rate_milli / 1000);
}

bool
index_metrics_write(struct records *records, struct buf *to)
{
	struct hosts hosts = { .now_ms = clock_wall_ms() };
	struct records_count count;
	struct records_read *read;
	struct err err;
	bool is_read;

	if (records_read_begin(records, &read, &err) == -1)
		return false;
	is_read = records_get_count(read, STR_NONE, &count, &err) == 0 &&
	    records_each_row(read, ROW_HOST, (struct bytes){ NULL, 0 },
	    (struct bytes){ NULL, 0 }, on_host, &hosts, &err) == 0;
	records_read_end(&read);
	if (!is_read)
		return false;
	write_gauge(to, "backfilld_index_records", "Records in the index.", count.records);
	write_gauge(to, "backfilld_index_repositories",
	    "Repositories in the index.", count.repos);
	write_hosts(to, &hosts);
	return true;
}
