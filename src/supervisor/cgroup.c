#include "supervisor/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/mem.h"
#include "common/tid.h"

#define OWN		"supervisor"
#define LEAF		"worker-"
#define LEAF_FILE_SIZE	64	/* "worker-", an id, "/memory.oom.group" */
#define TEXT_SIZE	4096

struct cgroup {
	char path[CGROUP_PATH_SIZE];
	int fd;			/* owned; of BASE, with a lock: nobody else divides it */
	bool has_memory, has_pids, has_kill;
	bool has_leftovers;
};

/* --- the kernel's files --- */

static bool
next_line(struct str *rest, struct str *line_out)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->ptr, '\n', rest->len);
	*line_out = (struct str){ rest->ptr,
	    end != NULL ? (size_t)(end - rest->ptr) : rest->len };
	*rest = (struct str){ rest->ptr + line_out->len, rest->len - line_out->len };
	if (rest->len > 0)
		*rest = (struct str){ rest->ptr + 1, rest->len - 1 };
	return true;
}

int
cgroup_parse_own(struct str text, struct str *path_out)
{
	struct str prefix = STR("0::"), line;

	while (next_line(&text, &line)) {
		if (!str_starts_with(line, prefix))
			continue;
		line = (struct str){ line.ptr + prefix.len, line.len - prefix.len };
		if (line.len == 0 || line.ptr[0] != '/')
			return -1;
		*path_out = line;
		return 0;
	}
	return -1;
}

uint64_t
cgroup_parse_event(struct str text, struct str name)
{
	struct str line;
	uint64_t number;

	while (next_line(&text, &line)) {
		if (!str_starts_with(line, name) || line.len <= name.len ||
		    line.ptr[name.len] != ' ')
			continue;
		line = (struct str){ line.ptr + name.len + 1, line.len - name.len - 1 };
		return str_to_u64(line, &number) == 0 ? number : 0;
	}
	return 0;
}

/* Empty if it cannot be read; longer texts are cut. */
static struct str
read_at(int dir, const char *name, char text[TEXT_SIZE])
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, text, TEXT_SIZE);

	fd_close(&fd);
	return (struct str){ text, n > 0 ? (size_t)n : 0 };
}

static int
write_at(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	int rc = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	int error = errno;

	fd_close(&fd);
	errno = error;
	return rc;
}

static void
leaf_file(const char *id, const char *name, char path[LEAF_FILE_SIZE])
{
	(void)snprintf(path, LEAF_FILE_SIZE, LEAF "%s%s", id, name);
}

/* --- where it is --- */

bool
cgroup_is_setting(const char *value)
{
	return strcmp(value, "auto") == 0 || strcmp(value, "off") == 0 || value[0] == '/';
}

static bool
is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (uint32_t)fs.f_type == CGROUP2_SUPER_MAGIC;
}

static bool
has_mark(const char *path, const char *name)
{
	char value[2];

	return getxattr(path, name, value, sizeof(value)) == 1 && value[0] == '1';
}

/* Nobody but we, and perhaps not even we, is in it. */
static bool
is_empty_beside_us(const char *path)
{
	char name[CGROUP_PATH_SIZE + 16], text[TEXT_SIZE];
	struct str rest, line;
	uint64_t pid;

	(void)snprintf(name, sizeof(name), "%s/cgroup.procs", path);
	rest = read_at(AT_FDCWD, name, text);
	while (next_line(&rest, &line))
		if (str_to_u64(line, &pid) == -1 || (pid_t)pid != getpid())
			return false;
	return true;
}

/* systemd marks what it delegates.  Without its mark, what was given to a user who
 * runs nothing else there is as good; root owns everything, so that says nothing. */
static bool
is_delegated(const char *path)
{
	struct stat st;

	if (has_mark(path, "user.delegate") || has_mark(path, "trusted.delegate"))
		return true;
	return geteuid() != 0 && stat(path, &st) == 0 && st.st_uid == geteuid() &&
	    is_empty_beside_us(path);
}

