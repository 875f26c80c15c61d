/*
 * ops_unit.h - a store of operations for one test.
 */
#ifndef BF_T_OPS_UNIT_H
#define BF_T_OPS_UNIT_H

#include "store/ops.h"
#include "t/unit/tempdir.h"

struct fixture {
	char *dir;
	struct ops *ops;
	uint64_t last;		/* id given out */
	char id[TID_SIZE];	/* of make() */
};

static inline int
ops_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	f->dir = tempdir_new();
	assert_int_equal(ops_open(f->dir, OPS_WRITE, &f->ops, &err), 0);
	*state = f;
	return 0;
}

static inline int
ops_teardown(void **state)
{
	struct fixture *f = *state;

	ops_close(&f->ops);
	tempdir_free(&f->dir);
	free(f);
	return 0;
}

static inline void
reopen(struct fixture *f)
{
	struct err err;

	ops_close(&f->ops);
	assert_int_equal(ops_open(f->dir, OPS_WRITE, &f->ops, &err), 0);
}

/* Create one operation; its id is then in f->id. */
static inline int
make(struct fixture *f, const char *type, const char *did, char active[TID_SIZE],
    struct err *err)
{
	struct op op = { .type = str_from(type), .did = str_from(did),
	    .started_by = STR("admin"), .created_ms = 1000 };

	f->last = tid_next(f->last, 1700000000000000, 1);
	tid_format(f->last, f->id);
	op.id = str_from(f->id);
	return ops_create(f->ops, &op, active, err);
}

static inline struct str
made(struct fixture *f, const char *type, const char *did)
{
	char active[TID_SIZE];
	struct err err;

	assert_int_equal(make(f, type, did, active, &err), 0);
	return str_from(f->id);
}

static inline int
change(struct fixture *f, struct str id, enum op_event event)
{
	struct err err;

	return ops_change(f->ops, id, event, STR(""), 2000, NULL, NULL, NULL, &err);
}

#define OPS_TEST(name)	cmocka_unit_test_setup_teardown(name, ops_setup, ops_teardown)

#endif
