/*
 * scan_file.h - a scan's source: DIDs in a file of the operator's, one a line.
 *
 * Blanks around a DID, empty lines and those that begin with '#' are passed over.  A
 * line that is no DID is a failed item; a file that cannot be read cuts the source.
 */
#ifndef BF_WORKERS_SCAN_FILE_H
#define BF_WORKERS_SCAN_FILE_H

#include "workers/scan.h"

/* path is borrowed for the scan.  take() and drop() as in struct scan_source_type, for
 * each DID. */
void scan_file_add(struct scan *scan, const char *name, const char *path,
    void (*take)(struct scan_entry *entry), void (*drop)(struct scan_entry *entry));

#endif
