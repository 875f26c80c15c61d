#include "supervisor/conf_schedule.h"

#include <stdlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/settings.h"
#include "common/utf8.h"
#include "op/op_type.h"

cfg_opt_t conf_schedule_options[] = {
	CFG_STR("type", NULL, CFGF_NODEFAULT),
	CFG_STR("every", NULL, CFGF_NODEFAULT),
	CFG_STR("daily", NULL, CFGF_NODEFAULT),
	CFG_STR("did", NULL, CFGF_NODEFAULT),
	CFG_STR("pds_url", NULL, CFGF_NODEFAULT),
	CFG_STR("uri", NULL, CFGF_NODEFAULT),
	CFG_STR("batch_size", NULL, CFGF_NODEFAULT),
	CFG_STR("tier", NULL, CFGF_NODEFAULT),
	CFG_END(),
};

static struct str
value_of(cfg_t *section, const char *name)
{
	return cfg_size(section, name) == 0 ? STR_NONE :
	    str_from(cfg_getstr(section, name));
}

/* What a type of an operator's own takes is checked by nobody else. */
static int
check_values(cfg_t *section, struct err *err)
{
	for (const cfg_opt_t *row = conf_schedule_options; row->name != NULL; row++)
		if (settings_check_text(row->name, value_of(section, row->name), err) == -1)
			return -1;
	return 0;
}

static int
read_rule(cfg_t *section, struct schedule_rule *rule_out, struct err *err)
{
	struct str every = value_of(section, "every"), daily = value_of(section, "daily");

	if (str_is_empty(every) == str_is_empty(daily))
		return err_set(err, ERR_INVALID, "has to have either every or daily");
	return !str_is_empty(every) ? schedule_rule_every(every, rule_out, err) :
	    schedule_rule_daily(daily, rule_out, err);
}

/* The title is the name, and the type where none is named. */
static int
read_operation(cfg_t *section, struct op *op_out, struct err *err)
{
	struct str title = str_from(cfg_title(section)), type = value_of(section, "type"),
	    batch_size = value_of(section, "batch_size");
	const struct op_type *known;
	struct op op = {
		.type = str_is_empty(type) ? title : type, .did = value_of(section, "did"),
		.pds_url = value_of(section, "pds_url"), .uri = value_of(section, "uri"),
		.tier = value_of(section, "tier"),
	};

	known = op_type_find(op.type);
	if (known == NULL && !op_type_is_plain_name(op.type))
		return err_set(err, ERR_INVALID, "type = \"%.*s\": is no type of operation",
		    STR_FMT(utf8_cut(op.type, 100)));
	if (!str_is_empty(batch_size) && (str_to_u64(batch_size, &op.batch_size) == -1 ||
	    op.batch_size < 1))
		return err_set(err, ERR_INVALID, "batch_size = \"%.*s\": has to be a number "
		    "from 1 to %d", STR_FMT(batch_size), LIMIT_BATCH_SIZE);
	if (known != NULL)
		op.type = str_from(known->kebab);
	*op_out = op;
	return known != NULL ? op_params_check(&op, known, err) : op_params_fit(&op, err);
}

static char *
copy(struct str text)
{
	return xstrndup(text.ptr != NULL ? text.ptr : "", text.len);
}

int
conf_schedule_take(cfg_t *section, struct schedules *schedules, struct err *err)
{
	struct str name = str_from(cfg_title(section));
	struct schedule_rule rule;
	struct op op;

	if (str_is_empty(name) || name.len > SCHEDULE_NAME_MAX)
		return err_set(err, ERR_INVALID, "schedule: its name has to be 1 to %d bytes "
		    "long", SCHEDULE_NAME_MAX);
	if (settings_check_text("name", name, err) == -1)
		return err_wrap(err, "schedule");
	for (size_t i = 0; i < schedules->count; i++)
		if (str_eq(str_from(schedules->list[i].name), name))
			return err_set(err, ERR_INVALID, "schedule \"%.*s\": is there twice",
			    STR_FMT(name));
	if (check_values(section, err) == -1 || read_rule(section, &rule, err) == -1 ||
	    read_operation(section, &op, err) == -1)
		return err_wrap(err, "schedule \"%.*s\"", STR_FMT(name));
	schedules->list = xrealloc(schedules->list,
	    (schedules->count + 1) * sizeof(*schedules->list));
	schedules->list[schedules->count++] = (struct schedule){
		.name = copy(name), .type = copy(op.type), .did = copy(op.did),
		.pds_url = copy(op.pds_url), .uri = copy(op.uri), .tier = copy(op.tier),
		.batch_size = op.batch_size, .rule = rule,
	};
	return 0;
}
