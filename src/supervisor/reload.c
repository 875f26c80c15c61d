#include "supervisor/reload.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "supervisor/conffile.h"
#include "supervisor/heartbeat.h"
#include "supervisor/notify.h"
#include "supervisor/queue.h"
#include "supervisor/schedule.h"
#include "supervisor/service.h"

/* The value was valid in `fresh`, so it is for us. */
static void
take_row(struct settings *to, const struct setting *row, const char *text)
{
	struct err err;

	if (settings_set(to, str_from(row->name), str_from(text), &err) == -1)
		abort();
}

static void
take(struct settings *to, const struct settings *fresh)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_rows[i];
		char *old_text = settings_text(to, row);
		char *new_text = settings_text(fresh, row);

		if (strcmp(old_text, new_text) != 0) {
			if (row->can_reload)
				take_row(to, row, new_text);
			else
				log_warn("reload: %s has changed, but needs a restart", row->name);
		}
		free(old_text);
		free(new_text);
	}
}

void
reload(struct supervisor *sup)
{
	struct settings fresh;
	struct schedules schedules = { 0 };
	enum log_level level;
	struct err err;

	notify_reloading();
	settings_init(&fresh);
	if (conffile_read(sup->config_path, &fresh, &schedules, &err) == -1) {
		log_error("reload: the old settings stay: %s", err.text);
		settings_clear(&fresh);
		schedules_clear(&schedules);
		notify_ready();
		return;
	}
	take(&sup->settings, &fresh);
	settings_clear(&fresh);
	schedule_take(sup, &schedules);
	if (log_level_parse(sup->settings.log_level, &level) == 0)
		log_set_level(level);
	service_reload(sup->api);
	service_reload(sup->indexer);
	service_reload(sup->resolver);
	heartbeat_reload(sup);
	log_info("reloaded %s", sup->config_path);
	queue_wake(sup);
	notify_ready();
}
