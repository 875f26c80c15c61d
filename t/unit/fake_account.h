/*
 * fake_account.h - accounts of the test vectors on a scripted server, which is
 * their directory and their PDS.  Every call adds the next answer to its question;
 * the last one stays.
 */
#ifndef BF_T_FAKE_ACCOUNT_H
#define BF_T_FAKE_ACCOUNT_H

#include "common/buf.h"
#include "t/unit/fetch_server.h"

/* The accounts of the vectors in derived/synthetic-cars. */
#define K256_DID	"did:plc:k256testaaaaaaaaaaaaaaaa"
#define K256_KEY	"zQ3shTuRNx5nUjPq9WZZPn1Q8SLUJZpDZUoRY6rCqj8ea3iV7"
#define P256_DID	"did:plc:p256testaaaaaaaaaaaaaaaa"
#define P256_KEY	"zDnaeYU88hsqC4kFbjo3bZbcMYyu7oCob5nNhwYcSMDpSSwSe"
#define GOOD_REV	"3mvan7ylpmc2w"
#define GOOD_RECORDS	121
#define GOOD_COMMIT	"bafyreid6kegebv5u5vx44yh4cnuq24e3ga2geyz3yk6essqgz7ioydk6ki"

#define GET_REPO	"/xrpc/com.atproto.sync.getRepo"
#define GET_LATEST	"/xrpc/com.atproto.sync.getLatestCommit"

/* The directory's answer: this key, and the server itself or another PDS. */
void account_add(struct fetch_server *server, const char *did, const char *key);
void account_add_document(struct fetch_server *server, const char *did,
    const char *pds, const char *key);

/* getRepo: a file of derived/synthetic-cars; its bytes are the caller's to clear. */
void account_add_car(struct fetch_server *server, const char *file);
struct buf account_read_car(const char *file);

void account_add_latest(struct fetch_server *server, const char *rev, const char *cid);

/* An XRPC error as the answer to this path. */
void account_add_error(struct fetch_server *server, const char *path,
    const char *status, const char *name);

#endif
