#include "t/unit/tls_context.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_S	(24 * 60 * 60)

static void
must(bool is_done)
{
	if (!is_done)
		abort();
}

static X509 *
make_certificate(EVP_PKEY *key, const struct tls_wish *wish)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *extension;
	char alt[128];

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -10 * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(cert), wish->valid_until_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"test", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC,
	    (const unsigned char *)wish->name, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	(void)snprintf(alt, sizeof(alt), "DNS:%s", wish->name);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	must(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

static void
write_certificate(X509 *cert, const char *dir, char *file_out, size_t file_size)
{
	FILE *pem;

	(void)snprintf(file_out, file_size, "%s/%08lx.0", dir,
	    X509_subject_name_hash(cert));
	pem = fopen(file_out, "w");
	must(pem != NULL);
	must(PEM_write_X509(pem, cert) == 1);
	must(fclose(pem) == 0);
}

SSL_CTX *
tls_context_new(const struct tls_wish *wish, const char *dir, char *file_out,
    size_t file_size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key, wish);

	write_certificate(cert, dir, file_out, file_size);
	must(SSL_CTX_use_PrivateKey(context, key) == 1);
	must(SSL_CTX_use_certificate(context, cert) == 1);
	if (wish->version != 0) {
		must(SSL_CTX_set_min_proto_version(context, wish->version) == 1);
		must(SSL_CTX_set_max_proto_version(context, wish->version) == 1);
		must(SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") == 1);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return context;
}
