/*
 * leftovers.h - what an operation that has ended would leave on the disk.
 *
 * While it may go on, what its worker has made is kept for the next attempt.  Once it is
 * completed, failed or cancelled, nobody needs it; a worker that was killed could not
 * remove it, and one that was taken over would not.
 */
#ifndef BF_SUPERVISOR_LEFTOVERS_H
#define BF_SUPERVISOR_LEFTOVERS_H

struct supervisor;

/*
 * Remove the files of this operation, of whatever type: those of a search index that is
 * not complete.  Their names are made of its id here, their directory is ours or the
 * workers', and nothing in either is looked at.  What cannot be removed is logged.
 */
void leftovers_remove(const struct supervisor *sup, const char *id);

#endif
