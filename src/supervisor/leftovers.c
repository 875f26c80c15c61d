#include "supervisor/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/building.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "supervisor/supervisor.h"

#define NAME_FORMAT	BUILDING_PREFIX "%s" BUILDING_SUFFIX

static void
remove_name(int dir, const char *name)
{
	/* A link is removed as such, wherever it leads. */
	if (unlinkat(dir, name, 0) == -1 && errno != ENOENT)
		log_warn("search/%s cannot be removed: %s", name, strerror(errno));
}

void
leftovers_remove(const struct supervisor *sup, const char *id)
{
	char path[4096], name[TID_SIZE + 64];
	int dir;

	(void)snprintf(path, sizeof(path), "%s/search", sup->settings.state_dir);
	dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir == -1)
		return;		/* nothing was ever made there */
	(void)snprintf(name, sizeof(name), NAME_FORMAT BUILDING_JOURNAL, id);
	remove_name(dir, name);
	(void)snprintf(name, sizeof(name), NAME_FORMAT, id);
	remove_name(dir, name);
	fd_close(&dir);
}
