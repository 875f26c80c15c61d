#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/utf8.h"

#define LOG_LINE_MAX	2048

static struct {
	const char *name;
	enum log_level level;
	bool is_terminal, is_socket;
	int fd;			/* standard error, or another way to the same pipe */
	unsigned long dropped;
} log_state = { "backfilld", LOG_LEVEL_INFO, false, false, STDERR_FILENO, 0 };

/*
 * Standard error may be shared with other programs, so O_NONBLOCK must not be set on
 * it; a pipe can be opened once more for us alone.  Where that is not allowed, asking
 * first has to do, though others of ours may be quicker to fill it.
 */
static void
find_way(void)
{
	struct stat st;
	int fd = -1;

	if (fstat(STDERR_FILENO, &st) == -1)
		return;
	log_state.is_socket = S_ISSOCK(st.st_mode);
	if (log_state.fd != STDERR_FILENO)
		(void)close(log_state.fd);
	if (S_ISFIFO(st.st_mode))
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	log_state.fd = fd == -1 ? STDERR_FILENO : fd;
}

void
log_init(const char *name, enum log_level level)
{
	log_state.name = name;
	log_state.level = level;
	log_state.is_terminal = isatty(STDERR_FILENO) == 1;
	find_way();
}

void
log_set_level(enum log_level level)
{
	log_state.level = level;
}

static const char *
level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "\033[31merror\033[0m";
	case LOG_LEVEL_WARN:
		return "\033[33mwarn\033[0m ";
	case LOG_LEVEL_AUDIT:
		return "audit";
	case LOG_LEVEL_INFO:
		return "info ";
	case LOG_LEVEL_DEBUG:
		return "\033[2mdebug\033[0m";
	}
	return "?";
}

/* A line is shorter than PIPE_BUF, and so goes whole or not at all.  SIGPIPE is
 * ignored by who has this. */
static void
write_line(const char *line, size_t len)
{
	struct pollfd ready = { .fd = log_state.fd, .events = POLLOUT };
	ssize_t n = -1;

	if (log_state.is_socket)
		n = send(log_state.fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0)
		n = write(log_state.fd, line, len);
	if (n != (ssize_t)len)
		log_state.dropped++;
}

static size_t
format_head(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	int n;

	if (!log_state.is_terminal) {
		n = snprintf(line, size, "<%d>%s: ", (int)level, log_state.name);
		return (size_t)n;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = snprintf(line, size, "%02d:%02d:%02d.%03ld %s %s: ", tm.tm_hour,
	    tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000, level_word(level),
	    log_state.name);
	return (size_t)n;
}

static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	int saved = errno;
	char line[LOG_LINE_MAX];
	size_t head, len;

	if (level > log_state.level && level != LOG_LEVEL_AUDIT)
		return;
	if (log_state.dropped > 0) {
		unsigned long dropped = log_state.dropped;

		log_state.dropped = 0;
		head = format_head(line, sizeof(line), LOG_LEVEL_WARN);
		len = head + (size_t)snprintf(line + head, sizeof(line) - head,
		    "%lu log lines were dropped\n", dropped);
		write_line(line, len);
	}
	head = format_head(line, sizeof(line) - 1, level);
	(void)vsnprintf(line + head, sizeof(line) - 1 - head, fmt, ap);
	/* A peer's text must not forge lines or drive a terminal; and a line that is no
	 * UTF-8, because it was cut for example, is hidden by the journal. */
	len = head + utf8_clean(line + head, strlen(line + head));
	line[len++] = '\n';
	write_line(line, len);
	errno = saved;
}

#define DEFINE_LOG(function, level)				\
	void							\
	function(const char *fmt, ...)				\
	{							\
		va_list ap;					\
								\
		va_start(ap, fmt);				\
		log_line(level, fmt, ap);			\
		va_end(ap);					\
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_audit, LOG_LEVEL_AUDIT)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(level, fmt, ap);
	va_end(ap);
}

int
log_level_parse(const char *word, enum log_level *level_out)
{
	static const struct { const char *word; enum log_level level; } words[] = {
		{ "error", LOG_LEVEL_ERROR }, { "warn", LOG_LEVEL_WARN },
		{ "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i].word) == 0) {
			*level_out = words[i].level;
			return 0;
		}
	}
	return -1;
}
