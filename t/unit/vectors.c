#include "t/unit/unit.h"

#include "t/unit/vectors.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#ifndef UNIT_SRCDIR
#define UNIT_SRCDIR "."
#endif

static const char *
root(void)
{
	const char *dir = getenv("BACKFILLD_VECTORS");

	return dir != NULL ? dir : UNIT_SRCDIR "/../shared/vectors";
}

void
vectors_need(void)
{
	struct stat st;

	if (stat(root(), &st) == 0)
		return;
	print_message("# SKIP: no test vectors at %s; set BACKFILLD_VECTORS\n", root());
	skip();
}

static void
full_path(const char *path, char to[4096])
{
	assert_true(snprintf(to, 4096, "%s/%s", root(), path) < 4096);
}

struct buf
vectors_read(const char *path)
{
	char full[4096];
	struct buf buf = BUF_INIT;
	FILE *file;
	size_t n;

	full_path(path, full);
	file = fopen(full, "rb");
	if (file == NULL)
		fail_msg("%s: cannot be opened", full);
	while ((n = fread(buf_reserve(&buf, 65536), 1, 65536, file)) > 0)
		buf_added(&buf, n);
	fclose(file);
	return buf;
}

json_t *
vectors_json(const char *path)
{
	struct buf text = vectors_read(path);
	json_error_t error;
	json_t *json = json_loadb((const char *)buf_data(&text), buf_len(&text),
	    JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);

	if (json == NULL)
		fail_msg("%s: line %d: %s", path, error.line, error.text);
	buf_clear(&text);
	return json;
}

void
vectors_lines(const char *path, vectors_line_fn *fn, void *arg)
{
	struct buf text = vectors_read(path);
	struct str rest = buf_str(&text);

	while (rest.len > 0) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		struct str line = { rest.ptr, end != NULL ? (size_t)(end - rest.ptr) :
		    rest.len };
		size_t skip_len = line.len + (end != NULL);

		if (line.len > 0 && line.ptr[0] != '#')
			fn(line, arg);
		rest = (struct str){ rest.ptr + skip_len, rest.len - skip_len };
	}
	buf_clear(&text);
}

void
vectors_files(const char *dir, const char *ending, vectors_file_fn *fn, void *arg)
{
	char full[4096], path[4096];
	struct dirent **entries;
	int n;

	full_path(dir, full);
	n = scandir(full, &entries, NULL, alphasort);
	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		struct str name = str_from(entries[i]->d_name), end = str_from(ending);

		if (name.len >= end.len && str_eq((struct str){
		    name.ptr + name.len - end.len, end.len }, end) &&
		    name.ptr[0] != '.') {
			assert_true(snprintf(path, sizeof(path), "%s/%s", dir,
			    entries[i]->d_name) < (int)sizeof(path));
			fn(path, arg);
		}
		free(entries[i]);
	}
	free(entries);
}

struct str
vectors_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return STR_NONE;
	return (struct str){ json_string_value(value), json_string_length(value) };
}

struct buf
vectors_hex(struct str hex)
{
	struct buf buf = BUF_INIT;

	for (size_t i = 0; i + 1 < hex.len; i += 2) {
		char digits[3] = { hex.ptr[i], hex.ptr[i + 1], '\0' };

		buf_add_byte(&buf, (uint8_t)strtoul(digits, NULL, 16));
	}
	return buf;
}
