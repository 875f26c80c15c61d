#include "workers/assignment.h"

#include <stdlib.h>
#include <string.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"

static struct str
keep_str(struct str text)
{
	return (struct str){ xmemdup(text.ptr, text.len), text.len };
}

static void
drop(const void *kept)
{
	free((void *)(uintptr_t)kept);
}

void
assignment_init(struct assignment *assignment)
{
	*assignment = (struct assignment){ 0 };
}

void
assignment_clear(struct assignment *assignment)
{
	struct worker_assignment *given = &assignment->given;

	for (unsigned i = 0; i < given->spill_count; i++)
		fd_close(&given->spill_fds[i]);
	for (size_t i = 0; i < assignment->items_count; i++)
		drop(assignment->items[i].ptr);
	free(assignment->items);
	for (size_t i = 0; i < assignment->listed_count; i++)
		drop(assignment->listed[i].ptr);
	free(assignment->listed);
	drop(given->id.ptr);
	drop(given->did.ptr);
	drop(given->pds_url.ptr);
	drop(given->uri.ptr);
	drop(given->tier.ptr);
	drop(given->items_of.ptr);
	drop(given->checkpoint.ptr);
	assignment_init(assignment);
}

bool
assignment_is_part(const struct msg *msg)
{
	return msg->type == MSG_TYPE_LISTED_ITEM || msg->type == MSG_TYPE_ASSIGN ||
	    msg->type == MSG_TYPE_SPILL || msg->type == MSG_TYPE_RETRY_ITEM ||
	    msg->type == MSG_TYPE_RETRY_END;
}

static void
take_spill(struct worker_assignment *given, int fd)
{
	if (fd >= 0)
		given->spill_fds[given->spill_count++] = fd;
}

static int
compare(const void *a, const void *b)
{
	const struct str *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = len > 0 ? memcmp(left->ptr, right->ptr, len) : 0;

	return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

static void
take_listed(struct assignment *assignment, struct str item)
{
	assignment->listed = xrealloc(assignment->listed,
	    (assignment->listed_count + 1) * sizeof(*assignment->listed));
	assignment->listed[assignment->listed_count++] = keep_str(item);
}

bool
assignment_unlist(struct assignment *assignment, struct str item)
{
	struct str *found = NULL;

	if (assignment->listed_count > 0)
		found = bsearch(&item, assignment->listed, assignment->listed_count,
		    sizeof(item), compare);
	if (found == NULL)
		return false;
	drop(found->ptr);
	assignment->listed_count--;
	memmove(found, found + 1, (size_t)(assignment->listed + assignment->listed_count -
	    found) * sizeof(*found));
	return true;
}

static void
take_assign(struct assignment *assignment, const struct msg_assign *msg, int fd)
{
	assignment->has_assign = true;
	assignment->spills_to_come = msg->spills;
	assignment->items_to_come = !str_is_empty(msg->items_of);
	assignment->given = (struct worker_assignment){
		.id = keep_str(msg->id), .attempt = msg->attempt,
		.did = keep_str(msg->did), .pds_url = keep_str(msg->pds_url),
		.uri = keep_str(msg->uri), .batch_size = msg->batch_size,
		.tier = keep_str(msg->tier),
		.items_of = keep_str(msg->items_of),
		.checkpoint = {
			xmemdup(msg->checkpoint.ptr, msg->checkpoint.len),
			msg->checkpoint.len,
		},
	};
	take_spill(&assignment->given, fd);
	if (assignment->listed_count > 0)
		qsort(assignment->listed, assignment->listed_count,
		    sizeof(*assignment->listed), compare);
}

/* An item can have failed twice, a host's repositories by several names. */
static void
take_item(struct assignment *assignment, struct str item)
{
	assignment->items_came++;
	for (size_t i = 0; i < assignment->items_count; i++)
		if (str_eq(assignment->items[i], item))
			return;
	assignment->items = xrealloc(assignment->items,
	    (assignment->items_count + 1) * sizeof(*assignment->items));
	assignment->items[assignment->items_count++] = keep_str(item);
}

static bool
is_in_order(const struct assignment *assignment, const struct msg *msg)
{
	switch (msg->type) {
	case MSG_TYPE_LISTED_ITEM:
		return !assignment->has_assign &&
		    assignment->listed_count < LIMIT_OP_ITEMS;
	case MSG_TYPE_ASSIGN:
		return !assignment->has_assign &&
		    msg->assign.spills < LIMIT_WORKER_SPILL_FILES;
	case MSG_TYPE_SPILL:
		return assignment->spills_to_come > 0;
	case MSG_TYPE_RETRY_ITEM:
		return assignment->items_to_come &&
		    assignment->items_came < LIMIT_OP_ITEMS;
	case MSG_TYPE_RETRY_END:
		return assignment->items_to_come &&
		    assignment->items_came == msg->retry_end.count;
	default:
		return false;
	}
}

int
assignment_take(struct assignment *assignment, const struct msg *msg, int fd,
    struct err *err)
{
	if (!is_in_order(assignment, msg)) {
		fd_close(&fd);
		return err_set(err, ERR_PROTOCOL, "%s came out of order",
		    msg_name(msg->type));
	}
	switch (msg->type) {
	case MSG_TYPE_LISTED_ITEM:
		take_listed(assignment, msg->listed_item.item);
		break;
	case MSG_TYPE_ASSIGN:
		take_assign(assignment, &msg->assign, fd);
		break;
	case MSG_TYPE_SPILL:
		assignment->spills_to_come--;
		take_spill(&assignment->given, fd);
		break;
	case MSG_TYPE_RETRY_ITEM:
		take_item(assignment, msg->retry_item.item);
		break;
	default:
		assignment->items_to_come = false;
		break;
	}
	return 0;
}

bool
assignment_is_complete(const struct assignment *assignment)
{
	return assignment->has_assign && assignment->spills_to_come == 0 &&
	    !assignment->items_to_come;
}
