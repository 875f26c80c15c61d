/*
 * fill_records.c - write to records/ for tests of those who read it.
 *
 *	fill_records DIR < commands
 *
 * One command a line:
 *	repo DID
 *	relay URL AGE_MS	its position is of that long ago
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/attr.h"
#include "common/clock.h"
#include "rows/cursor_row.h"
#include "rows/row_table.h"
#include "store/records.h"

static void
check(int result, const struct err *err)
{
	if (result == -1) {
		fprintf(stderr, "fill_records: %s\n", err->text);
		exit(1);
	}
}

static void
put_repo(struct records_write *write, const char *did)
{
	struct repo_row row = { .did = str_from(did), .status = STR("active") };
	struct err err;

	check(records_put_repo(write, &row, &err), &err);
}

static void
put_relay(struct records_write *write, const char *url, int64_t age_ms)
{
	struct cursor_row row = { .seq = 1,
	    .time_ms = (uint64_t)(clock_wall_ms() - age_ms) };
	struct buf key = BUF_INIT, value = BUF_INIT;
	enum record_effect effect;
	struct err err;

	cursor_row_relay_key(&key, str_from(url));
	cursor_row_encode(&value, &row);
	check(records_put_row(write, ROW_CURSOR, buf_bytes(&key), buf_bytes(&value),
	    &effect, &err), &err);
	buf_clear(&key);
	buf_clear(&value);
}

int
main(int argc, char **argv)
{
	struct records *records;
	struct records_write *write;
	char line[4096];
	struct err err;

	if (argc != 2)
		return 2;
	check(records_open(argv[1], RECORDS_WRITE, &records, &err), &err);
	check(records_write_begin(records, &write, &err), &err);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *rest = line, *verb, *what, *age;

		line[strcspn(line, "\n")] = '\0';
		verb = strsep(&rest, " ");
		what = strsep(&rest, " ");
		age = strsep(&rest, " ");
		if (what != NULL && strcmp(verb, "repo") == 0)
			put_repo(write, what);
		else if (age != NULL && strcmp(verb, "relay") == 0)
			put_relay(write, what, strtoll(age, NULL, 10));
		else
			return 2;
	}
	check(records_write_commit(&write, &err), &err);
	records_close(&records);
	return 0;
}