static int
find_own(char path_out[CGROUP_PATH_SIZE], struct err *err)
{
	const char *root = is_cgroup2("/sys/fs/cgroup") ? "/sys/fs/cgroup" :
	    is_cgroup2("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : NULL;
	char text[TEXT_SIZE];
	struct str own;
	char *end;

	if (root == NULL)
		return err_set(err, ERR_NOT_FOUND, "there is no cgroup v2 in /sys/fs/cgroup");
	if (cgroup_parse_own(read_at(AT_FDCWD, "/proc/self/cgroup", text), &own) == -1)
		return err_set(err, ERR_NOT_FOUND, "/proc/self/cgroup does not tell ours");
	(void)snprintf(path_out, CGROUP_PATH_SIZE, "%s%.*s", root,
	    own.len > 1 ? (int)own.len : 0, own.ptr);
	/* A supervisor that was replaced has moved into it already. */
	end = strrchr(path_out, '/');
	if (strcmp(end, "/" OWN) == 0)
		*end = '\0';
	if (!is_delegated(path_out))
		return err_set(err, ERR_NOT_FOUND, "%s was not delegated to the daemon",
		    path_out);
	return 0;
}

int
cgroup_find(const char *setting, char path_out[CGROUP_PATH_SIZE], struct err *err)
{
	if (strcmp(setting, "auto") == 0)
		return find_own(path_out, err);
	if (strcmp(setting, "off") == 0)
		return err_set(err, ERR_NOT_FOUND, "the setting cgroup is \"off\"");
	if (!is_cgroup2(setting))
		return err_set(err, ERR_NOT_FOUND, "%s is no cgroup v2", setting);
	(void)str_copy(path_out, CGROUP_PATH_SIZE, str_from(setting));
	return 0;
}

/* --- dividing it --- */

static int
open_locked(struct cgroup *cgroup, struct err *err)
{
	cgroup->fd = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->fd == -1)
		return err_errno(err, "open(%s)", cgroup->path);
	if (flock(cgroup->fd, LOCK_EX | LOCK_NB) == -1)
		return err_errno(err, "another process divides %s: flock", cgroup->path);
	return 0;
}

static int
move_aside(struct cgroup *cgroup, struct err *err)
{
	if (mkdirat(cgroup->fd, OWN, 0755) == -1 && errno != EEXIST)
		return err_errno(err, "mkdir(%s/" OWN ")", cgroup->path);
	if (write_at(cgroup->fd, OWN "/cgroup.procs", "0") == -1)
		return err_errno(err, "moving to %s/" OWN, cgroup->path);
	/* A controller that is not here, or of a cgroup that is not empty. */
	(void)!write_at(cgroup->fd, "cgroup.subtree_control", "+memory");
	(void)!write_at(cgroup->fd, "cgroup.subtree_control", "+pids");
	return 0;
}

static bool
has_file(const struct cgroup *cgroup, const char *name)
{
	return faccessat(cgroup->fd, name, W_OK, AT_EACCESS) == 0;
}

struct cgroup *
cgroup_new(const char *path, bool is_moved, struct err *err)
{
	struct cgroup *cgroup = xcalloc(1, sizeof(*cgroup));

	(void)str_copy(cgroup->path, sizeof(cgroup->path), str_from(path));
	if (open_locked(cgroup, err) == -1 || (!is_moved && move_aside(cgroup, err) == -1)) {
		cgroup_free(&cgroup);
		return NULL;
	}
	/* Ours has the same files as those of workers. */
	cgroup->has_memory = has_file(cgroup, OWN "/memory.max");
	cgroup->has_pids = has_file(cgroup, OWN "/pids.max");
	cgroup->has_kill = has_file(cgroup, OWN "/cgroup.kill");
	cgroup->has_leftovers = true;	/* who knows? */
	return cgroup;
}

void
cgroup_free(struct cgroup **cgroup)
{
	if (*cgroup == NULL)
		return;
	fd_close(&(*cgroup)->fd);
	free(*cgroup);
	*cgroup = NULL;
}

const char *
cgroup_path(const struct cgroup *cgroup)
{
	return cgroup->path;
}

void
cgroup_lacks(const struct cgroup *cgroup, char lacks_out[CGROUP_LACKS_SIZE])
{
	const char *lacks[] = { cgroup->has_memory ? "" : ", memory",
	    cgroup->has_pids ? "" : ", pids", cgroup->has_kill ? "" : ", kill" };
	char all[CGROUP_LACKS_SIZE];

	(void)snprintf(all, sizeof(all), "%s%s%s", lacks[0], lacks[1], lacks[2]);
	(void)str_copy(lacks_out, CGROUP_LACKS_SIZE, str_from(all[0] != '\0' ? all + 2 : all));
}

