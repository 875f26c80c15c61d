/*
 * test_fetch_tls.c - src/fetch/http against servers whose TLS is not to be trusted.
 *
 * Each server is a child process with a certificate made for the test.
 */
#include "t/unit/unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fdutil.h"
#include "t/unit/fetch_fixture.h"

#define DAY_S	(24 * 60 * 60)

struct tls_server {
	const char *name;		/* in the certificate */
	long valid_until_s;		/* from now on */
	int version;			/* the highest it speaks; 0: any */

	pid_t pid;
	unsigned port;
	char ca_file[64];
};

static X509 *
make_certificate(EVP_PKEY *key, const struct tls_server *server)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *extension;
	char alt[128];

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -10 * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(cert), server->valid_until_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	(void)snprintf(alt, sizeof(alt), "DNS:%s", server->name);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

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
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key, server);
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	struct err err;
	int fd, listener;
	FILE *pem;

	(void)snprintf(server->ca_file, sizeof(server->ca_file), "/tmp/bf-tls-XXXXXX");
	fd = mkstemp(server->ca_file);
	pem = fdopen(fd, "w");
	assert_non_null(pem);
	PEM_write_X509(pem, cert);
	fclose(pem);

	assert_int_equal(fd_tcp_listen("127.0.0.1:0", &listener, &err), 0);
	assert_int_equal(fd_set_nonblock(listener, false), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	server->port = ntohs(addr.sin_port);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		SSL_CTX *context = SSL_CTX_new(TLS_server_method());

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		SSL_CTX_use_PrivateKey(context, key);
		SSL_CTX_use_certificate(context, cert);
		if (server->version != 0) {
			SSL_CTX_set_min_proto_version(context, server->version);
			SSL_CTX_set_max_proto_version(context, server->version);
			SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
		}
		serve(listener, context);
	}
	close(listener);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
stop_server(struct tls_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	unlink(server->ca_file);
}

/* Fetch from the server, trusting only the certificate in ca_file. */
static void
fetch_tls_begin(struct fetch_fixture *f, const struct tls_server *server,
    const char *ca_file)
{
	struct http_options options = {
		.user_agent = "test",
		.ca_file = ca_file,
		.allow_private_addresses = true,
	};
	char url[64];

	http_free(&f->http);
	f->http = http_new(f->loop, &options);
	(void)snprintf(url, sizeof(url), "https://localhost:%u/x", server->port);
	start_url(f, url);
}

static void
fetch_tls(struct fetch_fixture *f, const struct tls_server *server, const char *ca_file)
{
	f->limits.attempts = 5;
	fetch_tls_begin(f, server, ca_file);
	run(f);
}

static void
a_certificate_that_fits_is_accepted_and_http_2_offered(void **state)
{
	struct fetch_fixture *f = *state;
	struct tls_server server = { .name = "localhost", .valid_until_s = DAY_S };

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
	struct tls_server server = { .name = "localhost", .valid_until_s = -DAY_S };

	expect_refusal(*state, &server, NULL);
}

static void
a_certificate_of_another_name_is_refused_for_good(void **state)
{
	struct tls_server server = { .name = "pds.example", .valid_until_s = DAY_S };

	expect_refusal(*state, &server, NULL);
}

static void
a_certificate_that_nobody_vouches_for_is_refused_for_good(void **state)
{
	struct tls_server other = { .name = "localhost", .valid_until_s = DAY_S };
	struct tls_server server = other;

	start_server(&other);
	expect_refusal(*state, &server, other.ca_file);
	stop_server(&other);
}

static void
an_old_version_of_tls_is_refused_for_good(void **state)
{
	struct tls_server server = { .name = "localhost", .valid_until_s = DAY_S,
	    .version = TLS1_VERSION };

	expect_refusal(*state, &server, NULL);
	server.version = TLS1_1_VERSION;
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
		fetch_tls_begin(f, &server, NULL);
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
