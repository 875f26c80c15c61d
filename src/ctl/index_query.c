#include "ctl/index_query.h"

#include "ctl/ctl.h"

static enum err_code
code_of_class(struct str class)
{
	return str_eq(class, STR("not-found")) ? ERR_NOT_FOUND : ERR_CONFLICT;
}

int
index_query(struct client *records, const struct msg *question, enum msg_type type,
    index_answer_cb *on_answer, void *arg, struct err *err)
{
	struct msg msg;

	if (client_send(records, question, err) == -1)
		return -1;
	for (;;) {
		if (client_receive(records, CTL_ANSWER_TIMEOUT_MS, &msg, err) == -1)
			return -1;
		if (msg.type == MSG_TYPE_END)
			return 0;
		if (msg.type == MSG_TYPE_REFUSE)
			return err_set(err, code_of_class(msg.refuse.class), "%.*s",
			    STR_FMT(msg.refuse.text));
		if (msg.type != type)
			return ctl_unexpected(&msg, err);
		on_answer(&msg, arg);
	}
}

static void
note_answer(const struct msg *msg BF_UNUSED, void *arg)
{
	*(bool *)arg = true;
}

int
index_query_has_repo(struct client *records, struct str did, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_REPOS, .repos = { .lane = 1, .did = did } };
	bool is_known = false;

	if (index_query(records, &msg, MSG_TYPE_REPO, note_answer, &is_known, err) == -1)
		return -1;
	if (!is_known)
		return err_set(err, ERR_NOT_FOUND, "nothing is indexed of %.*s; "
		    "'backfillctl trigger did-sync --did ...' fetches it", STR_FMT(did));
	return 0;
}
