/*
 * cmd_repo.h - `backfillctl repo verify|ls|export`: look into a repository's CAR
 * file without a daemon, in the same bounded memory as a worker.
 */
#ifndef BF_CTL_CMD_REPO_H
#define BF_CTL_CMD_REPO_H

/*
 * argv[0] is "repo".  Returns the exit status: EXIT_OK, EXIT_FAILED for a
 * repository that is not valid, EXIT_USAGE, EXIT_SYSTEM if a file cannot be read.
 */
int cmd_repo(int argc, char **argv);

#endif
