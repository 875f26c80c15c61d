/*
 * type_info.h - the types of operation in words, for the dashboard's forms.
 */
#ifndef BF_API_TYPE_INFO_H
#define BF_API_TYPE_INFO_H

#include <stddef.h>

#include "common/str.h"
#include "proto/msg.h"

struct type_info {
	const char *kebab;	/* as in op_type.h */
	const char *title;
	const char *text;	/* one sentence: what it does */
	const char *cost;	/* what to think of before it is started for everything;
				 * NULL: nothing */
};

extern const struct type_info type_infos[];
extern const size_t type_infos_count;

const struct type_info *type_info_find(struct str type);	/* NULL: an operator's own */

/* Why one should be sure before this is started; NULL: no reason. */
const char *type_info_cost(const struct msg_trigger *trigger);

#endif
