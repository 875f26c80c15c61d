#include "supervisor/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/human.h"
#include "op/op_type.h"
#include "store/store_figures.h"
#include "supervisor/contain.h"
#include "supervisor/control.h"
#include "supervisor/on_client.h"
#include "supervisor/service.h"

#define DISK_WRONG_BYTES	(256ull << 20)
#define DISK_WEAK_BYTES		(2ull << 30)
#define OWN_FILES		128	/* descriptors beside those of workers */
#define FILES_PER_WORKER	8	/* two channels while one starts, spill files */
#define FIRST_YEAR_SECS		1767225600	/* 2026: a clock before it was never set */

struct doctor {
	struct control_client *client;
	const struct supervisor *sup;
	uint64_t req;
};

enum verdict { OK, WEAK, WRONG };

/* advice: what to do, NULL if nothing. */
static void BF_PRINTF(5, 6)
say(const struct doctor *doctor, const char *what, enum verdict verdict,
    const char *advice, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "weak", "wrong" };
	struct msg msg = { .type = MSG_TYPE_CHECK };
	char found[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(found, sizeof(found), fmt, ap);
	va_end(ap);
	msg.check = (struct msg_check){
		.req = doctor->req, .what = str_from(what),
		.verdict = str_from(words[verdict]), .found = str_from(found),
		.advice = str_from(verdict == OK || advice == NULL ? "" : advice),
	};
	channel_send(doctor->client->channel, &msg);
}

/* --- the machine --- */

static void
see_system(const struct doctor *doctor)
{
	struct utsname system;
	struct timex clock = { .modes = 0 };
	bool is_free;

	(void)uname(&system);
	say(doctor, "version", OK, NULL, "backfilld %s on %s %s", PACKAGE_VERSION,
	    system.sysname, system.release);

	/* Where another clock is followed, as in a container, this may not be told. */
	is_free = adjtimex(&clock) == TIME_ERROR;
	if (time(NULL) < FIRST_YEAR_SECS)
		say(doctor, "clock", WRONG, "set the clock: tokens and revisions are "
		    "compared with it", "it is far in the past");
	else
		say(doctor, "clock", is_free ? WEAK : OK, "run an NTP client: tokens and "
		    "revisions are compared with the clock", is_free ?
		    "no NTP client says that it keeps it" : "synchronised");
}

static void
see_files(const struct doctor *doctor)
{
	uint64_t needed = OWN_FILES + doctor->sup->settings.max_workers * FILES_PER_WORKER;
	struct rlimit limit = { 0 };

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	say(doctor, "descriptors", limit.rlim_cur < needed ? WRONG : OK,
	    "raise LimitNOFILE of the service (ulimit -n), or lower max_workers",
	    "%llu, of which max_workers may need %llu", (unsigned long long)limit.rlim_cur,
	    (unsigned long long)needed);
}

/* --- directories --- */

