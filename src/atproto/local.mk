noinst_LIBRARIES += libbfatproto.a
libbfatproto_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SECP256K1_CFLAGS) $(CRYPTO_CFLAGS)
libbfatproto_a_SOURCES = \
	src/atproto/ascii.h \
	src/atproto/aturi.c src/atproto/aturi.h \
	src/atproto/basex.c src/atproto/basex.h \
	src/atproto/blocks.c src/atproto/blocks.h \
	src/atproto/car.c src/atproto/car.h \
	src/atproto/cid.c src/atproto/cid.h \
	src/atproto/commit.c src/atproto/commit.h \
	src/atproto/dagcbor.c src/atproto/dagcbor.h \
	src/atproto/dagcbor_from_json.c \
	src/atproto/dagcbor_json.c src/atproto/dagcbor_json.h \
	src/atproto/dagcbor_write.c src/atproto/dagcbor_write.h \
	src/atproto/datetime.c src/atproto/datetime.h \
	src/atproto/did.c src/atproto/did.h \
	src/atproto/diddoc.c src/atproto/diddoc.h \
	src/atproto/diff.c src/atproto/diff.h \
	src/atproto/fault.c src/atproto/fault.h src/atproto/fault.def \
	src/atproto/filter.c src/atproto/filter.h \
	src/atproto/firehose.c src/atproto/firehose.h \
	src/atproto/handle.c src/atproto/handle.h \
	src/atproto/jwt.c src/atproto/jwt.h \
	src/atproto/key.c src/atproto/key.h \
	src/atproto/keypair.c src/atproto/keypair.h \
	src/atproto/mst.c src/atproto/mst.h \
	src/atproto/mst_build.c src/atproto/mst_build.h \
	src/atproto/mst_edit.c src/atproto/mst_edit.h src/atproto/mst_edit_impl.h \
	src/atproto/mst_edit_node.c \
	src/atproto/nsid.c src/atproto/nsid.h \
	src/atproto/proof.c src/atproto/proof.h \
	src/atproto/repo.c src/atproto/repo.h \
	src/atproto/repo_check.c src/atproto/repo_internal.h \
	src/atproto/repo_walk.c \
	src/atproto/rkey.c src/atproto/rkey.h \
	src/atproto/sha256.c src/atproto/sha256.h \
	src/atproto/spool.c src/atproto/spool.h \
	src/atproto/tree.c src/atproto/tree.h \
	src/atproto/varint.c src/atproto/varint.h

# What a program that uses the library links, in this order.
ATPROTO_LIBS = libbfatproto.a libbfcommon.a $(JANSSON_LIBS) $(SECP256K1_LIBS) $(CRYPTO_LIBS)

ATPROTO_TEST_SOURCES = t/unit/unit.h t/unit/maker.c t/unit/maker.h t/unit/vectors.c \
	t/unit/vectors.h
ATPROTO_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) -DUNIT_SRCDIR='"$(abs_top_srcdir)"'
ATPROTO_TEST_LDADD = $(ATPROTO_LIBS) $(UNIT_LIBS)
REPO_RIG = t/unit/repo_rig.c t/unit/repo_rig.h
NODE_SET = t/unit/node_set.c t/unit/node_set.h
EVENT_MAKER = t/unit/event_maker.c t/unit/event_maker.h $(NODE_SET)

UNIT_TESTS += t/unit/test_syntax
t_unit_test_syntax_SOURCES = t/unit/test_syntax.c $(ATPROTO_TEST_SOURCES)
t_unit_test_syntax_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_syntax_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_jwt
t_unit_test_jwt_SOURCES = t/unit/test_jwt.c $(ATPROTO_TEST_SOURCES)
t_unit_test_jwt_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_jwt_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_basex
t_unit_test_basex_SOURCES = t/unit/test_basex.c $(ATPROTO_TEST_SOURCES)
t_unit_test_basex_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_basex_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_dagcbor
t_unit_test_dagcbor_SOURCES = t/unit/test_dagcbor.c $(ATPROTO_TEST_SOURCES)
t_unit_test_dagcbor_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_dagcbor_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_dagcbor_json
t_unit_test_dagcbor_json_SOURCES = t/unit/test_dagcbor_json.c $(ATPROTO_TEST_SOURCES)
t_unit_test_dagcbor_json_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_dagcbor_json_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_key
t_unit_test_key_SOURCES = t/unit/test_key.c $(ATPROTO_TEST_SOURCES)
t_unit_test_key_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_key_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_commit
t_unit_test_commit_SOURCES = t/unit/test_commit.c $(REPO_RIG) $(ATPROTO_TEST_SOURCES)
t_unit_test_commit_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_commit_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_mst
t_unit_test_mst_SOURCES = t/unit/test_mst.c $(ATPROTO_TEST_SOURCES)
t_unit_test_mst_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_mst_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_repo
t_unit_test_repo_SOURCES = t/unit/test_repo.c $(REPO_RIG) $(ATPROTO_TEST_SOURCES)
t_unit_test_repo_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_repo_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_repo_vectors
t_unit_test_repo_vectors_SOURCES = t/unit/test_repo_vectors.c $(REPO_RIG) $(ATPROTO_TEST_SOURCES)
t_unit_test_repo_vectors_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_repo_vectors_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_diff
t_unit_test_diff_SOURCES = t/unit/test_diff.c $(ATPROTO_TEST_SOURCES)
t_unit_test_diff_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_diff_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_fault
t_unit_test_fault_SOURCES = t/unit/test_fault.c t/unit/fault_firehose.c t/unit/fault_trees.c \
	t/unit/fault_expect.h $(EVENT_MAKER) $(ATPROTO_TEST_SOURCES)
t_unit_test_fault_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_fault_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_firehose
t_unit_test_firehose_SOURCES = t/unit/test_firehose.c $(EVENT_MAKER) $(ATPROTO_TEST_SOURCES)
t_unit_test_firehose_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_firehose_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_mst_edit
t_unit_test_mst_edit_SOURCES = t/unit/test_mst_edit.c $(NODE_SET) $(ATPROTO_TEST_SOURCES)
t_unit_test_mst_edit_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_mst_edit_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_proof
t_unit_test_proof_SOURCES = t/unit/test_proof.c $(EVENT_MAKER) $(ATPROTO_TEST_SOURCES)
t_unit_test_proof_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_proof_LDADD = $(ATPROTO_TEST_LDADD)

UNIT_TESTS += t/unit/test_mutants
t_unit_test_mutants_SOURCES = t/unit/test_mutants.c $(ATPROTO_TEST_SOURCES)
t_unit_test_mutants_CPPFLAGS = $(ATPROTO_TEST_CPPFLAGS)
t_unit_test_mutants_LDADD = $(ATPROTO_TEST_LDADD)

EXTRA_DIST += t/10-repo-file.t t/net/reference.mjs
