/*
 * test_supervisor_link.c - src/api/supervisor_link: who gets which answer.
 */
#include "t/unit/unit.h"

#include <ev.h>

#include "api/supervisor_link.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "proto/client.h"
#include "proto/fdlayout.h"

struct rig {
	struct ev_loop *loop;
	struct supervisor_link *link;
	struct client supervisor;	/* the other end, blocking */
	int settings, readies, gones, ops, missed, pings;
	bool was_broken;		/* on_gone had a reason */
};

struct asked {
	struct link_wait wait;
	int answers;
	enum link_outcome outcome;
	enum msg_type type;
};

static int
on_setting(struct str name, struct str value BF_UNUSED, struct err *err, void *arg)
{
	struct rig *rig = arg;

	rig->settings++;
	if (str_eq(name, STR("bad")))
		return err_set(err, ERR_NOT_FOUND, "bad");
	return 0;
}

static void
on_ready(void *arg)
{
	struct rig *rig = arg;

	rig->readies++;
}

static void
on_op(const struct op *op, void *arg)
{
	struct rig *rig = arg;

	assert_true(str_eq(op->id, STR("3migo7fijwi2k")));
	rig->ops++;
}

static void
on_missed(void *arg)
{
	struct rig *rig = arg;

	rig->missed++;
}

static void
on_ping(void *arg)
{
	struct rig *rig = arg;

	rig->pings++;
}

static void
on_gone(const struct err *why, void *arg)
{
	struct rig *rig = arg;

	rig->gones++;
	rig->was_broken = why != NULL;
}

static void
on_answer(enum link_outcome outcome, const struct msg *msg, void *arg)
{
	struct asked *asked = arg;

	asked->answers++;
	asked->outcome = outcome;
	if (msg != NULL)
		asked->type = msg->type;
}

static void
turn(struct rig *rig)
{
	for (int i = 0; i < 5; i++)
		ev_run(rig->loop, EVRUN_NOWAIT);
}

static void
tell(struct rig *rig, const struct msg *msg)
{
	struct err err;

	assert_int_equal(client_send(&rig->supervisor, msg, &err), 0);
	turn(rig);
}

static void
tell_hello(struct rig *rig, uint64_t version)
{
	struct msg msg = { .type = MSG_TYPE_HELLO, .hello = { .version = version } };

	tell(rig, &msg);
}

static struct msg
heard(struct rig *rig)
{
	struct msg msg;
	struct err err;

	assert_int_equal(client_receive(&rig->supervisor, 5000, &msg, &err), 0);
	return msg;
}

/* As tell_hello(); the number of the watch_all that it makes the link send. */
static uint64_t
tell_hello_and_hear(struct rig *rig)
{
	struct msg msg;

	tell_hello(rig, PROTO_VERSION);
	msg = heard(rig);
	assert_int_equal(msg.type, MSG_TYPE_WATCH_ALL);
	return msg.watch_all.req;
}

static int
set_up(void **state)
{
	static struct rig rig;
	struct supervisor_link_options options = {
		.on_setting = on_setting, .on_ready = on_ready, .on_op = on_op,
		.on_missed = on_missed, .on_ping = on_ping, .on_gone = on_gone,
		.arg = &rig,
	};
	struct err err;
	int fds[2];

	rig = (struct rig){ .loop = ev_loop_new(0) };
	assert_int_equal(fd_socketpair(fds, &err), 0);
	client_init(&rig.supervisor, fds[1], FROM_CLIENT,
	    LIMIT_FRAME_CONTROL_BYTES);
	rig.link = supervisor_link_new(rig.loop, fds[0], &options);
	turn(&rig);
	assert_int_equal(heard(&rig).type, MSG_TYPE_HELLO);
	*state = &rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	supervisor_link_free(&rig->link);
	client_clear(&rig->supervisor);
	ev_loop_destroy(rig->loop);
	return 0;
}

static int
ask(struct rig *rig, struct asked *asked, int64_t timeout_ms)
{
	struct msg msg = { .type = MSG_TYPE_TRIGGER, .trigger = { .type = STR("x") } };
	int result;

	*asked = (struct asked){ 0 };
	result = supervisor_link_ask(rig->link, &msg, timeout_ms, on_answer, asked,
	    &asked->wait);
	turn(rig);
	return result;
}

static void
answer_with_error(struct rig *rig, uint64_t req)
{
	struct msg msg = { .type = MSG_TYPE_ERROR, .error = { .req = req } };

	tell(rig, &msg);
}

static void
nothing_can_be_asked_before_its_hello(void **state)
{
	struct rig *rig = *state;
	static struct asked asked;

	assert_false(supervisor_link_is_up(rig->link));
	assert_int_equal(ask(rig, &asked, 1000), -1);
	tell_hello(rig, PROTO_VERSION);
	assert_int_equal(rig->readies, 1);
	assert_true(supervisor_link_is_up(rig->link));
	assert_int_equal(ask(rig, &asked, 1000), 0);
}

