/*
 * settings.h - the settings of settings.def as a struct.
 *
 * The supervisor fills it from the configuration file; a child gets the rows
 * that it needs as `setting` messages and keeps the defaults of the others.
 */
#ifndef BF_COMMON_SETTINGS_H
#define BF_COMMON_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/settings.def"
#include "common/str.h"

enum settings_audience {
	FOR_WORKER = 1,
	FOR_INDEXER = 2,
	FOR_API = 4,
	FOR_RESOLVER = 8,
	FOR_ALL = 15,
	FOR_REINDEX = 16,	/* a worker of that type, and no other one */
};

#define SETTING_TYPE_TEXT	char *		/* owned, never NULL */
#define SETTING_TYPE_LIST	char *		/* owned, never NULL; parted by blanks */
#define SETTING_TYPE_URL	char *		/* owned, never NULL; "": none */
#define SETTING_TYPE_ORIGIN	char *		/* the same, without a path */
#define SETTING_TYPE_ORIGINS	char *		/* a list of these */
#define SETTING_TYPE_AUTHORITY	char *		/* owned, never NULL */
#define SETTING_TYPE_NUMBER	uint64_t
#define SETTING_TYPE_BOOL	bool

struct settings {
#define X(kind, name, preset, least, most, audience, reload) SETTING_TYPE_##kind name;
	SETTINGS(X)
#undef X
};

enum setting_kind { SETTING_TEXT, SETTING_LIST, SETTING_URL, SETTING_ORIGIN,
	SETTING_ORIGINS, SETTING_AUTHORITY, SETTING_NUMBER, SETTING_BOOL };

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;			/* in struct settings */
	const char *preset;
	uint64_t least, most;		/* of a number */
	unsigned audience;		/* enum settings_audience bits */
	bool can_reload;
};

extern const struct setting settings_rows[];
extern const size_t settings_count;

/* Everything at its default. */
void settings_init(struct settings *settings);
void settings_clear(struct settings *settings);

const struct setting *settings_find(struct str name);	/* NULL: unknown */
bool setting_is_list(const struct setting *row);	/* of items parted by blanks */

/* Set one from its text.  ERR_INVALID says the name, the value and what is
 * allowed; ERR_NOT_FOUND that there is no such setting. */
int settings_set(struct settings *settings, struct str name, struct str value,
    struct err *err) BF_MUSTCHECK;

/* Whether a text can be a value: children get it in a frame, servers in a header, and
 * it is told in answers.  ERR_INVALID says why not, but not the text: it may be secret. */
int settings_check_text(const char *name, struct str value, struct err *err) BF_MUSTCHECK;

/* One item of a list, for a reader that can still say where it stands; settings_set()
 * looks at all of them again.  ERR_INVALID as there. */
int settings_check_item(const struct setting *row, struct str item, struct err *err)
    BF_MUSTCHECK;

/* The text of one, as settings_set() takes it; to be freed by the caller. */
char *settings_text(const struct settings *settings, const struct setting *row);

/* Walk a LIST value: the next item from *rest, which moves on; empty at the end. */
struct str settings_next_item(struct str *rest);

#endif
