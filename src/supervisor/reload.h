/*
 * reload.h - SIGHUP: read the configuration file again, all or nothing.
 */
#ifndef BF_SUPERVISOR_RELOAD_H
#define BF_SUPERVISOR_RELOAD_H

#include "supervisor/supervisor.h"

/*
 * On any error the old settings stay and one line says why.  Settings that need
 * a restart keep their value, with a line that names them.  Workers that run
 * keep what they were given.
 */
void reload(struct supervisor *sup);

#endif