/* --- about one worker --- */

static int
set_limit(const struct cgroup *cgroup, const char *id, const char *name, uint64_t value,
    struct err *err)
{
	char path[LEAF_FILE_SIZE], text[24];

	leaf_file(id, name, path);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	if (write_at(cgroup->fd, path, text) == -1)
		return err_errno(err, "write(%s/%s)", cgroup->path, path);
	return 0;
}

/* One process too many in memory is the whole worker too many. */
static int
set_limits(const struct cgroup *cgroup, const char *id, const struct cgroup_limits *limits,
    struct err *err)
{
	if (cgroup->has_memory &&
	    (set_limit(cgroup, id, "/memory.max", limits->memory_bytes, err) == -1 ||
	    set_limit(cgroup, id, "/memory.oom.group", 1, err) == -1))
		return -1;
	return cgroup->has_pids ?
	    set_limit(cgroup, id, "/pids.max", limits->processes, err) : 0;
}

static int
make_leaf(struct cgroup *cgroup, const char *id, const struct cgroup_limits *limits,
    int *dir_out, struct err *err)
{
	char path[LEAF_FILE_SIZE];

	leaf_file(id, "", path);
	if (mkdirat(cgroup->fd, path, 0755) == -1 &&
	    /* Of an earlier attempt?  What has happened in it is not this one's. */
	    (errno != EEXIST || unlinkat(cgroup->fd, path, AT_REMOVEDIR) == -1 ||
	    mkdirat(cgroup->fd, path, 0755) == -1))
		return err_errno(err, "mkdir(%s/%s)", cgroup->path, path);
	if (set_limits(cgroup, id, limits, err) == -1)
		return -1;
	*dir_out = openat(cgroup->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *dir_out != -1 ? 0 : err_errno(err, "open(%s/%s)", cgroup->path, path);
}

int
cgroup_make(struct cgroup *cgroup, const char *id, const struct cgroup_limits *limits,
    int *dir_out, struct err *err)
{
	if (make_leaf(cgroup, id, limits, dir_out, err) == 0)
		return 0;
	cgroup_remove(cgroup, id);
	return -1;
}

void
cgroup_kill(const struct cgroup *cgroup, const char *id)
{
	char path[LEAF_FILE_SIZE];

	if (cgroup == NULL || !cgroup->has_kill)
		return;
	leaf_file(id, "/cgroup.kill", path);
	(void)!write_at(cgroup->fd, path, "1");
}

bool
cgroup_ran_out(const struct cgroup *cgroup, const char *id)
{
	char path[LEAF_FILE_SIZE], text[TEXT_SIZE];

	if (cgroup == NULL || !cgroup->has_memory)
		return false;
	leaf_file(id, "/memory.events", path);
	return cgroup_parse_event(read_at(cgroup->fd, path, text), STR("oom_kill")) > 0;
}

void
cgroup_remove(struct cgroup *cgroup, const char *id)
{
	char path[LEAF_FILE_SIZE];

	if (cgroup == NULL)
		return;
	leaf_file(id, "", path);
	if (unlinkat(cgroup->fd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return;
	/* It is not empty.  Who dies there is reaped soon. */
	cgroup_kill(cgroup, id);
	cgroup->has_leftovers = true;
}

/* --- what is left over --- */

bool
cgroup_has_leftovers(const struct cgroup *cgroup)
{
	return cgroup != NULL && cgroup->has_leftovers;
}

void
cgroup_sweep(struct cgroup *cgroup, cgroup_has_worker_cb *has_worker, void *arg)
{
	int fd = openat(cgroup->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	cgroup->has_leftovers = dir == NULL;
	if (dir == NULL) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		const char *id = entry->d_name + strlen(LEAF);

		if (strncmp(entry->d_name, LEAF, strlen(LEAF)) == 0 &&
		    tid_is_valid(str_from(id)) && !has_worker(str_from(id), arg))
			cgroup_remove(cgroup, id);
	}
	(void)closedir(dir);
}
