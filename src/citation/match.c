#include "citation/match.h"

#include <assert.h>
#include <stdlib.h>

#include "citation/title.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

/* Places in the order of one hash, smallest first; of equal hashes, in the order of
 * entry. */
enum order { BY_DOI, BY_TITLE, BY_PLACE, ORDERS };

struct entry {
	uint64_t hashes[ORDERS];	/* 0: nothing to compare */
	uint32_t did;			/* offset in dids */
	uint32_t rkey;			/* offset in rkeys */
};

struct match_table {
	/* owned */
	struct entry *entries;
	uint32_t *orders[ORDERS];	/* of those that have that hash */
	uint64_t order_counts[ORDERS];
	/* C strings, one behind the other */
	struct buf dids, rkeys;

	uint64_t count, size;
	uint32_t last_did;
};

struct match_table *
match_table_new(void)
{
	return xcalloc(1, sizeof(struct match_table));
}

void
match_table_free(struct match_table **table)
{
	if (*table == NULL)
		return;
	free((*table)->entries);
	for (int i = 0; i < ORDERS; i++)
		free((*table)->orders[i]);
	buf_clear(&(*table)->dids);
	buf_clear(&(*table)->rkeys);
	free(*table);
	*table = NULL;
}

static uint32_t
keep(struct buf *to, struct str text)
{
	size_t at = buf_len(to);

	buf_add_str(to, text);
	buf_add_byte(to, '\0');
	return (uint32_t)at;
}

static struct str
kept(const struct buf *from, uint32_t at)
{
	return str_from((const char *)buf_data(from) + at);
}

static uint64_t
hash_place(struct str did, struct str rkey)
{
	return title_hash(did) * 31 + title_hash(rkey);
}

static uint64_t
hash_title(struct str title)
{
	struct buf normal = BUF_INIT;
	uint64_t hash = 0;

	title_normal(title, &normal);
	if (buf_len(&normal) >= TITLE_LEAST_BYTES)
		hash = title_hash(buf_str(&normal));
	buf_clear(&normal);
	return hash;
}

int
match_add(struct match_table *table, struct str did, struct str rkey,
    const struct eprint *eprint)
{
	struct entry *entry;

	/* The second is for DIDs that are all as long as may be. */
	if (table->count == LIMIT_EPRINTS ||
	    buf_len(&table->dids) > UINT32_MAX - LIMIT_DID_BYTES - 1)
		return -1;
	if (table->count == table->size) {
		table->size = table->size > 0 ? 2 * table->size : 1024;
		table->entries = xrealloc(table->entries,
		    table->size * sizeof(*table->entries));
	}
	if (table->count == 0 || !str_eq(did, kept(&table->dids, table->last_did)))
		table->last_did = keep(&table->dids, did);
	entry = &table->entries[table->count++];
	*entry = (struct entry){ .did = table->last_did };
	entry->rkey = keep(&table->rkeys, rkey);
	if (eprint->doi[0] != '\0')
		entry->hashes[BY_DOI] = title_hash(str_from(eprint->doi));
	entry->hashes[BY_TITLE] = hash_title(eprint->title);
	entry->hashes[BY_PLACE] = hash_place(did, rkey);
	return 0;
}

struct sorting {
	const struct match_table *table;
	enum order order;
};

static int
compare(const void *left, const void *right, void *arg)
{
	const struct sorting *by = arg;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	uint64_t x = by->table->entries[a].hashes[by->order];
	uint64_t y = by->table->entries[b].hashes[by->order];

	if (x != y)
		return x < y ? -1 : 1;
	return (a > b) - (a < b);
}

void
match_ready(struct match_table *table)
{
	for (int order = 0; order < ORDERS; order++) {
		struct sorting by = { table, (enum order)order };
		uint32_t *places = xmalloc((table->count + 1) * sizeof(*places));
		uint64_t n = 0;

		for (uint64_t i = 0; i < table->count; i++) {
			if (table->entries[i].hashes[order] != 0)
				places[n++] = (uint32_t)i;
		}
		qsort_r(places, n, sizeof(*places), compare, &by);
		table->orders[order] = places;
		table->order_counts[order] = n;
	}
}

uint64_t
match_count(const struct match_table *table)
{
	return table->count;
}

/* The first place in an order whose hash is not smaller. */
static uint64_t
lower_bound(const struct match_table *table, enum order order, uint64_t hash)
{
	uint64_t low = 0, high = table->order_counts[order];

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		uint32_t place = table->orders[order][middle];

		if (table->entries[place].hashes[order] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
next_place(const struct match_table *table, enum order order, uint64_t hash,
    uint64_t *next, struct match_candidate *candidate_out)
{
	const struct entry *entry;

	if (hash == 0 || *next >= table->order_counts[order])
		return false;
	entry = &table->entries[table->orders[order][*next]];
	if (entry->hashes[order] != hash)
		return false;
	(*next)++;
	candidate_out->did = kept(&table->dids, entry->did);
	candidate_out->rkey = kept(&table->rkeys, entry->rkey);
	return true;
}

static enum order
order_of(enum citation_method method)
{
	return method == CITATION_BY_DOI ? BY_DOI : BY_TITLE;
}

struct match_search
match_begin(const struct match_table *table, enum citation_method method, struct str text)
{
	struct match_search search = { .table = table, .method = method };

	assert(table->orders[0] != NULL);
	if (text.len > 0 && (method == CITATION_BY_DOI || text.len >= TITLE_LEAST_BYTES))
		search.hash = title_hash(text);
	search.next = lower_bound(table, order_of(method), search.hash);
	return search;
}

bool
match_next(struct match_search *search, struct match_candidate *candidate_out)
{
	return next_place(search->table, order_of(search->method), search->hash,
	    &search->next, candidate_out);
}

bool
match_has(const struct match_table *table, struct str did, struct str rkey)
{
	uint64_t hash = hash_place(did, rkey);
	uint64_t next = lower_bound(table, BY_PLACE, hash);
	struct match_candidate candidate;

	while (next_place(table, BY_PLACE, hash, &next, &candidate)) {
		if (str_eq(candidate.did, did) && str_eq(candidate.rkey, rkey))
			return true;
	}
	return false;
}
