/*
 * exitcode.h - what an exit status says, for all executables.
 *
 * The numbers are those of sysexits(3) where one fits, so that an init system
 * and a shell script can tell "mend the configuration" from "try again".
 */
#ifndef BF_COMMON_EXITCODE_H
#define BF_COMMON_EXITCODE_H

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* the thing asked for did not succeed; the text says why */
	EXIT_USAGE = 2,		/* the command line is wrong */
	EXIT_NOT_FOUND = 3,	/* backfillctl: no such operation, DID, ... */
	EXIT_UNAVAILABLE = 69,	/* backfillctl: no daemon answers */
	EXIT_INTERNAL = 70,	/* a bug; please report it */
	EXIT_SYSTEM = 71,	/* a system call failed; may be worth another try */
	EXIT_STORE = 74,	/* the store is damaged or cannot be read */
	EXIT_BUSY = 75,		/* another instance has this state directory */
	EXIT_PROTOCOL = 76,	/* a peer process broke the protocol */
	EXIT_PERMISSION = 77,	/* a file or directory is not ours to use, or to write */
	EXIT_NO_MEMORY = 79,	/* no more can be had: a limit of the process or of the machine */
	EXIT_CONFIG = 78,	/* the configuration is wrong, or written for a newer version */
	EXIT_STOPPED = 143,	/* a worker: SIGTERM was obeyed; 128 + 15, as a shell says it */
};

#endif
