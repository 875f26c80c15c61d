/*
 * certs.h - the variables of the environment that name certificates.
 *
 * With them an operator has servers vouched for by certificates of his own, in place
 * of the system's file and beside its directory, or the other way round.  Their names
 * and meaning are OpenSSL's (SSL_CTX_load_verify_locations(3)), which reads them itself
 * for event streams; transfers are told of them (fetch/http.c), the sandbox lets both
 * be read (confine/confine.c), and children inherit them (supervisor/spawn.c).
 */
#ifndef BF_COMMON_CERTS_H
#define BF_COMMON_CERTS_H

#define CERTS_FILE_VARIABLE	"SSL_CERT_FILE"	/* PEM, any number of them */
#define CERTS_DIR_VARIABLE	"SSL_CERT_DIR"	/* files named by hash (openssl-rehash(1ssl)) */

#endif
