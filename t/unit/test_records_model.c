/*
 * test_records_model.c - src/store/records: random changes against a sorted
 * array, with paths made to meet where a key ends.
 */
#include "t/unit/records_unit.h"

/* Rows sorted by path; a value for each repository. */
#define MODEL_REPOS	3
#define MODEL_PATHS	150
#define PATH_MAX_BYTES	(LIMIT_COLLECTION_BYTES + 1 + LIMIT_RKEY_BYTES)

struct model_row {
	char path[PATH_MAX_BYTES + 1];
	uint32_t value[MODEL_REPOS];	/* 0: absent */
};

struct model {
	struct model_row rows[MODEL_PATHS];
	size_t count;
	uint64_t ids[MODEL_REPOS];
};

static int
compare_rows(const void *a, const void *b)
{
	return strcmp(((const struct model_row *)a)->path,
	    ((const struct model_row *)b)->path);
}

/* Collections that are prefixes of each other, and record keys that make paths
 * of 470 to 490 bytes and of the greatest length, alike up to the last bytes. */
static void
make_path(char *path)
{
	static const char *const collections[] = { "app.a", "app.a.b", "app.ab", "x", "pub.chive.eprint" };
	size_t len, rkey_len;

	if (rand() % 4 == 0) {
		memset(path, 'c', LIMIT_COLLECTION_BYTES);
		path[LIMIT_COLLECTION_BYTES] = '\0';
	} else {
		strcpy(path, collections[rand() % 5]);
	}
	strcat(path, "/");
	len = strlen(path);
	switch (rand() % 3) {
	case 0:
		rkey_len = 1 + (size_t)(rand() % 3);
		break;
	case 1:
		rkey_len = 470 + (size_t)(rand() % 20) - len;
		break;
	default:
		rkey_len = LIMIT_RKEY_BYTES - (size_t)(rand() % 3);
		break;
	}
	memset(path + len, 'r', rkey_len);
	path[len + rkey_len] = '\0';
	for (int i = 0; i < 2; i++)
		path[len + rkey_len - 1 - (size_t)rand() % (rkey_len < 4 ? rkey_len : 4)] =
		    "-9~"[rand() % 3];
}

static void
model_init(struct model *m, struct fixture *f)
{
	static const char *const dids[MODEL_REPOS] = { "did:plc:a", "did:plc:b", "did:web:c" };
	struct records_write *write;
	struct err err;
	size_t kept = 0;

	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < MODEL_PATHS; i++)
		make_path(m->rows[i].path);
	qsort(m->rows, MODEL_PATHS, sizeof(m->rows[0]), compare_rows);
	for (size_t i = 0; i < MODEL_PATHS; i++)
		if (kept == 0 || compare_rows(&m->rows[kept - 1], &m->rows[i]) != 0)
			m->rows[kept++] = m->rows[i];
	m->count = kept;
	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	for (int i = 0; i < MODEL_REPOS; i++)
		assert_int_equal(records_repo_id(write, str_from(dids[i]), &m->ids[i], &err),
		    0);
	assert_int_equal(records_write_commit(&write, &err), 0);
}

/* A body whose size goes from nothing to some pages. */
static struct bytes
body_of(uint32_t value, uint8_t body[20000])
{
	size_t len = value % 50 == 0 ? 20000 : value % 300;

	memset(body, (int)(value & 0xff), len);
	return (struct bytes){ body, len };
}

static void
change_one(struct model *m, struct records_write *write)
{
	static uint8_t body[20000];
	size_t repo = (size_t)rand() % MODEL_REPOS;
	struct model_row *row = &m->rows[(size_t)rand() % m->count];
	uint32_t *value = &row->value[repo];
	uint8_t cid[LIMIT_CID_BYTES];
	enum record_effect effect;
	bool was_there;
	struct err err;

	if (rand() % 3 > 0) {
		uint32_t new = 1 + (uint32_t)rand() % 1000;

		assert_int_equal(records_put(write, m->ids[repo], str_from(row->path),
		    cid_of(new, cid), body_of(new, body), &effect, &err), 0);
		assert_int_equal(effect, *value == 0 ? RECORD_CREATED :
		    *value == new ? RECORD_UNCHANGED : RECORD_UPDATED);
		*value = new;
	} else {
		assert_int_equal(records_delete(write, m->ids[repo], str_from(row->path),
		    &was_there, &err), 0);
		assert_int_equal(was_there, *value != 0);
		*value = 0;
	}
}

struct walk {
	const struct model *m;
	size_t repo, at;
	struct str prefix;
	unsigned left;		/* rows to see before stopping */
	bool has_stopped;
};

static bool
walk_is_due(const struct walk *w)
{
	return w->m->rows[w->at].value[w->repo] != 0 &&
	    str_starts_with(str_from(w->m->rows[w->at].path), w->prefix);
}

static bool
see_record(const struct record_row *row, void *arg)
{
	static uint8_t body[20000];
	uint8_t cid[LIMIT_CID_BYTES];
	struct walk *w = arg;
	uint32_t value;

	while (w->at < w->m->count && !walk_is_due(w))
		w->at++;
	assert_true(w->at < w->m->count);
	value = w->m->rows[w->at].value[w->repo];
	assert_true(str_eq(row->path, str_from(w->m->rows[w->at].path)));
	assert_true(bytes_eq(row->cid, cid_of(value, cid)));
	assert_true(bytes_eq(row->record, body_of(value, body)));
	w->at++;
	w->has_stopped = --w->left == 0;
	return !w->has_stopped;
}

