/*
 * test_subscribe_tls.c - event streams over TLS: what is left in its buffers at a pause
 * comes behind it, and a certificate that is no good is told.
 */
#include "t/unit/subscribe_rig.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/certs.h"
#include "common/err.h"
#include "common/fdutil.h"
#include "common/mem.h"
#include "t/unit/tls_context.h"
#include "t/unit/tls_front.h"

#define DAY_S	(24 * 60 * 60)

struct front {
	char dir[64], file[96];
	pid_t pid;
};

/* Between the stream and the rig's server; its certificate is the one that counts. */
static void
start_front(struct front *front, struct rig *rig, const struct tls_wish *wish)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	SSL_CTX *context;
	struct err err;
	int listener;

	(void)snprintf(front->dir, sizeof(front->dir), "/tmp/bf-tls-XXXXXX");
	assert_non_null(mkdtemp(front->dir));
	context = tls_context_new(wish, front->dir, front->file, sizeof(front->file));
	assert_int_equal(setenv(CERTS_FILE_VARIABLE, front->file, 1), 0);
	assert_int_equal(fd_tcp_listen("127.0.0.1:0", &listener, &err), 0);
	assert_int_equal(fd_set_nonblock(listener, false), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	rig->port = ntohs(addr.sin_port);
	front->pid = fork();
	assert_true(front->pid >= 0);
	if (front->pid == 0) {
		/* Killed by us, or with us. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		tls_front_run(listener, context, rig->server.port, -1);
		_exit(0);
	}
	close(listener);
	SSL_CTX_free(context);
}

static void
stop_front(struct front *front)
{
	(void)kill(front->pid, SIGKILL);
	(void)waitpid(front->pid, NULL, 0);
	(void)unlink(front->file);
	(void)rmdir(front->dir);
}

/* Messages that fill records of TLS and share them, a pause behind this one. */
static void
stream_with_a_pause(struct rig *rig, unsigned pause_after)
{
	static const size_t sizes[] = { 1, 100, 16384, 3, 40000, 7, 7, 7 };
	const unsigned count = 64;
	uint8_t *bytes = xcalloc(1, MESSAGE_BYTES);

	subscribe_free(&rig->sub);
	buf_reset(&rig->server.script);
	rig->messages = rig->ends = 0;
	for (unsigned i = 0; i < count; i++)
		ws_server_frame(&rig->server, 0x82, bytes, sizes[i % BF_ARRAY_LEN(sizes)]);
	ws_server_frame(&rig->server, 0x88, "\x03\xe8", 2);
	rig->pause_after = pause_after;
	run_at(rig, "https", "localhost");
	assert_int_equal(rig->messages, count);
	assert_int_equal(rig->ends, 1);
	assert_int_equal(rig->class, FETCH_OK);
	free(bytes);
}

static void
what_came_before_a_pause_is_handed_over_behind_it(void **state)
{
	struct rig *rig = *state;
	struct front front;

	start_front(&front, rig, &(struct tls_wish){ "localhost", DAY_S, 0 });
	for (unsigned pause_after = 1; pause_after <= 64; pause_after += 9)
		stream_with_a_pause(rig, pause_after);
	stop_front(&front);
}

static void
expect_refusal(struct rig *rig, const struct tls_wish *wish, const char *text)
{
	struct front front;

	start_front(&front, rig, wish);
	run_at(rig, "https", "localhost");
	stop_front(&front);
	assert_int_equal(rig->opens, 0);
	assert_int_equal(rig->class, FETCH_TLS);
	assert_non_null(strstr(rig->text, text));
	assert_memory_equal(rig->text, "localhost:", 10);
	assert_int_equal(rig->server.connections, 0);
}

static void
a_certificate_that_expired_is_refused(void **state)
{
	expect_refusal(*state, &(struct tls_wish){ "localhost", -DAY_S, 0 },
	    "certificate has expired");
}

static void
a_certificate_of_another_name_is_refused(void **state)
{
	expect_refusal(*state, &(struct tls_wish){ "relay.example", DAY_S, 0 },
	    "ostname mismatch");
}

static void
an_old_version_of_tls_is_refused(void **state)
{
	expect_refusal(*state, &(struct tls_wish){ "localhost", DAY_S, TLS1_VERSION },
	    "SSL");
}

static const struct CMUnitTest subscribe_tls_tests[] = {
	T(what_came_before_a_pause_is_handed_over_behind_it),
	T(a_certificate_that_expired_is_refused),
	T(a_certificate_of_another_name_is_refused),
	T(an_old_version_of_tls_is_refused),
};

UNIT_MAIN(subscribe_tls_tests)
