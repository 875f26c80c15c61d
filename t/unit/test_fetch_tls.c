/*
 * test_fetch_tls.c - src/fetch/http against servers whose TLS is not to be trusted.
 *
 * Each server is a child process with a certificate made for the test.
 */
#include "t/unit/unit.h"

#include <fcntl.h>
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
#include "t/unit/fetch_fixture.h"
#include "t/unit/tls_context.h"

#define DAY_S	(24 * 60 * 60)

struct tls_server {
	struct tls_wish wish;
	pid_t pid;
	unsigned port;
	char dir[64];			/* of the test's own, as SSL_CERT_DIR wants it: */
	char ca_file[96];		/* the certificate, in it */
};

/* Was HTTP/2 offered?  It is not taken. */
static int
on_protocols(SSL *ssl BF_UNUSED, const unsigned char **out BF_UNUSED,
    unsigned char *out_len BF_UNUSED, const unsigned char *offered, unsigned len,
    void *has_h2)
{
	*(bool *)has_h2 = memmem(offered, len, "\2h2", 3) != NULL;
	return SSL_TLSEXT_ERR_NOACK;
}

/* Answer one request per connection, for ever. */
static void
serve(int listener, SSL_CTX *context)
{
	static const char answers[2][48] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret",
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhas h2",
	};
	char request[4096];
	bool has_h2;

	SSL_CTX_set_alpn_select_cb(context, on_protocols, &has_h2);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		SSL *ssl = SSL_new(context);

		has_h2 = false;
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
			(void)SSL_write(ssl, answers[has_h2],
			    (int)strlen(answers[has_h2]));
			(void)SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		close(fd);
	}
}

static void
start_server(struct tls_server *server)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	struct err err;
	SSL_CTX *context;
	int listener;

	(void)snprintf(server->dir, sizeof(server->dir), "/tmp/bf-tls-XXXXXX");
	assert_non_null(mkdtemp(server->dir));
	context = tls_context_new(&server->wish, server->dir, server->ca_file,
	    sizeof(server->ca_file));
	assert_int_equal(fd_tcp_listen("127.0.0.1:0", &listener, &err), 0);
	assert_int_equal(fd_set_nonblock(listener, false), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	server->port = ntohs(addr.sin_port);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener, context);
	}
	close(listener);
	SSL_CTX_free(context);
}

static void
stop_server(struct tls_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	unlink(server->ca_file);
	rmdir(server->dir);
}

/* Fetch from the server, with a variable that names who vouches for it, if any. */
static void
fetch_tls_begin(struct fetch_fixture *f, const struct tls_server *server,
    const char *variable, const char *path)
{
	struct http_options options = {
		.user_agent = "test",
		.allow_private_addresses = true,
	};
	char url[64];

	unsetenv(CERTS_FILE_VARIABLE);
	unsetenv(CERTS_DIR_VARIABLE);
	if (path != NULL)
		assert_int_equal(setenv(variable, path, 1), 0);
	http_free(&f->http);
	f->http = http_new(f->loop, &options);
	(void)snprintf(url, sizeof(url), "https://localhost:%u/x", server->port);
	start_url(f, url);
}

static void
fetch_tls(struct fetch_fixture *f, const struct tls_server *server, const char *ca_file)
{
	f->limits.attempts = 5;
	fetch_tls_begin(f, server, CERTS_FILE_VARIABLE, ca_file);
	run(f);
}

static void
a_certificate_that_fits_is_accepted_and_http_2_offered(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server server = { .wish = { "localhost", DAY_S, 0 } };

	start_server(&server);
	fetch_tls(f, &server, server.ca_file);
	expect_class(f, FETCH_OK);
	assert_memory_equal(buf_data(&f->body), "has h2", 6);
	/* A large download has a connection of its own. */
	f->get.is_bulk = true;
	fetch_tls(f, &server, server.ca_file);
	stop_server(&server);
	expect_class(f, FETCH_OK);
	assert_memory_equal(buf_data(&f->body), "secret", 6);
}

