/*
 * governance-sync - the graph of nodes and edges that the governance account keeps.
 *
 *	assigned -> look -> checkpoint "begun" -> struct sync_repo -> tally ->
 *	checkpoint "synced" -> struct graph_build -> tally -> done
 *
 * First the account's repository is brought up to date in the index, then the graph
 * is made anew of what is indexed, also if nothing has changed: a graph that was not
 * finished is finished, one that is right stays as it is.
 *
 * What a kill must not change are the outcome's numbers.  Changes are the indexer's
 * tally.  Refused records of the graph are found again by each attempt.  Those that
 * the sync refuses are told by the sync that commits them only, so the checkpoint
 * holds their number; and if an attempt died between that commit and its checkpoint,
 * the revision that is indexed is no longer the one of "begun", and the sync is
 * forced.  Each item is followed by a checkpoint that counts it, and said once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/did.h"
#include "common/buf.h"
#include "common/mem.h"
#include "workers/graph_build.h"
#include "workers/net_worker.h"
#include "workers/rows_link.h"
#include "workers/sync_env.h"
#include "workers/sync_repo.h"

#define CHECKPOINT_SIZE	256

enum phase {
	PHASE_NONE,
	PHASE_BEGUN,		/* nothing is known to be done */
	PHASE_SYNCED,		/* the repository is in the index */
};

/* "1 PHASE REV REFUSED ITEMS"; a REV of "-": the repository was not indexed. */
struct checkpoint {
	enum phase phase;
	char rev[LIMIT_REV_BYTES + 1];	/* that was indexed before */
	uint64_t refused;		/* records, by the sync */
	uint64_t items;			/* said so far */
};

struct governance {
	struct worker *worker;		/* borrowed, outlives us */
	struct sync_env env;
	bool has_env;
	struct checkpoint checkpoint;
	uint64_t refused_by_sync;	/* so far, in this attempt */
	uint64_t bytes;			/* fetched */
	/* owned; NULL when not under way */
	struct sync_repo *sync;
	struct sync_outcome outcome;	/* of it */
	struct graph_build *build;
	struct link_question *question;
	struct msg_ack changes;		/* in the index, by all attempts; as last asked */
	struct graph_counts counts;	/* of the graph that was made */
};

/* --- the checkpoint --- */

static void
send_checkpoint(struct governance *job)
{
	const struct checkpoint *checkpoint = &job->checkpoint;
	char text[CHECKPOINT_SIZE];
	int len = snprintf(text, sizeof(text), "1 %d %s %" PRIu64 " %" PRIu64,
	    (int)checkpoint->phase, checkpoint->rev, checkpoint->refused,
	    checkpoint->items);

	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = { (const uint8_t *)text, (size_t)len },
		.processed = checkpoint->refused,
		.created = job->changes.created,
		.updated = job->changes.updated,
		.deleted = job->changes.deleted,
	});
}

static void
read_checkpoint(struct governance *job)
{
	struct bytes from = worker_assignment(job->worker)->checkpoint;
	struct checkpoint read = { .phase = PHASE_NONE };
	char text[CHECKPOINT_SIZE];
	int phase;

	if (!str_copy(text, sizeof(text), (struct str){ (const char *)from.ptr,
	    from.len }) || sscanf(text, "1 %d %64s %" SCNu64 " %" SCNu64, &phase, read.rev,
	    &read.refused, &read.items) != 4 ||
	    (phase != PHASE_BEGUN && phase != PHASE_SYNCED))
		return;
	read.phase = (enum phase)phase;
	job->checkpoint = read;
}

/* --- items --- */

/* number: of all items that this operation ever finds, which are the same ones in
 * the same order for each attempt. */
static void
say_item(struct governance *job, uint64_t number, struct str uri, const char *class,
    const char *text)
{
	if (number <= job->checkpoint.items || number > LIMIT_OP_ITEMS)
		return;
	job->checkpoint.items = number;
	worker_item_failed(job->worker, uri, class, text);
	send_checkpoint(job);
}

/* --- the end --- */

static void
on_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	struct governance *job = arg;
	uint64_t refused = job->checkpoint.refused;

	job->question = NULL;
	if (why != NULL) {
		worker_fail(job->worker, "index", "the indexer: %.*s", STR_FMT(why->text));
		return;
	}
	worker_done(job->worker, &(struct msg_done){
		.processed = refused + job->counts.processed,
		.total = refused + job->counts.total,
		.failed = refused + job->counts.refused,
		.bytes = job->bytes,
		.created = tally->created,
		.updated = tally->updated,
		.deleted = tally->deleted,
	});
}

/* --- the graph --- */