/* Magic numbers of file systems whose locks and maps LMDB must not rely on. */
static const struct {
	uint32_t magic;
	const char *name;
} remote[] = {
	{ 0x6969, "NFS" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
	{ 0x517b, "SMB" }, { 0x65735546, "FUSE" }, { 0x01021997, "9p" },
	{ 0x00c36400, "Ceph" }, { 0x5346414f, "AFS" }, { 0x47504653, "GPFS" },
};

static void
see_file_system(const struct doctor *doctor)
{
	const char *dir = doctor->sup->settings.state_dir;
	const char *name = NULL;
	char free_text[HUMAN_SIZE];
	struct statfs fs;
	uint64_t room;

	if (statfs(dir, &fs) == -1) {
		say(doctor, "state_dir", WRONG, "is the disk still mounted?", "%s: %s",
		    dir, strerror(errno));
		return;
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(remote); i++)
		if ((uint32_t)fs.f_type == remote[i].magic)
			name = remote[i].name;
	say(doctor, "file system", name != NULL ? WRONG : OK, "move state_dir to a local "
	    "disk: the stores are mapped and locked, which is not safe over a network",
	    "%s is on %s", dir, name != NULL ? name : "a local disk");

	room = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	human_bytes(room, free_text);
	say(doctor, "disk space", room < DISK_WRONG_BYTES ? WRONG : room < DISK_WEAK_BYTES ?
	    WEAK : OK, "make room: new operations are refused when it is full",
	    "%s free", free_text);
}

static void
see_directory(const struct doctor *doctor, const char *what, const char *path,
    mode_t allowed)
{
	struct stat st;
	char advice[64];

	(void)snprintf(advice, sizeof(advice), "as its owner: chmod %03o",
	    (unsigned)allowed);
	if (stat(path, &st) == -1)
		say(doctor, what, WRONG, "make it again, or restart the daemon", "%s: %s",
		    path, strerror(errno));
	else if (st.st_uid != geteuid())
		say(doctor, what, WRONG, "chown it to the daemon's user", "%s belongs to "
		    "user %u, the daemon is user %u", path, (unsigned)st.st_uid,
		    (unsigned)geteuid());
	else
		say(doctor, what, (st.st_mode & 07777 & ~allowed) != 0 ? WRONG : OK, advice,
		    "%s has mode %04o", path, (unsigned)st.st_mode & 07777);
}

/* A file that is read at each start; has_secret: a password that is not hashed. */
static void
see_file(const struct doctor *doctor, const char *what, const char *path, bool has_secret)
{
	struct stat st;

	if (stat(path, &st) == -1)
		say(doctor, what, WEAK, "it is needed at the next start", "%s: %s", path,
		    strerror(errno));
	else
		say(doctor, what, has_secret && (st.st_mode & S_IROTH) != 0 ? WRONG : OK,
		    "chmod o-r, or put a hash in place of the password "
		    "(backfillctl hash-password)", "%s has mode %04o%s", path,
		    (unsigned)st.st_mode & 07777, has_secret ? " and a password" : "");
}

static void
see_config(const struct doctor *doctor)
{
	const struct supervisor *sup = doctor->sup;
	const char *password = sup->settings.admin_password;
	const char *password_file = sup->settings.admin_password_file;
	const char *credentials_file = sup->settings.opensearch_credentials_file;
	bool has_credentials = sup->settings.opensearch_credentials[0] != '\0';
	bool has_secret = password[0] != '\0' && password[0] != '$';

	see_file(doctor, "configuration", sup->config_path,
	    (has_secret && password_file[0] == '\0') ||
	    (has_credentials && credentials_file[0] == '\0'));
	if (password_file[0] != '\0')
		see_file(doctor, "admin password", password_file, has_secret);
	if (credentials_file[0] != '\0')
		see_file(doctor, "search server", credentials_file, has_credentials);
}

static void
see_store(const struct doctor *doctor)
{
	char used[HUMAN_SIZE], map[HUMAN_SIZE];
	struct store_figures figures;

	if (ops_figures(doctor->sup->ops, &figures) == -1) {
		say(doctor, "operations/", WRONG, "see the daemon's log", "LMDB does not "
		    "tell its figures");
		return;
	}
	human_bytes(figures.used_bytes, used);
	human_bytes(figures.map_bytes, map);
	say(doctor, "operations/", figures.used_bytes > figures.map_bytes / 10 * 9 ? WRONG :
	    OK, "it is nearly as large as it can become", "%s of %s", used, map);
	say(doctor, "readers", figures.readers > figures.readers_most / 10 * 9 ? WRONG : OK,
	    "restart whatever keeps reading operations/", "%llu of %llu slots were in use "
	    "together, at most", (unsigned long long)figures.readers,
	    (unsigned long long)figures.readers_most);
}

/* --- our processes --- */

static void
see_service(const struct doctor *doctor, const char *name, const struct service *service)
{
	if (service_is_ready(service))
		say(doctor, name, OK, NULL, "process %d", (int)service_pid(service));
	else
		say(doctor, name, WRONG, "its reason to end is in the daemon's log",
		    "%s", service_pid(service) != 0 ? "has not said that it is ready" :
		    "does not run");
}

static void
see_types(const struct doctor *doctor)
{
	char path[4096], missing[256] = "";
	size_t at = 0;

	for (size_t i = 0; i < op_types_count && at < sizeof(missing); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s",
		    doctor->sup->settings.libexec_dir, op_types[i].kebab);
		if (access(path, X_OK) == -1)
			at += (size_t)snprintf(missing + at, sizeof(missing) - at, " %s",
			    op_types[i].kebab);
	}
	say(doctor, "types", at > 0 ? WEAK : OK, "these operations are refused: install "
	    "their executables in libexec_dir", "%s%s", at > 0 ? "not installed:" :
	    "all are installed", missing);
}

