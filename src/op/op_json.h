/*
 * op_json.h - an operation as JSON: one form for the API and for backfillctl.
 *
 * The members are those of the lexicons' #backfillOperation
 * (pub.chive.admin.getBackfillStatus), whose objects are open, and ours beside
 * them.  Absent means not known or not applicable; nothing is ever null.
 *
 *	id, type, status, recordsProcessed	always
 *	startedAt	when it was accepted; always
 *	completedAt	when it reached completed, failed or cancelled
 *	totalRecords	once it is known, and with it
 *	progress	0-100
 *	stageProgress	{done, total}: of a stage that counts something else than records,
 *			which progress and etaSeconds are then about; total once it is known
 *	startedBy	if it is a DID, as the lexicon wants; otherwise
 *	triggeredBy	"admin", "uid 1000"
 *	error, errorClass	why it failed: a sentence and a word
 *
 *	params		{did, pdsUrl, uri, batchSize, itemsOf}: those that were given
 *	stage, itemsFailed, attempt, updatedAt
 *	runningSince	while it runs: when this attempt started
 *	rate		records per second while it runs, a whole number
 *	etaSeconds	at that rate
 *	changes		{created, updated, deleted} in the index
 *	usage		{cpuMs, maxRssKib, bytesFetched} of all attempts
 *	met		{"429": 12, "unreachable": 3}: how often it met what, in all
 *			attempts, by the words of op_met.h; absent if nothing
 *	paused, pausedAt, pausedBy	true, when and by whom, from the moment that a
 *			pause is asked for until it is resumed; the status is then
 *			running, until its worker has stopped, or queued
 *	cancelledBy, cancelReason, cancelAskedAt
 *	exit		how the last process ended: {code} or {signal: "SIGSEGV"},
 *			and killed: whether it took our SIGKILL
 */
#ifndef BF_OP_OP_JSON_H
#define BF_OP_OP_JSON_H

#include <stdint.h>

#include "common/json.h"
#include "op/op.h"

enum op_spelling {
	OP_KEBAB,	/* "did-sync", as the lexicons of the record */
	OP_CAMEL,	/* "didSync", as the lexicon of the trigger and its dashboard */
};

/* The operation as one object. */
void op_json(struct json *json, const struct op *op, enum op_spelling spelling);

/* Its members alone, for an object that has more. */
void op_json_members(struct json *json, const struct op *op,
    enum op_spelling spelling);

/* One entry of its history: {at, event, text}. */
void op_json_event(struct json *json, int64_t at_ms, struct str event,
    struct str text);

/* One item that could not be done: {at, item, errorClass, error}. */
void op_json_item(struct json *json, int64_t at_ms, struct str item,
    struct str error_class, struct str error);

#endif
