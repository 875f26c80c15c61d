/*
 * make-repo N [SEED] > FILE.car - a signed repository of N realistic records, its
 * blocks in the order in which the reference PDS sends them.  The DID and the key
 * to verify it with are told on standard error.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/exitcode.h"
#include "t/unit/maker.h"

int
main(int argc, char **argv)
{
	struct maker *maker;
	struct keypair *pair;
	struct key key;
	struct buf car = BUF_INIT, text = BUF_INIT;
	uint64_t n, seed = 1;
	size_t written;

	if (argc < 2 || argc > 3 || str_to_u64(str_from(argv[1]), &n) < 0 ||
	    (argc == 3 && str_to_u64(str_from(argv[2]), &seed) < 0)) {
		fputs("usage: make-repo RECORDS [SEED] > FILE.car\n", stderr);
		return EXIT_USAGE;
	}
	maker = maker_new();
	pair = maker_keypair(KEY_K256);
	maker_add_samples(maker, n, seed);
	maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair, MAKER_CID_ORDER, &car);
	written = fwrite(buf_data(&car), 1, buf_len(&car), stdout);
	key = keypair_public(pair);
	key_format_did_key(&key, &text);
	fprintf(stderr, "%s %.*s\n", MAKER_DID, STR_FMT(buf_str(&text)));
	if (written != buf_len(&car) || fflush(stdout) != 0) {
		perror("make-repo: standard output");
		return EXIT_SYSTEM;
	}
	maker_free(&maker);
	keypair_free(&pair);
	buf_clear(&car);
	buf_clear(&text);
	return EXIT_OK;
}