static void
on_build_progress(const char *stage, const struct graph_counts *counts, void *arg)
{
	struct governance *job = arg;
	uint64_t refused = job->checkpoint.refused;

	worker_progress(job->worker, &(struct msg_progress){
		.stage = str_from(stage),
		.processed = refused + counts->processed,
		.total = counts->total > 0 ? refused + counts->total : 0,
		.failed = refused + counts->refused,
		.bytes = job->bytes,
	});
}

static void
on_refused(uint64_t number, struct str uri, const char *why, void *arg)
{
	struct governance *job = arg;

	say_item(job, job->checkpoint.refused + number, uri, "invalid", why);
}

static void
tell_graph(struct governance *job, const struct graph_counts *counts)
{
	struct worker *worker = job->worker;

	worker_log(worker, LOG_LEVEL_INFO, "the graph has %" PRIu64 " nodes and %" PRIu64
	    " edges", counts->nodes, counts->edges);
	if (counts->processed == 0)
		worker_log(worker, LOG_LEVEL_WARN, "%s has no records of nodes or edges",
		    worker_settings(worker)->governance_did);
	if (counts->pending > 0)
		worker_log(worker, LOG_LEVEL_WARN, "%" PRIu64 " edges are pending: an end "
		    "is no node of the graph (backfillctl graph --pending)",
		    counts->pending);
	if (counts->lost_heirs > 0)
		worker_log(worker, LOG_LEVEL_WARN, "%" PRIu64 " nodes are deprecated by "
		    "one that is no node of the graph", counts->lost_heirs);
	if (counts->loops > 0)
		worker_log(worker, LOG_LEVEL_INFO, "%" PRIu64 " edges join a node to "
		    "itself", counts->loops);
}

static void
on_built(const struct graph_outcome *outcome, void *arg)
{
	struct governance *job = arg;

	if (outcome->error_class[0] != '\0') {
		worker_fail(job->worker, outcome->error_class, "%s", outcome->error_text);
		return;
	}
	job->counts = outcome->counts;
	tell_graph(job, &job->counts);
	job->question = records_tally(worker_records(job->worker), on_tally, job);
}

static void
begin_graph(struct governance *job)
{
	static const struct graph_events events = {
		.on_progress = on_build_progress, .on_refused = on_refused,
		.on_done = on_built,
	};
	const struct settings *settings = worker_settings(job->worker);

	job->build = graph_build_start(worker_records(job->worker), &(struct graph_order){
		.did = str_from(settings->governance_did),
		.node_collection = str_from(settings->governance_node_collection),
		.edge_collection = str_from(settings->governance_edge_collection),
		.max_nodes = LIMIT_GRAPH_NODES,
		.max_edges = LIMIT_GRAPH_EDGES,
	}, &events, job);
}

/* The sync is acked, by this attempt or an earlier one. */
static void
on_synced_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	struct governance *job = arg;

	job->question = NULL;
	if (why != NULL) {
		worker_fail(job->worker, "index", "the indexer: %.*s", STR_FMT(why->text));
		return;
	}
	job->changes = *tally;
	send_checkpoint(job);
	begin_graph(job);
}

static void
ask_synced_tally(struct governance *job)
{
	job->question = records_tally(worker_records(job->worker), on_synced_tally, job);
}

/* --- the repository --- */

static void
on_sync_progress(struct sync_repo *sync BF_UNUSED, const struct sync_progress *progress,
    void *arg)
{
	struct governance *job = arg;

	job->bytes = progress->bytes;
	worker_progress(job->worker, &(struct msg_progress){
		.stage = str_from(progress->stage),
		.processed = progress->processed,
		.total = progress->total,
		.failed = progress->failed,
		.bytes = progress->bytes,
	});
}

static void
on_bad_record(struct sync_repo *sync, struct str path, const struct fault *fault,
    void *arg)
{
	struct governance *job = arg;
	struct buf uri = BUF_INIT;
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	buf_printf(&uri, "at://%.*s/%.*s", STR_FMT(sync_repo_did(sync)), STR_FMT(path));
	say_item(job, ++job->refused_by_sync, buf_str(&uri), fault_kind(fault->code), text);
	buf_clear(&uri);
}

static void
on_note(struct sync_repo *sync BF_UNUSED, const char *text, void *arg)
{
	struct governance *job = arg;

	worker_log(job->worker, LOG_LEVEL_INFO, "%s", text);
}

