#include "supervisor/orphans.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/child.h"
#include "supervisor/service.h"

/* Call `each` for every child of this process.  False if the kernel does not tell
 * (CONFIG_PROC_CHILDREN). */
static bool
each_child(struct supervisor *sup, void (*each)(struct supervisor *sup, pid_t pid))
{
	char path[64];
	FILE *file;
	int pid;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (fscanf(file, "%d", &pid) == 1)
		each(sup, (pid_t)pid);
	(void)fclose(file);
	return true;
}

static void
remember(struct supervisor *sup, pid_t pid)
{
	if (sup->strangers_count < SUPERVISOR_STRANGERS_MAX)
		sup->strangers[sup->strangers_count++] = pid;
}

static bool
is_known(const struct supervisor *sup, pid_t pid)
{
	for (size_t i = 0; i < sup->strangers_count; i++)
		if (sup->strangers[i] == pid)
			return true;
	return pid == sup->backup_pid || child_find_pid(sup->children, pid) != NULL ||
	    service_find_pid(sup, pid) != NULL;
}

static void
kill_unknown(struct supervisor *sup, pid_t pid)
{
	if (is_known(sup, pid))
		return;
	log_warn("process %d was left behind by a worker, sending SIGKILL", (int)pid);
	(void)kill(pid, SIGKILL);
}

void
orphans_init(struct supervisor *sup)
{
	(void)each_child(sup, remember);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		log_warn("prctl(PR_SET_CHILD_SUBREAPER) failed: what leaves its worker's "
		    "process group is not found");
}

void
orphans_kill(struct supervisor *sup)
{
	(void)each_child(sup, kill_unknown);
}
