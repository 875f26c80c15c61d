/*
 * item_class.h - the word under which a repository that could not be done is listed.
 *
 * What can go wrong with one has many names (fetch_error.h, fault.def, the
 * indexer's); an operation over thousands is read by few.  The text beside the word
 * keeps the detail.  Pure.
 */
#ifndef BF_WORKERS_ITEM_CLASS_H
#define BF_WORKERS_ITEM_CLASS_H

/* "rate-limited", "unreachable", "timeout", "gone", "deactivated", "invalid",
 * "too-large", "blocked", "refused", "busy", "no-server" or "index"; a word that has
 * no row here stays as it is. */
const char *item_class_of(const char *error_class);

#endif
