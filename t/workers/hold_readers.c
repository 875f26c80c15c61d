/*
 * hold-readers - begins snapshots of a store of operations and keeps them.
 *
 *	hold-readers DIR COUNT
 *
 * So many, or all that the table of readers has room for.  Says "holds N" on standard
 * output, and ends, without giving them back, when its standard input does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/ops.h"

int
main(int argc, char **argv)
{
	struct ops_read *read_txn;
	struct ops *ops;
	struct err err;
	unsigned long count = 0, most;
	char byte;

	if (argc != 3)
		return 2;
	most = strtoul(argv[2], NULL, 10);
	if (ops_open(argv[1], OPS_READ, &ops, &err) == -1) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	while (count < most && ops_read_begin(ops, &read_txn, &err) == 0)
		count++;
	(void)printf("holds %lu\n", count);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	_exit(0);
}
