/*
 * records_unit.h - a store of records for one test.
 */
#ifndef BF_T_RECORDS_UNIT_H
#define BF_T_RECORDS_UNIT_H

#include "common/limits.h"
#include "store/records.h"
#include "t/unit/tempdir.h"

struct fixture {
	char *dir;
	struct records *records;
};

static inline int
records_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	f->dir = tempdir_new();
	assert_int_equal(records_open(f->dir, RECORDS_WRITE, &f->records, &err), 0);
	*state = f;
	return 0;
}

static inline int
records_teardown(void **state)
{
	struct fixture *f = *state;

	records_close(&f->records);
	tempdir_free(&f->dir);
	free(f);
	return 0;
}

/* A CID that stands for a value. */
static inline struct bytes
cid_of(uint32_t value, uint8_t cid[LIMIT_CID_BYTES])
{
	memset(cid, 0x11, LIMIT_CID_BYTES);
	memcpy(cid + 4, &value, sizeof(value));
	return (struct bytes){ cid, LIMIT_CID_BYTES };
}

#define RECORDS_TEST(name)	\
	cmocka_unit_test_setup_teardown(name, records_setup, records_teardown)

#endif