/* --- containment --- */

static void
see_user(const struct doctor *doctor)
{
	const struct contain *contain = doctor->sup->contain;

	if (contain->has_user)
		say(doctor, "worker user", OK, NULL, "workers are user %u, the daemon is root",
		    (unsigned)contain->user.uid);
	else if (geteuid() == 0)
		say(doctor, "worker user", WEAK, "make a user backfilld (or set worker_user), "
		    "or start the daemon as one", "workers run as root");
	else
		say(doctor, "worker user", OK, NULL, "workers are user %u, as the daemon",
		    (unsigned)geteuid());
}

static void
see_limits(const struct doctor *doctor)
{
	const struct settings *settings = &doctor->sup->settings;
	char memory[HUMAN_SIZE], cpu[HUMAN_SIZE];
	struct spawn_plan plan = { 0 };

	contain_worker(doctor->sup, &plan);
	human_bytes(settings->worker_memory_bytes, memory);
	human_duration((int64_t)settings->worker_cpu_secs * 1000, cpu);
	say(doctor, "worker limits", plan.limits.memory_bytes == 0 ? WEAK : OK,
	    "use a build without sanitizers", "memory %s, processor %s, time %s, no core",
	    plan.limits.memory_bytes == 0 ? "without a limit" : memory, cpu,
	    settings->max_time_per_type);
}

static void
see_cgroups(const struct doctor *doctor)
{
	const struct contain *contain = doctor->sup->contain;
	const char *advice = "give the service a part of cgroup v2: Delegate=memory pids in "
	    "its unit, or the setting cgroup";
	char lacks[CGROUP_LACKS_SIZE];

	if (contain->cgroup == NULL) {
		say(doctor, "worker cgroups", WEAK, advice, "none: %s", contain->why_no_cgroup);
		return;
	}
	cgroup_lacks(contain->cgroup, lacks);
	say(doctor, "worker cgroups", lacks[0] != '\0' ? WEAK : OK, advice, "one for each "
	    "worker in %s%s%s", cgroup_path(contain->cgroup), lacks[0] != '\0' ?
	    ", without: " : "", lacks);
}

static void
see_containment(const struct doctor *doctor)
{
	const struct contain *contain = doctor->sup->contain;

	for (size_t i = 0; i < contain->count; i++) {
		const struct contain_report *report = &contain->reports[i];
		char what[80];

		(void)snprintf(what, sizeof(what), "%s %s", report->program, report->part);
		if (report->is_active)
			say(doctor, what, OK, NULL, "confined");
		else
			say(doctor, what, WEAK, "see docs/architecture.md, Containment: the "
			    "kernel, the container or the service's unit refuses it",
			    "not confined: %s", report->why);
	}
	if (contain->count == 0)
		say(doctor, "containment", WEAK, "restart the services to be told",
		    "nothing was reported since the upgrade of the daemon");
}

void
doctor_send(struct control_client *client, uint64_t req)
{
	const struct supervisor *sup = client->sup;
	const struct doctor doctor = { .client = client, .sup = sup, .req = req };

	see_system(&doctor);
	see_config(&doctor);
	see_directory(&doctor, "state_dir", sup->settings.state_dir,
	    sup->contain->has_user ? 0711 : 0700);
	see_directory(&doctor, "runtime_dir", sup->settings.runtime_dir, 0755);
	see_file_system(&doctor);
	see_store(&doctor);
	see_files(&doctor);
	see_service(&doctor, "backfill-indexer", sup->indexer);
	see_service(&doctor, "backfill-resolver", sup->resolver);
	see_service(&doctor, "backfill-api", sup->api);
	see_types(&doctor);
	see_user(&doctor);
	see_limits(&doctor);
	see_cgroups(&doctor);
	see_containment(&doctor);
	client_send_end_list(client, req, STR_NONE);
}
