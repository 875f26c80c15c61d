/*
 * test_fetch_names.c - src/fetch/http when names resolve to what they should not,
 * or not at all.
 *
 * getaddrinfo() of this file takes the place of the C library's for libcurl's
 * resolver threads.
 */
#include "t/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "t/unit/fetch_fixture.h"

static int gate[2];		/* "hang.example" resolves when its write end closes */
static atomic_uint lookups;
static const char *address;	/* of every other name; what is one already stays */

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **list_out)
{
	struct addrinfo *info;
	struct sockaddr_in *v4;
	struct sockaddr_in6 *v6;
	struct in_addr numeric;
	const char *text = address;
	char byte;

	atomic_fetch_add(&lookups, 1);
	if (strcmp(name, "hang.example") == 0) {
		while (read(gate[0], &byte, 1) == -1 && errno == EINTR)
			;
		return EAI_AGAIN;
	}
	if (inet_pton(AF_INET, name, &numeric) == 1)
		text = name;
	info = xcalloc(1, sizeof(*info) + sizeof(*v6));
	v4 = (struct sockaddr_in *)(info + 1);
	v6 = (struct sockaddr_in6 *)(info + 1);
	info->ai_addr = (struct sockaddr *)(info + 1);
	info->ai_socktype = hints->ai_socktype;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		info->ai_family = v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(service));
		info->ai_addrlen = sizeof(*v4);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		info->ai_family = v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(service));
		info->ai_addrlen = sizeof(*v6);
	}
	*list_out = info;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

static void
fetch_name(struct fetch_fixture *f, const char *name)
{
	char url[128];

	(void)snprintf(url, sizeof(url), "http://%s:%u/x", name,
	    fetch_server_port(f->server));
	start_url(f, url);
}

static void
a_name_is_judged_by_the_address_that_is_connected_to(void **state)
{
	static const char *const addresses[] = { "127.0.0.1", "169.254.169.254",
	    "10.0.0.1",
	    "::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1" };
	struct fetch_fixture *f = *state;

	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	address = "127.0.0.1";
	atomic_store(&lookups, 0);
	fetch_name(f, "rebound.example");
	run(f);
	expect_class(f, FETCH_OK);	/* so the trap works without the guard */
	assert_int_equal(atomic_load(&lookups), 1);

	for (size_t i = 0; i < BF_ARRAY_LEN(addresses); i++) {
		fixture_renew(f, true);
		address = addresses[i];
		atomic_store(&lookups, 0);
		fetch_name(f, "rebound.example");
		run(f);
		expect_class(f, FETCH_BLOCKED);
		assert_int_equal(f->result.attempts, 1);
		assert_int_equal(atomic_load(&lookups), 1);
	}
	assert_int_equal(fetch_server_connections(f->server), 1);
}

static void
a_resolver_that_hangs_is_a_timeout_and_holds_nobody_up(void **state)
{
	struct fetch_fixture *f = *state;
	int64_t began = clock_mono_ms();

	f->limits.connect_ms = 100;
	assert_int_equal(pipe(gate), 0);
	fetch_name(f, "hang.example");
	run(f);
	expect_class(f, FETCH_TIMEOUT);
	assert_true(clock_mono_ms() - began < 5000);
	close(gate[1]);
}

static void
a_request_that_still_resolves_is_cancelled_at_once(void **state)
{
	struct fetch_fixture *f = *state;

	assert_int_equal(pipe(gate), 0);
	atomic_store(&lookups, 0);
	fetch_name(f, "hang.example");
	while (atomic_load(&lookups) == 0)
		ev_run(f->loop, EVRUN_NOWAIT);
	http_cancel(&f->req);
	ev_run(f->loop, EVRUN_NOWAIT);

	fetch_name(f, "hang.example");
	while (atomic_load(&lookups) == 1)
		ev_run(f->loop, EVRUN_NOWAIT);
	http_free(&f->http);		/* would hang for ever: the gate is closed */
	close(gate[1]);
}

static const struct CMUnitTest tests[] = {
	T(a_name_is_judged_by_the_address_that_is_connected_to),
	T(a_resolver_that_hangs_is_a_timeout_and_holds_nobody_up),
	T(a_request_that_still_resolves_is_cancelled_at_once),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
