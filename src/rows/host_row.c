#include "rows/host_row.h"

#include "common/fields_codec.h"

#define ROW(number, kind, member)	FIELD_ROW_OF(struct host_row, kind, member)
static const struct field fields[] = { HOST_ROW_FIELDS(ROW) };
#define NUMBER(number, kind, member)	number,
static const uint8_t numbers[] = { HOST_ROW_FIELDS(NUMBER) };

static const struct fields_layout layout = {
	fields, numbers, BF_ARRAY_LEN(fields), sizeof(struct host_row)
};

const char *
host_source_name(uint64_t source)
{
	switch (source) {
	case HOST_FROM_DOCUMENT:
		return "document";
	case HOST_FROM_CONFIG:
		return "config";
	case HOST_FROM_RELAY:
		return "relay";
	}
	return "unknown";
}

static bool
cut(uint64_t *until_ms, uint64_t latest_ms)
{
	bool is_cut = *until_ms > latest_ms;

	if (is_cut)
		*until_ms = latest_ms;
	return is_cut;
}

bool
host_row_cut_pauses(struct host_row *row, int64_t now_ms)
{
	uint64_t latest_ms = (uint64_t)now_ms + HOST_PAUSE_MAX_MS;
	bool is_penalty_cut = cut(&row->penalty_until_ms, latest_ms);
	bool is_parked_cut = cut(&row->parked_until_ms, latest_ms);

	return is_penalty_cut || is_parked_cut;
}

enum host_state
host_state_at(const struct host_row *row, int64_t now_ms)
{
	if (row->parked_until_ms > (uint64_t)now_ms)
		return HOST_PARKED;
	return row->penalty_until_ms > (uint64_t)now_ms ? HOST_PAUSING : HOST_OK;
}

const char *
host_state_word(enum host_state state)
{
	static const char *const words[] = {
#define X(NAME, word) word,
		HOST_STATES(X)
#undef X
	};

	return words[state];
}

void
host_row_encode(struct buf *to, const struct host_row *row)
{
	fields_encode(to, &layout, row);
}

int
host_row_decode(struct bytes key, struct bytes value, struct host_row *row_out)
{
	struct host_row row;

	if (key.len == 0 || fields_decode(value, &layout, &row) == -1)
		return -1;
	row.origin = (struct str){ (const char *)key.ptr, key.len };
	if (!str_is_visible(row.origin))
		return -1;
	*row_out = row;
	return 0;
}