static void
each_waiter_gets_the_answer_with_its_number(void **state)
{
	struct rig *rig = *state;
	static struct asked asked[3];
	uint64_t reqs[3];

	(void)tell_hello_and_hear(rig);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(rig, &asked[i], 60000), 0);
		reqs[i] = heard(rig).trigger.req;
	}
	answer_with_error(rig, reqs[1]);
	assert_int_equal(asked[0].answers, 0);
	assert_int_equal(asked[1].answers, 1);
	assert_int_equal(asked[1].outcome, LINK_ANSWERED);
	assert_int_equal(asked[1].type, MSG_TYPE_ERROR);
	answer_with_error(rig, reqs[1]);
	answer_with_error(rig, 12345);
	assert_int_equal(asked[1].answers, 1);
	link_wait_stop(&asked[0].wait);
	answer_with_error(rig, reqs[0]);
	assert_int_equal(asked[0].answers, 0);
	answer_with_error(rig, reqs[2]);
	assert_int_equal(asked[2].answers, 1);
}

static void
no_answer_in_time_ends_the_wait(void **state)
{
	struct rig *rig = *state;
	static struct asked asked;
	uint64_t req;

	(void)tell_hello_and_hear(rig);
	assert_int_equal(ask(rig, &asked, 1), 0);
	req = heard(rig).trigger.req;
	while (asked.answers == 0)
		ev_run(rig->loop, EVRUN_ONCE);
	assert_int_equal(asked.outcome, LINK_TIMEOUT);
	answer_with_error(rig, req);
	assert_int_equal(asked.answers, 1);
	assert_int_equal(rig->gones, 0);
}

static void
all_waits_end_when_the_supervisor_goes(void **state)
{
	struct rig *rig = *state;
	static struct asked asked[2], later;

	(void)tell_hello_and_hear(rig);
	assert_int_equal(ask(rig, &asked[0], 60000), 0);
	assert_int_equal(ask(rig, &asked[1], 60000), 0);
	client_clear(&rig->supervisor);
	while (rig->gones == 0)
		ev_run(rig->loop, EVRUN_ONCE);
	assert_false(rig->was_broken);
	assert_int_equal(asked[0].outcome, LINK_GONE);
	assert_int_equal(asked[1].outcome, LINK_GONE);
	assert_int_equal(asked[0].answers + asked[1].answers, 2);
	assert_int_equal(ask(rig, &later, 60000), -1);
	assert_int_equal(later.answers, 0);
}

static void
freeing_the_link_ends_the_waits(void **state)
{
	struct rig *rig = *state;
	static struct asked asked;

	(void)tell_hello_and_hear(rig);
	assert_int_equal(ask(rig, &asked, 60000), 0);
	supervisor_link_free(&rig->link);
	assert_int_equal(asked.outcome, LINK_GONE);
	assert_int_equal(rig->gones, 0);
}

static void
every_change_is_heard_of_and_a_gap_is_told(void **state)
{
	struct rig *rig = *state;
	uint64_t req = tell_hello_and_hear(rig);
	struct msg op = { .type = MSG_TYPE_OP, .op = { .req = req } };
	struct msg end = { .type = MSG_TYPE_END_LIST, .end_list = { .req = req } };
	struct msg again;

	op.op.op.id = STR("3migo7fijwi2k");
	tell(rig, &op);
	tell(rig, &op);
	assert_int_equal(rig->ops, 2);
	tell(rig, &end);
	assert_int_equal(rig->missed, 1);
	again = heard(rig);
	assert_int_equal(again.type, MSG_TYPE_WATCH_ALL);
	assert_true(again.watch_all.req != req);
	tell(rig, &op);
	assert_int_equal(rig->ops, 2);
	op.op.req = again.watch_all.req;
	tell(rig, &op);
	assert_int_equal(rig->ops, 3);
	assert_int_equal(rig->gones, 0);
}

static void
another_version_is_refused(void **state)
{
	struct rig *rig = *state;

	tell_hello(rig, PROTO_VERSION + 1);
	assert_int_equal(rig->readies, 0);
	assert_int_equal(rig->gones, 1);
	assert_true(rig->was_broken);
}

static void
a_setting_that_is_none_ends_the_link(void **state)
{
	struct rig *rig = *state;
	struct msg msg = { .type = MSG_TYPE_SETTING, .setting = { .name = STR("ok") } };

	tell(rig, &msg);
	assert_int_equal(rig->settings, 1);
	assert_int_equal(rig->gones, 0);
	msg.setting.name = STR("bad");
	tell(rig, &msg);
	assert_int_equal(rig->gones, 1);
	assert_true(rig->was_broken);
}

static void
a_ping_is_answered_and_told(void **state)
{
	struct rig *rig = *state;
	struct msg msg = { .type = MSG_TYPE_PING, .ping = { .number = 7 } };

	tell(rig, &msg);
	msg = heard(rig);
	assert_int_equal(msg.type, MSG_TYPE_PONG);
	assert_int_equal(msg.pong.number, 7);
	assert_int_equal(rig->pings, 1);
}

#define WITH_RIG(test)	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest supervisor_link[] = {
	WITH_RIG(nothing_can_be_asked_before_its_hello),
	WITH_RIG(each_waiter_gets_the_answer_with_its_number),
	WITH_RIG(no_answer_in_time_ends_the_wait),
	WITH_RIG(all_waits_end_when_the_supervisor_goes),
	WITH_RIG(freeing_the_link_ends_the_waits),
	WITH_RIG(every_change_is_heard_of_and_a_gap_is_told),
	WITH_RIG(another_version_is_refused),
	WITH_RIG(a_ping_is_answered_and_told),
	WITH_RIG(a_setting_that_is_none_ends_the_link),
};

UNIT_MAIN(supervisor_link)
