#include "workers/scan_file.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/did.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

struct scan_file {
	struct scan_source_type type;
	void (*take)(struct scan_entry *entry);
	struct scan_source *source;	/* borrowed, owns us */
	const char *path;		/* borrowed */
	uint64_t at;			/* where the page begins, in bytes */
	struct ev_timer soon;
};

/* Read on with the line; false at the end of the file or for an error. */
static bool
read_line(FILE *file, char line[LIMIT_DID_BYTES + 2])
{
	int c;

	if (fgets(line, LIMIT_DID_BYTES + 2, file) == NULL)
		return false;
	/* What is longer is no DID; its start is enough to say so. */
	if (strchr(line, '\n') == NULL)
		while ((c = getc_unlocked(file)) != EOF && c != '\n')
			continue;
	return true;
}

static struct str
trim(const char *line)
{
	struct str text = { line + strspn(line, " \t"), 0 };

	text.len = strcspn(text.ptr, " \t\r\n");
	return text;
}

static void
read_page(struct scan_file *from, FILE *file)
{
	char line[LIMIT_DID_BYTES + 2];
	struct buf cursor = BUF_INIT;
	bool is_more = true;

	for (int i = 0; i < SCAN_PAGE_ENTRIES && (is_more = read_line(file, line)); i++) {
		struct str did = trim(line);

		if (did.len > 0 && did.ptr[0] != '#')
			scan_source_add(from->source, &(struct scan_listed){ .did = did });
	}
	if (ferror(file)) {
		scan_source_cut(from->source, "unreadable", strerror(errno));
		return;
	}
	if (is_more)
		buf_printf(&cursor, "%ld", ftell(file));
	scan_source_page(from->source, buf_bytes(&cursor));
	buf_clear(&cursor);
}

static void
on_soon(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct scan_file *from = timer->data;
	FILE *file = fopen(from->path, "re");
	char text[ERR_TEXT_SIZE];

	if (file == NULL || fseek(file, (long)from->at, SEEK_SET) == -1) {
		(void)snprintf(text, sizeof(text), "%.200s: %s", from->path,
		    strerror(errno));
		scan_source_cut(from->source, "unreadable", text);
	} else {
		read_page(from, file);
	}
	if (file != NULL)
		(void)fclose(file);
}

/* The cursor is a number; read() must not answer from inside. */
static void
read_file(struct scan_source *source, struct bytes cursor)
{
	struct scan_file *from = scan_source_job(source);

	if (str_to_u64((struct str){ (const char *)cursor.ptr, cursor.len },
	    &from->at) == -1)
		from->at = 0;
	ev_timer_set(&from->soon, 0., 0.);
	ev_timer_start(scan_env(scan_source_scan(source))->loop, &from->soon);
}

static void
take_line(struct scan_entry *entry)
{
	struct scan_file *from = scan_source_job(scan_entry_source(entry));

	if (did_is_atproto(str_from(entry->did)))
		from->take(entry);
	else
		scan_entry_failed(entry, "invalid", "is no did:plc or did:web");
}

static void
file_is_over(struct scan_source *source, bool is_complete BF_UNUSED)
{
	struct scan_file *from = scan_source_job(source);

	ev_timer_stop(scan_env(scan_source_scan(source))->loop, &from->soon);
	free(from);
}

void
scan_file_add(struct scan *scan, const char *name, const char *path,
    void (*take)(struct scan_entry *entry), void (*drop)(struct scan_entry *entry))
{
	struct scan_file *from = xcalloc(1, sizeof(*from));

	from->type = (struct scan_source_type){
		.stage = "syncing what the file lists", .read = read_file,
		.take = take_line, .drop = drop, .over = file_is_over,
	};
	from->take = take;
	from->path = path;
	ev_timer_init(&from->soon, on_soon, 0., 0.);
	from->soon.data = from;
	from->source = scan_add_source(scan, &from->type, name, from);
}