static void
tell_sync(struct governance *job, const struct sync_outcome *outcome)
{
	if (outcome->result == SYNC_INACTIVE)
		worker_log(job->worker, LOG_LEVEL_WARN, "the account is %s; %s",
		    outcome->status, outcome->deleted > 0 ? "its records are gone" :
		    "its records are as they were");
	else
		worker_log(job->worker, LOG_LEVEL_INFO, "%s at revision %s",
		    outcome->result == SYNC_DONE ? "indexed" : "already indexed",
		    outcome->rev);
}

static void
take_outcome(struct governance *job, const struct sync_outcome *outcome)
{
	if (outcome->result == SYNC_FAILED) {
		worker_fail(job->worker, outcome->error_class, "%s; the graph stays as "
		    "it was", outcome->error_text);
		return;
	}
	tell_sync(job, outcome);
	job->checkpoint.phase = PHASE_SYNCED;
	job->checkpoint.refused = outcome->progress.failed;
	ask_synced_tally(job);
}

static void
on_notes_written(const char *why, void *arg)
{
	struct governance *job = arg;

	if (why != NULL)
		worker_log(job->worker, LOG_LEVEL_WARN, "notes were not written: %s", why);
	take_outcome(job, &job->outcome);
}

static void
on_synced(struct sync_repo *sync BF_UNUSED, const struct sync_outcome *outcome,
    void *arg)
{
	struct governance *job = arg;

	job->sync = NULL;
	job->outcome = *outcome;
	job->outcome.pds = NULL;	/* the sync's own */
	sync_env_write(&job->env, on_notes_written, job);
}

static void
begin_sync(struct governance *job, bool is_forced)
{
	static const struct sync_repo_events events = {
		.on_progress = on_sync_progress, .on_bad_record = on_bad_record,
		.on_note = on_note, .on_done = on_synced,
	};
	const struct worker_assignment *given = worker_assignment(job->worker);

	job->sync = sync_repo_start(&job->env, &(struct sync_order){
		.did = str_from(worker_settings(job->worker)->governance_did),
		.spill_fd = given->spill_count > 0 ? given->spill_fds[0] : -1,
		.is_forced = is_forced, .wants_fresh_document = true,
	}, &events, job);
}

static void
on_look(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct governance *job = arg;
	struct checkpoint *checkpoint = &job->checkpoint;
	char rev[LIMIT_REV_BYTES + 1] = "-";
	bool is_forced = false;

	job->question = NULL;
	if (why != NULL) {
		worker_fail(job->worker, "index", "the indexer: %.*s", STR_FMT(why->text));
		return;
	}
	if (!str_is_empty(state->rev))
		(void)str_copy(rev, sizeof(rev), state->rev);
	if (checkpoint->phase == PHASE_BEGUN) {
		is_forced = strcmp(rev, checkpoint->rev) != 0;
	} else {
		checkpoint->phase = PHASE_BEGUN;
		memcpy(checkpoint->rev, rev, sizeof(rev));
		send_checkpoint(job);
	}
	begin_sync(job, is_forced);
}

/* --- the type --- */

/* False: the operation has failed for it. */
static bool
has_settings(struct governance *job)
{
	struct worker *worker = job->worker;
	const struct settings *settings = worker_settings(worker);
	struct str did = str_from(settings->governance_did);
	struct err err;

	if (str_is_empty(did)) {
		worker_fail(worker, "setting", "governance_did is not set: name the "
		    "governance account's DID in backfilld.conf");
		return false;
	}
	if (!did_is_atproto(did)) {
		worker_fail(worker, "setting", "governance_did: %.*s is no did:plc or "
		    "did:web", STR_FMT(did));
		return false;
	}
	if (sync_env_init(&job->env, worker_loop(worker), worker_records(worker), settings,
	    worker_answers_429(worker), &err) == -1) {
		worker_fail(worker, "setting", "%s", err.text);
		return false;
	}
	job->has_env = true;
	sync_env_remember_met(&job->env);
	return true;
}

static void *
start(struct worker *worker)
{
	struct governance *job = xcalloc(1, sizeof(*job));

	job->worker = worker;
	if (!has_settings(job))
		return job;
	read_checkpoint(job);
	if (job->checkpoint.phase == PHASE_SYNCED)
		ask_synced_tally(job);
	else
		job->question = records_look(worker_records(worker),
		    str_from(worker_settings(worker)->governance_did), on_look, job);
	return job;
}

static void
end(void *arg)
{
	struct governance *job = arg;

	sync_repo_cancel(&job->sync);
	graph_build_free(&job->build);
	link_question_cancel(&job->question);
	if (job->has_env)
		sync_env_clear(&job->env);
	free(job);
}

int
main(void)
{
	static const struct worker_type type = {
		.name = "governance-sync", .start = start, .end = end,
	};

	return net_worker_main(&type);
}
