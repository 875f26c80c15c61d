/*
 * tls_context.h - servers' sides of TLS, with certificates that are made for a test.
 */
#ifndef BF_T_TLS_CONTEXT_H
#define BF_T_TLS_CONTEXT_H

#include <openssl/ssl.h>

struct tls_wish {
	const char *name;		/* that the certificate is for */
	long valid_until_s;		/* from now on; negative: it has expired */
	int version;			/* the only one that is spoken; 0: any of today */
};

/*
 * Of the caller.  The certificate vouches for itself: who has it among those that it
 * trusts (common/certs.h) can verify the server.  It is written into dir by the name
 * that its hash gives it, which file_out, of file_size bytes, gets.  Aborts if that
 * cannot be done.
 */
SSL_CTX *tls_context_new(const struct tls_wish *wish, const char *dir, char *file_out,
    size_t file_size);

#endif
