/*
 * fdlayout.h - what a child process finds when it starts.
 *
 * Everything that the supervisor and a child agree on before the first message:
 * these descriptors are open, and standard input (/dev/null), output and error
 * (the daemon's log).  Nothing else is.  Anything more comes as a descriptor
 * attached to a message (messages.def says to which).
 */
#ifndef BF_PROTO_FDLAYOUT_H
#define BF_PROTO_FDLAYOUT_H

/* The channel to the supervisor.  Its end of file means that the supervisor is
 * gone: a worker and the indexer exit, the API serves reads a while longer. */
#define FD_CONTROL	3

/* Worker: the record channel to the indexer.  API: the listening HTTP socket. */
#define FD_RECORDS	4
#define FD_LISTEN	4

/* The class of the `fail` by which a worker says that the indexer has left it: the
 * operation goes back to the queue. */
#define CLASS_INDEXER_GONE	"indexer-gone"

/* The version that both sides say in their first message.  Raise it for any
 * change to messages.def that an older peer would misread. */
#define PROTO_VERSION	3

#endif
