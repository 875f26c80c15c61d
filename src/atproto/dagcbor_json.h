/*
 * dagcbor_json.h - the data model's two forms, each written from the other.
 *
 * Links are {"$link": "bafy..."}, bytes {"$bytes": "base64"} (spec: Data Model).
 */
#ifndef BF_ATPROTO_DAGCBOR_JSON_H
#define BF_ATPROTO_DAGCBOR_JSON_H

#include "atproto/fault.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

/*
 * Append the JSON of a block that passed dagcbor_check().  Builds no tree and
 * does not recurse.  Members stand in the block's order, so equal blocks give
 * equal text.
 */
void dagcbor_to_json(struct bytes checked, struct buf *to);

/*
 * Append the DAG-CBOR of a JSON object, for comparing a record that came as JSON
 * with its CID.  Fails with one of FAULT_JSON_* (or FAULT_CBOR_* for its limits);
 * `to` is then as it was.  json is at most LIMIT_JSON_RECORD_BYTES.
 */
int dagcbor_from_json(struct str json, struct buf *to, struct fault *fault) BF_MUSTCHECK;

#endif
