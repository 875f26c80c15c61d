#include <unistd.h>

#include "supervisor/child.h"
#include "supervisor/on_client.h"
#include "supervisor/service.h"
#include "supervisor/store_tool.h"
#include "supervisor/upgrade.h"

void
client_send_daemon(struct control_client *client, uint64_t req)
{
	struct supervisor *sup = client->sup;
	struct msg msg = { .type = MSG_TYPE_DAEMON };
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct ops_read *read;
	struct err err;
	int rc;

	if (ops_read_begin(sup->ops, &read, &err) == -1) {
		client_send_store_error(client, req, &err);
		return;
	}
	rc = ops_count(read, counts, &err);
	ops_read_end(&read);
	if (rc == -1) {
		client_send_store_error(client, req, &err);
		return;
	}
	msg.daemon = (struct msg_daemon){
		.req = req, .version = STR(PACKAGE_VERSION),
		.pid = (uint64_t)getpid(), .started_ms = (uint64_t)sup->started_ms,
		.queued = counts[OP_QUEUED], .running = sup->children->count,
		.max_workers = sup->settings.max_workers,
		.api_pid = (uint64_t)service_pid(sup->api),
		.indexer_pid = (uint64_t)service_pid(sup->indexer),
		.http_address = str_from(sup->http_address),
		.state_dir = str_from(sup->settings.state_dir),
	};
	channel_send(client->channel, &msg);
}

static void
start_backup(struct control_client *client, const struct msg_backup *backup)
{
	struct err err;

	if (store_backup_start(client->sup, backup->dir, &err) == -1)
		client_send_error(client, backup->req, "InvalidRequest", err.text, NULL);
	else if (!client_wait(client, PENDING_BACKUP, backup->req, STR_NONE))
		client_send_error(client, backup->req, "TooManyRequests",
		    "too many requests wait for an answer on this connection", NULL);
}

static void
start_upgrade(struct control_client *client, const struct msg_upgrade *upgrade)
{
	if (!client_wait(client, PENDING_UPGRADE, upgrade->req, STR_NONE))
		client_send_error(client, upgrade->req, "TooManyRequests",
		    "too many requests wait for an answer on this connection", NULL);
	else
		upgrade_request(client->sup);
}

/* The API reads what the network sends: whoever gets hold of it must not make us write
 * files or start anew. */
void
client_local_verb(struct control_client *client, const struct msg *msg)
{
	bool is_upgrade = msg->type == MSG_TYPE_UPGRADE;

	if (client->is_api)
		client_send_error(client, is_upgrade ? msg->upgrade.req : msg->backup.req,
		    "InvalidRequest", "this is not for the API to ask for", NULL);
	else if (is_upgrade)
		start_upgrade(client, &msg->upgrade);
	else
		start_backup(client, &msg->backup);
}
