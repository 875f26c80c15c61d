#include "workers/citation_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/nsid.h"
#include "common/buf.h"
#include "common/mem.h"
#include "fetch/crossref.h"
#include "fetch/grobid.h"
#include "fetch/scholar.h"
#include "pdftext/pdftext.h"
#include "workers/room.h"
#include "workers/worker.h"

/* A mail address as it stands in `contact`, which may also be that of a page. */
static struct str
mail_of(const char *contact)
{
	if (strncmp(contact, "mailto:", 7) == 0)
		contact += 7;
	if (strchr(contact, '@') == NULL || strstr(contact, "://") != NULL)
		return STR_NONE;
	return str_from(contact);
}

/* What only adds to what is known is not waited for as long: the eprint goes without, and
 * so do the next ones until the pause is over. */
#define ADDED_PATIENCE_MS	(60 * 1000)

/* A GROBID that is busy is waited for; one that names a pause like this is not to be had
 * today, and pdftotext reads what it would have. */
#define GROBID_PATIENCE_MS	(5 * 60 * 1000)

/* patience_ms: to be let wait. */
static struct http *
service(const struct citation_env *env, const char *url, struct polite_options rates,
    int64_t patience_ms)
{
	struct http_options options = sync_env_http_options(&env->net);

	if (*url == '\0')
		return NULL;
	options.polite = rates;
	options.wait_ms = patience_ms;
	return http_new(env->net.loop, &options);
}

static char *
make_helper_path(const char *libexec_dir)
{
	char *path;

	if (asprintf(&path, "%s/%s", libexec_dir, PDFTEXT_PROGRAM) == -1)
		abort();
	return path;
}

void
citation_env_name_tools(unsigned tools, char name_out[CITATION_TOOLS_SIZE])
{
	(void)snprintf(name_out, CITATION_TOOLS_SIZE, "%s%s%s",
	    tools & CITATION_GROBID ? "grobid" : "pdftotext",
	    tools & CITATION_SCHOLAR ? "+semantic-scholar" : "",
	    tools & CITATION_CROSSREF ? "+crossref" : "");
}

int
citation_env_init(struct citation_env *env, struct worker *worker, struct err *err)
{
	const struct settings *settings = worker_settings(worker);
	unsigned at_a_time = (unsigned)settings->citation_concurrency;

	*env = (struct citation_env){
		.worker = worker,
		.collection = str_from(settings->eprint_collection),
		.mail = mail_of(settings->contact),
	};
	if (!nsid_is_valid(env->collection))
		return err_set(err, ERR_INVALID, "eprint_collection: \"%s\" is no "
		    "collection", settings->eprint_collection);
	if (eprint_map_parse(str_from(settings->eprint_fields), &env->map, err) == -1)
		return -1;
	if (sync_env_init(&env->net, worker_loop(worker), worker_records(worker), settings,
	    worker_answers_429(worker), err) == -1)
		return -1;
	env->grobid = service(env, settings->grobid_url, grobid_rates(at_a_time),
	    GROBID_PATIENCE_MS);
	env->crossref = service(env, settings->crossref_url, crossref_rates(env->mail),
	    ADDED_PATIENCE_MS);
	env->scholar = service(env, settings->semantic_scholar_url, scholar_rates(),
	    ADDED_PATIENCE_MS);
	env->helper = make_helper_path(settings->libexec_dir);
	citation_env_name_tools((env->grobid != NULL ? CITATION_GROBID : 0) |
	    (env->crossref != NULL ? CITATION_CROSSREF : 0) |
	    (env->scholar != NULL ? CITATION_SCHOLAR : 0), env->tools);
	return 0;
}

int64_t
citation_env_lacks_room(struct citation_env *env, struct str text)
{
	int64_t wait_ms;

	if (room_refused(env->net.room, &wait_ms))
		worker_log(env->worker, LOG_LEVEL_WARN, ROOM_LACKING, STR_FMT(text));
	if (env->is_pausing)
		worker_paused(env->worker);
	return wait_ms;
}

void
citation_env_has_room(struct citation_env *env)
{
	if (room_found(env->net.room))
		worker_log(env->worker, LOG_LEVEL_INFO, ROOM_IS_THERE);
}

void
citation_env_clear(struct citation_env *env)
{
	http_free(&env->grobid);
	http_free(&env->crossref);
	http_free(&env->scholar);
	sync_env_clear(&env->net);
	free(env->helper);
	env->helper = NULL;
}
