/*
 * tls_front.h - TLS in front of a server on 127.0.0.1, in a process of its own.
 */
#ifndef BF_T_TLS_FRONT_H
#define BF_T_TLS_FRONT_H

#include <openssl/ssl.h>

/*
 * Hand on what connections to the listener say, until until_fd can be read or has
 * ended.  Each connection is a process, so that one that hangs is nobody else's matter.
 */
void tls_front_run(int listener, SSL_CTX *context, unsigned port, int until_fd);

#endif
