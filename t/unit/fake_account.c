#include "t/unit/fake_account.h"

#include <stdio.h>
#include <string.h>

#include "t/unit/unit.h"
#include "t/unit/vectors.h"

void
account_add_document(struct fetch_server *server, const char *did, const char *pds,
    const char *key)
{
	struct buf json = BUF_INIT;
	char path[128];

	buf_printf(&json, "{\"id\":\"%s\",\"verificationMethod\":[{\"id\":\"%s#atproto\","
	    "\"type\":\"Multikey\",\"controller\":\"%s\",\"publicKeyMultibase\":\"%s\"}],"
	    "\"service\":[{\"id\":\"#atproto_pds\",\"type\":\"AtprotoPersonalDataServer\","
	    "\"serviceEndpoint\":\"%s\"}]}", did, did, did, key, pds);
	(void)snprintf(path, sizeof(path), "/%s", did);
	fetch_server_serve(server, path, "200 OK", "application/did+ld+json",
	    buf_data(&json), buf_len(&json));
	buf_clear(&json);
}

void
account_add(struct fetch_server *server, const char *did, const char *key)
{
	account_add_document(server, did, fetch_server_origin(server), key);
}

struct buf
account_read_car(const char *file)
{
	char path[256];

	vectors_need();
	(void)snprintf(path, sizeof(path), "derived/synthetic-cars/%s", file);
	return vectors_read(path);
}

void
account_add_car(struct fetch_server *server, const char *file)
{
	struct buf car = account_read_car(file);

	fetch_server_serve(server, GET_REPO, "200 OK",
	    "application/vnd.ipld.car", buf_data(&car), buf_len(&car));
	buf_clear(&car);
}

void
account_add_error(struct fetch_server *server, const char *path, const char *status,
    const char *name)
{
	char json[256];
	int len = snprintf(json, sizeof(json), "{\"error\":\"%s\",\"message\":\"told so\"}",
	    name);

	fetch_server_serve(server, path, status, "application/json", json,
	    (size_t)len);
}

void
account_add_latest(struct fetch_server *server, const char *rev, const char *cid)
{
	char json[256];
	int len = snprintf(json, sizeof(json), "{\"rev\":\"%s\",\"cid\":\"%s\"}", rev, cid);

	fetch_server_serve(server, GET_LATEST, "200 OK", "application/json", json,
	    (size_t)len);
}
