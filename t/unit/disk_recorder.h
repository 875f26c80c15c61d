/*
 * disk_recorder.h - what a process writes to one file, in order, and what of it could
 * be there after the power had failed at any moment.
 *
 * A program that links this has its own pwrite(), writev(), fdatasync() and fsync(),
 * which LMDB then calls, too.  They do what libc's do, and remember.  The disk is taken
 * to be a bad one: of what was written since the last sync any part may be there, in
 * any order, and of one write any of its sectors.
 */
#ifndef BF_T_DISK_RECORDER_H
#define BF_T_DISK_RECORDER_H

#include <stddef.h>
#include <stdint.h>

/* Begin anew, for the file of this name, which may not be there yet.  Borrowed. */
void disk_record(const char *path);
void disk_record_end(void);		/* no more is recorded; what was can be used */
void disk_record_forget(void);

/* From here on this many steps are acknowledged. */
void disk_record_ack(unsigned steps);

size_t disk_recorded(void);		/* moments at which the power can fail */

enum disk_trust {
	DISK_SYNCS,			/* fdatasync() and O_DSYNC do what they say */
	DISK_NO_FDATASYNC,		/* the program does not call it, or the disk lies */
	DISK_NO_DSYNC,			/* the same of O_DSYNC */
};

/* How much of what was not synced is there. */
enum disk_rest { DISK_NONE, DISK_ALL, DISK_SOME, DISK_SOME_TORN, DISK_REST_COUNT };

/* Write the file as it may be after a power failure at that moment.  Returns how many
 * steps had been acknowledged. */
unsigned disk_image(size_t moment, enum disk_trust trust, enum disk_rest rest,
    const char *path);

#endif
