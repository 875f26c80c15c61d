#include "common/number.h"
#include "store/keyspace.h"
#include "store/ops_internal.h"

#define META_COUNTS	"counts"
#define TARGET_SPACE	0

struct ops_index_key
ops_status_prefix(enum op_status status)
{
	return (struct ops_index_key){ { (uint8_t)status }, 1 };
}

struct ops_index_key
ops_type_prefix(struct str type, enum op_status status)
{
	struct ops_index_key key;

	if (type.len > LIMIT_OP_TYPE_BYTES)
		type.len = LIMIT_OP_TYPE_BYTES;
	memcpy(key.bytes, type.ptr, type.len);
	key.bytes[type.len] = '\0';
	key.bytes[type.len + 1] = (uint8_t)status;
	key.len = type.len + 2;
	return key;
}

static struct bytes
with_id(struct ops_index_key *key, struct str id)
{
	memcpy(key->bytes + key->len, id.ptr, TID_LEN);
	return (struct bytes){ key->bytes, key->len + TID_LEN };
}

static int
index_put(struct ops *ops, struct txn *txn, const struct op *op,
    enum op_status status, struct err *err)
{
	struct ops_index_key by_status = ops_status_prefix(status);
	struct ops_index_key by_type = ops_type_prefix(op->type, status);

	if (table_put(txn, &ops->tables[OPS_BY_STATUS], with_id(&by_status, op->id),
	    BYTES_NONE, err) == -1)
		return -1;
	return table_put(txn, &ops->tables[OPS_BY_TYPE], with_id(&by_type, op->id),
	    BYTES_NONE, err);
}

static int
index_delete(struct ops *ops, struct txn *txn, const struct op *op,
    enum op_status status, struct err *err)
{
	struct ops_index_key by_status = ops_status_prefix(status);
	struct ops_index_key by_type = ops_type_prefix(op->type, status);
	bool was_there;

	if (table_delete(txn, &ops->tables[OPS_BY_STATUS], with_id(&by_status, op->id),
	    &was_there, err) == -1)
		return -1;
	return table_delete(txn, &ops->tables[OPS_BY_TYPE], with_id(&by_type, op->id),
	    &was_there, err);
}

/* One u64 per state, in the order of enum op_status, in the meta table. */
static int
counts_find(struct txn *txn, uint64_t counts_out[OP_STATUS_COUNT + 1],
    struct err *err)
{
	const struct table *meta = &txn->env->meta;
	struct value value;

	if (table_find(txn, meta, key_text(META_COUNTS), &value, err) == -1)
		return -1;
	if (value.body.ptr != NULL && value.body.len != OP_STATUS_COUNT * 8)
		return table_corrupt(txn, meta, key_text(META_COUNTS),
		    "not five counts", err);
	counts_out[0] = 0;
	for (size_t i = 0; i < OP_STATUS_COUNT; i++)
		counts_out[i + 1] = value.body.ptr == NULL ? 0 :
		    u64_decode(value.body.ptr + i * 8);
	return 0;
}

static int
counts_move(struct txn *txn, enum op_status from, enum op_status to,
    struct err *err)
{
	uint64_t counts[OP_STATUS_COUNT + 1];
	uint8_t body[OP_STATUS_COUNT * 8];

	if (counts_find(txn, counts, err) == -1)
		return -1;
	if (from != 0)
		counts[from]--;
	counts[to]++;
	for (size_t i = 0; i < OP_STATUS_COUNT; i++)
		u64_encode(body + i * 8, counts[i + 1]);
	return table_put(txn, &txn->env->meta, key_text(META_COUNTS),
	    (struct bytes){ body, sizeof(body) }, err);
}

int
ops_index_move(struct ops *ops, struct txn *txn, const struct op *op,
    enum op_status from, enum op_status to, struct err *err)
{
	if (from != 0 && index_delete(ops, txn, op, from, err) == -1)
		return -1;
	if (index_put(ops, txn, op, to, err) == -1)
		return -1;
	return counts_move(txn, from, to, err);
}

int
ops_count(struct ops_read *read, uint64_t counts_out[OP_STATUS_COUNT + 1],
    struct err *err)
{
	return counts_find(&read->txn, counts_out, err);
}

/* Type and parameters, parted by NUL, which none of them contains. */
static struct bytes
target_key(struct buf *to, const struct op *op)
{
	buf_reset(to);
	buf_add_str(to, op->type);
	buf_add_byte(to, '\0');
	buf_add_str(to, op->did);
	buf_add_byte(to, '\0');
	buf_add_str(to, op->pds_url);
	buf_add_byte(to, '\0');
	buf_add_str(to, op->uri);
	buf_printf(to, "%c%llu", '\0', (unsigned long long)op->batch_size);
	/* Not there in the keys of older stores; a TID is no tier. */
	if (!str_is_empty(op->tier)) {
		buf_add_byte(to, '\0');
		buf_add_str(to, op->tier);
	}
	if (!str_is_empty(op->items_of)) {
		buf_add_byte(to, '\0');
		buf_add_str(to, op->items_of);
	}
	return buf_bytes(to);
}

int
ops_target_find(struct ops *ops, struct txn *txn, const struct op *op,
    struct str *id_out, struct err *err)
{
	struct buf key = BUF_INIT;
	struct value value;
	int rc = keyspace_find(txn, &ops->tables[OPS_TARGET], TARGET_SPACE,
	    target_key(&key, op), &value, err);

	buf_clear(&key);
	if (rc == 0)
		*id_out = (struct str){ (const char *)value.body.ptr, value.body.len };
	return rc;
}

int
ops_target_put(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err)
{
	struct buf key = BUF_INIT;
	int rc = keyspace_put(txn, &ops->tables[OPS_TARGET], TARGET_SPACE,
	    target_key(&key, op), key_str(op->id), BYTES_NONE, err);

	buf_clear(&key);
	return rc;
}

int
ops_target_delete(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err)
{
	struct buf key = BUF_INIT;
	bool was_there;
	int rc = keyspace_delete(txn, &ops->tables[OPS_TARGET], TARGET_SPACE,
	    target_key(&key, op), &was_there, err);

	buf_clear(&key);
	return rc;
}