static void
certificates_are_found_in_a_directory_too(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server server = { .wish = { "localhost", DAY_S, 0 } };

	start_server(&server);
	fetch_tls_begin(f, &server, CERTS_DIR_VARIABLE, server.dir);
	run(f);
	expect_class(f, FETCH_OK);
	fetch_tls_begin(f, &server, CERTS_DIR_VARIABLE, "/dev");
	run(f);
	expect_class(f, FETCH_TLS);
	stop_server(&server);
}

static void
a_file_of_certificates_that_is_none_is_told(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server server = { .wish = { "localhost", DAY_S, 0 } };

	start_server(&server);
	fetch_tls(f, &server, "/nonexistent/certs.pem");
	stop_server(&server);
	expect_class(f, FETCH_TLS);
	assert_non_null(strstr(f->result.error.text, "/nonexistent/certs.pem"));
}

static void
expect_refusal(struct fetch_fixture *f, struct tls_server *server, const char *ca_file)
{
	start_server(server);
	fetch_tls(f, server, ca_file != NULL ? ca_file : server->ca_file);
	stop_server(server);
	expect_class(f, FETCH_TLS);
	assert_int_equal(f->result.attempts, 1);
	assert_int_equal(f->heads, 0);
}

static void
an_expired_certificate_is_refused_for_good(void **state)
{
	struct tls_server server = { .wish = { "localhost", -DAY_S, 0 } };

	expect_refusal(*state, &server, NULL);
}

static void
a_certificate_of_another_name_is_refused_for_good(void **state)
{
	struct tls_server server = { .wish = { "pds.example", DAY_S, 0 } };

	expect_refusal(*state, &server, NULL);
}

static void
a_certificate_that_nobody_vouches_for_is_refused_for_good(void **state)
{
	struct tls_server other = { .wish = { "localhost", DAY_S, 0 } };
	struct tls_server server = other;

	start_server(&other);
	expect_refusal(*state, &server, other.ca_file);
	stop_server(&other);
}

static void
an_old_version_of_tls_is_refused_for_good(void **state)
{
	struct tls_server server = { .wish = { "localhost", DAY_S, TLS1_VERSION } };

	expect_refusal(*state, &server, NULL);
	server.wish.version = TLS1_1_VERSION;
	expect_refusal(*state, &server, NULL);
}

static void
a_server_without_tls_is_not_asked_in_the_clear(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server plain = { .port = fetch_server_port(f->server) };

	fetch_server_serve(f->server, "/x", "200 OK", "text/plain", "x", 1);
	f->limits.head_ms = 300;	/* two peers that wait for each other */
	fetch_tls(f, &plain, NULL);
	assert_true(f->result.error.class != FETCH_OK);
	assert_int_equal(fetch_server_requests(f->server), 0);
}

static void
a_connection_that_breaks_in_the_handshake_is_unreachable(void **state)
{
	struct fetch_fixture *f = *state;
	int listener, fd;
	struct tls_server server = { 0 };
	struct err err;
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	char hello[4096];

	assert_int_equal(fd_tcp_listen("127.0.0.1:0", &listener, &err), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	server.port = ntohs(addr.sin_port);
	for (int reset = 0; reset <= 1; reset++) {
		fetch_tls_begin(f, &server, NULL, NULL);
		while ((fd = accept(listener, NULL, NULL)) == -1)
			ev_run(f->loop, EVRUN_NOWAIT);
		/* Closing with unread bytes is a reset. */
		while (!reset && recv(fd, hello, sizeof(hello), MSG_DONTWAIT) <= 0)
			ev_run(f->loop, EVRUN_NOWAIT);
		close(fd);
		run(f);
		expect_class(f, FETCH_UNREACHABLE);
	}
	close(listener);
}

static const struct CMUnitTest tests[] = {
	T(a_certificate_that_fits_is_accepted_and_http_2_offered),
	T(certificates_are_found_in_a_directory_too),
	T(a_file_of_certificates_that_is_none_is_told),
	T(an_expired_certificate_is_refused_for_good),
	T(a_certificate_of_another_name_is_refused_for_good),
	T(a_certificate_that_nobody_vouches_for_is_refused_for_good),
	T(an_old_version_of_tls_is_refused_for_good),
	T(a_connection_that_breaks_in_the_handshake_is_unreachable),
	T(a_server_without_tls_is_not_asked_in_the_clear),
};

int
main(void)
{
	return fixture_main(tests, BF_ARRAY_LEN(tests));
}