static void
assert_each(struct fixture *f, const struct model *m)
{
	static const char *const prefixes[] = { "", "", "app.a/", "app.a", "x/r", "zz",
	    "pub.chive." };
	struct walk w = { .m = m, .repo = (size_t)rand() % MODEL_REPOS,
	    .prefix = str_from(prefixes[rand() % 7]), .left = 1 + (unsigned)rand() % 300 };
	struct str after = STR_NONE;
	struct records_read *read;
	struct err err;

	if (rand() % 2 == 0) {
		w.at = (size_t)rand() % m->count;
		after = str_from(m->rows[w.at].path);
		w.at++;
	}
	assert_int_equal(records_read_begin(f->records, &read, &err), 0);
	assert_int_equal(records_each(read, m->ids[w.repo], after, w.prefix, see_record,
	    &w, &err), 0);
	records_read_end(&read);
	if (w.has_stopped)
		return;
	while (w.at < m->count && !walk_is_due(&w))
		w.at++;
	assert_int_equal(w.at, m->count);
}

static uint64_t
model_count(const struct model *m, struct str collection, uint64_t repo_id)
{
	uint64_t count = 0;

	for (size_t i = 0; i < m->count; i++) {
		const char *path = m->rows[i].path;
		struct str its = { path, strcspn(path, "/") };

		if (collection.len > 0 && !str_eq(its, collection))
			continue;
		for (size_t r = 0; r < MODEL_REPOS; r++)
			if (repo_id == 0 || m->ids[r] == repo_id)
				count += m->rows[i].value[r] != 0;
	}
	return count;
}

struct tally {
	const struct model *m;
	uint64_t total;
	char last[LIMIT_COLLECTION_BYTES + 1];
};

static bool
see_collection(struct str collection, uint64_t repo_id, uint64_t records, void *arg)
{
	struct tally *tally = arg;

	assert_true(records == model_count(tally->m, collection, repo_id));
	assert_int_equal(str_cmp(str_from(tally->last), collection), -1);
	(void)str_copy(tally->last, sizeof(tally->last), collection);
	tally->total += records;
	return true;
}

static void
assert_counts(struct fixture *f, const struct model *m)
{
	struct records_read *read;
	struct err err;

	assert_int_equal(records_read_begin(f->records, &read, &err), 0);
	for (size_t r = 0; r <= MODEL_REPOS; r++) {
		uint64_t id = r == 0 ? 0 : m->ids[r - 1];
		struct tally tally = { .m = m };
		struct repo_row row;

		assert_int_equal(records_each_collection(read, id, see_collection, &tally,
		    &err), 0);
		assert_true(tally.total == model_count(m, STR_NONE, id));
		if (r == 0)
			continue;
		assert_int_equal(records_get_repo_by_id(read, id, &row, &err), 0);
		assert_true(row.records == tally.total);
	}
	records_read_end(&read);
}

static void
assert_get(struct fixture *f, const struct model *m)
{
	static uint8_t body[20000];
	struct records_read *read;
	struct record_row row;
	struct err err;

	assert_int_equal(records_read_begin(f->records, &read, &err), 0);
	for (size_t i = 0; i < m->count; i++) {
		for (size_t r = 0; r < MODEL_REPOS; r++) {
			int rc = records_get(read, m->ids[r], str_from(m->rows[i].path), &row,
			    &err);

			assert_int_equal(rc, m->rows[i].value[r] != 0 ? 0 : -1);
			if (rc == -1)
				assert_int_equal(err.code, ERR_NOT_FOUND);
			else
				assert_true(bytes_eq(row.record,
				    body_of(m->rows[i].value[r], body)));
		}
	}
	records_read_end(&read);
}

static void
records__agree_with_a_sorted_array(void **state)
{
	static struct model m;
	struct fixture *f = *state;
	struct err err;

	srand(31);
	model_init(&m, f);
	for (int round = 0; round < 25; round++) {
		struct records_write *write;

		assert_int_equal(records_write_begin(f->records, &write, &err), 0);
		for (int i = 0; i < 80; i++)
			change_one(&m, write);
		assert_int_equal(records_write_commit(&write, &err), 0);
		for (int i = 0; i < 12; i++)
			assert_each(f, &m);
		assert_counts(f, &m);
	}
	assert_get(f, &m);
	records_close(&f->records);
	assert_int_equal(records_open(f->dir, RECORDS_WRITE, &f->records, &err), 0);
	assert_get(f, &m);
	assert_counts(f, &m);
}

static void
records__an_aborted_write_leaves_no_trace(void **state)
{
	static struct model m, before;
	struct fixture *f = *state;
	struct records_write *write;
	struct err err;

	srand(32);
	model_init(&m, f);
	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	for (int i = 0; i < 100; i++)
		change_one(&m, write);
	assert_int_equal(records_write_commit(&write, &err), 0);
	before = m;
	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	for (int i = 0; i < 100; i++)
		change_one(&m, write);
	records_write_abort(&write);
	assert_get(f, &before);
	assert_counts(f, &before);
}

static const struct CMUnitTest records_model[] = {
	RECORDS_TEST(records__agree_with_a_sorted_array),
	RECORDS_TEST(records__an_aborted_write_leaves_no_trace),
};

UNIT_MAIN(records_model)
