/*
 * net.c - a network of a test's own, for one process: loaded with LD_PRELOAD.
 *
 * BF_NET_FILE is mapped: a table of TABLE_BYTES that says what names resolve to, then
 * a ledger.  Both are read and written as things happen, so that a test can change
 * the one and read the other while the process runs, and a process that may open
 * nothing any more sees it, too.  Nothing leaves the machine: there is no other
 * network than this one.
 *
 * The table is lines, ended by a NUL:
 *	name NAME ADDRESS [ADDRESS ...]		resolves to them, one after the other
 *	name NAME nxdomain | servfail | hang
 *	here ADDRESS				is this machine: the same port of 127.0.0.1
 *
 * The ledger is a count of 8 bytes and lines of LINE_BYTES, padded with NULs, with
 * what was done: "lookup NAME", "connect ADDRESS PORT", "refused ADDRESS PORT".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TABLE_BYTES	4096
#define LINE_BYTES	128
#define LINES		512
#define FDS		256
#define WORDS		16

struct shared {
	char table[TABLE_BYTES];
	_Atomic uint64_t count;
	char lines[LINES][LINE_BYTES];
};

struct answer {
	struct addrinfo info;
	struct sockaddr_storage address;
};

static struct shared *net;
static struct sockaddr_in claimed[FDS];		/* whom a descriptor believes its peer */
static atomic_uint turn;			/* of names with several addresses */

__attribute__((constructor)) static void
set_up(void)
{
	const char *path = getenv("BF_NET_FILE");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

	net = fd == -1 ? MAP_FAILED : mmap(NULL, sizeof(*net), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (net == MAP_FAILED)
		abort();
	(void)close(fd);
}

__attribute__((format(printf, 1, 2))) static void
enter(const char *fmt, ...)
{
	uint64_t number = atomic_fetch_add(&net->count, 1);
	va_list ap;

	if (number >= LINES)
		abort();	/* a ledger that is not complete proves nothing */
	va_start(ap, fmt);
	(void)vsnprintf(net->lines[number], LINE_BYTES, fmt, ap);
	va_end(ap);
}

/* The words of the first line that begins with these two; their number. */
static unsigned
find(const char *kind, const char *name, char copy[TABLE_BYTES], char *words[WORDS])
{
	char *lines, *line;

	memcpy(copy, net->table, TABLE_BYTES);
	copy[TABLE_BYTES - 1] = '\0';
	for (line = strtok_r(copy, "\n", &lines); line != NULL;
	    line = strtok_r(NULL, "\n", &lines)) {
		char *rest;
		unsigned n = 0;

		for (char *word = strtok_r(line, " ", &rest); word != NULL && n < WORDS;
		    word = strtok_r(NULL, " ", &rest))
			words[n++] = word;
		if (n >= 2 && strcmp(words[0], kind) == 0 &&
		    strcasecmp(words[1], name) == 0)
			return n;
	}
	return 0;
}

static bool
is_here(const char *address)
{
	char copy[TABLE_BYTES], *words[WORDS];

	return find("here", address, copy, words) > 0;
}

/* --- names --- */

static struct addrinfo *
make_answer(const char *text, const char *service, const struct addrinfo *hints)
{
	struct answer *answer = calloc(1, sizeof(*answer));
	struct sockaddr_in *v4 = (struct sockaddr_in *)&answer->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&answer->address;
	uint16_t port = htons((uint16_t)(service != NULL ? atoi(service) : 0));

	if (answer == NULL)
		abort();
	answer->info.ai_socktype = hints != NULL ? hints->ai_socktype : SOCK_STREAM;
	answer->info.ai_addr = (struct sockaddr *)&answer->address;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		answer->info.ai_addrlen = sizeof(*v4);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		answer->info.ai_addrlen = sizeof(*v6);
	} else {
		free(answer);
		return NULL;
	}
	answer->info.ai_family = answer->address.ss_family;
	return &answer->info;
}

int
getaddrinfo(const char *restrict name, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict list_out)
{
	char copy[TABLE_BYTES], *words[WORDS];
	const char *text = name;
	unsigned n;

	if ((*list_out = make_answer(name, service, hints)) != NULL)
		return 0;	/* an address is not looked up */
	enter("lookup %s", name);
	n = find("name", name, copy, words);
	if (n > 2)
		text = words[2 + atomic_fetch_add(&turn, n > 3) % (n - 2)];
	if (strcmp(text, "servfail") == 0)
		return EAI_AGAIN;
	while (strcmp(text, "hang") == 0)
		(void)poll(NULL, 0, -1);
	*list_out = make_answer(text, service, hints);
	return *list_out != NULL ? 0 : EAI_NONAME;
}

void
freeaddrinfo(struct addrinfo *list)
{
	free(list);	/* the first member of its answer */
}

/* --- connections --- */

static bool
is_loopback(const struct sockaddr *address, const char *text)
{
	return address->sa_family == AF_INET ? strncmp(text, "127.", 4) == 0 :
	    strcmp(text, "::1") == 0;
}

int
connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	bool is_v4 = address->sa_family == AF_INET;
	struct sockaddr_in instead;
	char text[INET6_ADDRSTRLEN];
	unsigned port;

	if (!is_v4 && address->sa_family != AF_INET6)
		return (int)syscall(SYS_connect, fd, address, len);
	(void)inet_ntop(address->sa_family, is_v4 ? (const void *)&v4->sin_addr :
	    (const void *)&v6->sin6_addr, text, sizeof(text));
	port = ntohs(is_v4 ? v4->sin_port : v6->sin6_port);
	if (fd < 0 || fd >= FDS || (!is_loopback(address, text) &&
	    !(is_v4 && is_here(text)))) {
		enter("refused %s %u", text, port);
		errno = ENETUNREACH;
		return -1;
	}
	enter("connect %s %u", text, port);
	memset(&claimed[fd], 0, sizeof(claimed[fd]));
	if (is_loopback(address, text))
		return (int)syscall(SYS_connect, fd, address, len);
	instead = claimed[fd] = *v4;
	instead.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return (int)syscall(SYS_connect, fd, &instead, sizeof(instead));
}

int
getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
	int rc = (int)syscall(SYS_getpeername, fd, address, len);

	if (rc == 0 && fd < FDS && claimed[fd].sin_family == AF_INET &&
	    address->sa_family == AF_INET && *len >= sizeof(claimed[fd]))
		memcpy(address, &claimed[fd], sizeof(claimed[fd]));
	return rc;
}
