#include "api/head_read.h"

#include "api/head_layout.h"

struct header_sink {
	struct head *head;
	struct head_layout layout;
	struct err *err;		/* written if has_failed */
	bool has_failed;
};

static enum MHD_Result
on_header(void *arg, enum MHD_ValueKind kind BF_UNUSED, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
	struct header_sink *sink = arg;

	head_layout_line(&sink->layout, name, value, value_len);
	if (head_add(sink->head, (struct str){ name, name_len },
	    (struct str){ value, value_len }, sink->err) == -1) {
		sink->has_failed = true;
		return MHD_NO;
	}
	return MHD_YES;
}

int
head_read(struct MHD_Connection *mhd, const char *target, size_t target_len,
    const char *version, struct head *head, struct err *err)
{
	struct header_sink sink = { .head = head, .err = err };

	head_layout_init(&sink.layout, target, target_len, version);
	(void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header,
	    &sink);
	head_layout_end(&sink.layout);
	if (sink.has_failed)
		return -1;
#if MHD_VERSION < 0x00097701
	if (sink.layout.is_odd)
		return err_set(err, ERR_INVALID, "a line does not end in CRLF, "
		    "is folded, or has a NUL");
#endif
	return head_check(sink.head, err);
}
