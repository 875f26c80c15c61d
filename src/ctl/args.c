#include "ctl/args.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/str.h"
#include "ctl/suggest.h"

void
args_init(struct args *args, char **argv, const struct args_option *common)
{
	*args = (struct args){ .tables = { common }, .next = argv };
}

/* The rows of both tables by number; NULL at the end. */
static const struct args_option *
row_at(const struct args *args, size_t index)
{
	for (size_t t = 0; t < BF_ARRAY_LEN(args->tables); t++) {
		const struct args_option *row = args->tables[t];

		for (; row != NULL && row->name != NULL; row++)
			if (index-- == 0)
				return row;
	}
	return NULL;
}

static const struct args_option *
find_name(const struct args *args, struct str name, size_t *index_out)
{
	const struct args_option *row;

	for (size_t i = 0; (row = row_at(args, i)) != NULL; i++) {
		if (str_eq(name, str_from(row->name))) {
			*index_out = i;
			return row;
		}
	}
	return NULL;
}

static const struct args_option *
find_letter(const struct args *args, char letter, size_t *index_out)
{
	const struct args_option *row;

	for (size_t i = 0; (row = row_at(args, i)) != NULL; i++) {
		if (letter != '\0' && row->letter == letter) {
			*index_out = i;
			return row;
		}
	}
	return NULL;
}

static int
refuse_option(const struct args *args, const char *word, struct str name,
    struct err *err)
{
	char typed[64];
	const struct args_option *row;
	struct suggest suggest;

	(void)str_copy(typed, sizeof(typed), name);
	suggest = suggest_for(typed);
	for (size_t i = 0; (row = row_at(args, i)) != NULL; i++)
		suggest_offer(&suggest, row->name);
	if (suggest.best != NULL)
		return err_set(err, ERR_INVALID, "unknown option %s; did you mean --%s?",
		    word, suggest.best);
	return err_set(err, ERR_INVALID, "unknown option %s", word);
}

/* Read one option; args->next stands at it and then behind it. */
static int
take_option(struct args *args, struct err *err)
{
	const char *word = *args->next++, *value = NULL;
	const struct args_option *row;
	struct str name;
	size_t index = 0;

	if (word[1] == '-') {
		const char *equals = strchr(word, '=');

		name = str_from(word + 2);
		if (equals != NULL) {
			name.len = (size_t)(equals - name.ptr);
			value = equals + 1;
		}
		row = find_name(args, name, &index);
	} else {
		name = str_from(word + 1);
		row = find_letter(args, word[1], &index);
		if (word[2] != '\0')
			value = word + 2;
	}
	if (row == NULL)
		return refuse_option(args, word, name, err);
	if (row->value == NULL && value != NULL)
		return err_set(err, ERR_INVALID, "option --%s takes no value", row->name);
	if (row->value != NULL && value == NULL) {
		if (*args->next == NULL)
			return err_set(err, ERR_INVALID, "option --%s needs a value: %s",
			    row->name, row->value);
		value = *args->next++;
	}
	args->values[index] = value != NULL ? value : "";
	return 0;
}

/* The next operand, or NULL at the end, once the options before it are read. */
static int
take_operand(struct args *args, const char **word_out, struct err *err)
{
	while (*args->next != NULL) {
		const char *word = *args->next;

		if (args->options_ended || word[0] != '-' || word[1] == '\0') {
			args->next++;
			*word_out = word;
			return 0;
		}
		if (strcmp(word, "--") == 0) {
			args->options_ended = true;
			args->next++;
		} else if (take_option(args, err) == -1) {
			return -1;
		}
	}
	*word_out = NULL;
	return 0;
}

int
args_take_command(struct args *args, const char **word_out, struct err *err)
{
	return take_operand(args, word_out, err);
}

int
args_take_rest(struct args *args, const struct args_option *own, struct err *err)
{
	const char *word;

	args->tables[1] = own;
	for (;;) {
		if (take_operand(args, &word, err) == -1)
			return -1;
		if (word == NULL)
			return 0;
		if (args->operands_count == ARGS_OPERANDS_MAX)
			return err_set(err, ERR_INVALID, "too many arguments: %s", word);
		args->operands[args->operands_count++] = word;
	}
}

const char *
args_value(const struct args *args, const char *name)
{
	size_t index;

	if (find_name(args, str_from(name), &index) == NULL) {
		log_error("option %s is in no table", name);
		abort();
	}
	return args->values[index];
}

bool
args_has(const struct args *args, const char *name)
{
	return args_value(args, name) != NULL;
}

int
args_number(const struct args *args, const char *name, uint64_t preset,
    uint64_t least, uint64_t most, uint64_t *number_out, struct err *err)
{
	const char *value = args_value(args, name);
	uint64_t number = preset;

	if (value != NULL && (str_to_u64(str_from(value), &number) == -1 ||
	    number < least || number > most))
		return err_set(err, ERR_INVALID, "--%s %s: has to be a number from "
		    "%" PRIu64 " to %" PRIu64, name, value, least, most);
	*number_out = number;
	return 0;
}
