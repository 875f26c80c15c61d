/*
 * conffile.h - the configuration file, read with libconfuse.
 *
 * Its grammar comes from settings.def; what the values mean is checked by
 * settings_set() and here where two settings have to agree.
 */
#ifndef BF_SUPERVISOR_CONFFILE_H
#define BF_SUPERVISOR_CONFFILE_H

#include "common/settings.h"

struct schedules;

/*
 * Read the file into settings, which the caller has initialised, and its schedules;
 * what the file does not name keeps its value.  On failure neither is to be used;
 * the text is "FILE:LINE: what".  admin_password_file and
 * opensearch_credentials_file are read too: the first line of each becomes the
 * setting without "_file".
 */
int conffile_read(const char *path, struct settings *settings,
    struct schedules *schedules, struct err *err) BF_MUSTCHECK;

#endif
