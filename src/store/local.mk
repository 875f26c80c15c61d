# libbfstore.a: operations/ and records/ in LMDB.
noinst_LIBRARIES += libbfstore.a
libbfstore_a_SOURCES = \
	src/store/crc32c.c src/store/crc32c.h \
	src/store/backup.c src/store/backup.h \
	src/store/env.c src/store/env.h \
	src/store/keyspace.c src/store/keyspace.h \
	src/store/op_codec.c src/store/op_codec.h \
	src/store/ops.c src/store/ops.h \
	src/store/item_sets.c src/store/item_sets.h \
	src/store/ops_history.c \
	src/store/ops_index.c \
	src/store/ops_internal.h \
	src/store/ops_key.c \
	src/store/ops_list.c \
	src/store/ops_mend.c \
	src/store/ops_queue.c \
	src/store/ops_schedule.c \
	src/store/ops_verify.c \
	src/store/ops_write.c \
	src/store/readers.c \
	src/store/records.c src/store/records.h \
	src/store/records_checked.c \
	src/store/records_count.c \
	src/store/records_internal.h \
	src/store/records_rows.c \
	src/store/records_tally.c \
	src/store/records_write.c \
	src/store/store_figures.c src/store/store_figures.h \
	src/store/table.c src/store/table.h \
	src/store/txn.c

# What a program that uses the library links, in this order.
STORE_LIBS = libbfstore.a libbfop.a libbfcommon.a $(LMDB_LIBS)

STORE_TEST_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
EXTRA_DIST += t/fixtures/operations-schema-1.mdb t/unit/ops_unit.h t/unit/records_unit.h t/unit/store_unit.h \
	t/unit/tempdir.h
UNIT_TESTS += t/unit/test_crc32c \
	t/unit/test_keyspace \
	t/unit/test_lifecycle \
	t/unit/test_op_codec \
	t/unit/test_ops \
	t/unit/test_ops_group \
	t/unit/test_ops_items \
	t/unit/test_ops_list \
	t/unit/test_ops_queue \
	t/unit/test_records \
	t/unit/test_records_model \
	t/unit/test_records_rows \
	t/unit/test_store_damage \
	t/unit/test_store_faults \
	t/unit/test_store_map \
	t/unit/test_power_loss
t_unit_test_crc32c_SOURCES = t/unit/test_crc32c.c
t_unit_test_crc32c_LDADD = $(STORE_TEST_LDADD)
t_unit_test_keyspace_SOURCES = t/unit/test_keyspace.c
t_unit_test_keyspace_LDADD = $(STORE_TEST_LDADD)
t_unit_test_op_codec_SOURCES = t/unit/test_op_codec.c
t_unit_test_op_codec_LDADD = $(STORE_TEST_LDADD)
t_unit_test_ops_SOURCES = t/unit/test_ops.c
t_unit_test_ops_LDADD = $(STORE_TEST_LDADD)
t_unit_test_ops_group_SOURCES = t/unit/test_ops_group.c
t_unit_test_ops_group_LDADD = $(STORE_TEST_LDADD)
t_unit_test_ops_items_SOURCES = t/unit/test_ops_items.c
t_unit_test_ops_items_LDADD = $(STORE_TEST_LDADD)
t_unit_test_ops_list_SOURCES = t/unit/test_ops_list.c
t_unit_test_ops_list_LDADD = $(STORE_TEST_LDADD)
t_unit_test_lifecycle_SOURCES = t/unit/test_lifecycle.c
t_unit_test_lifecycle_LDADD = $(STORE_TEST_LDADD)
t_unit_test_ops_queue_SOURCES = t/unit/test_ops_queue.c
t_unit_test_ops_queue_LDADD = $(STORE_TEST_LDADD)
t_unit_test_records_SOURCES = t/unit/test_records.c
t_unit_test_records_LDADD = $(STORE_TEST_LDADD)
t_unit_test_records_model_SOURCES = t/unit/test_records_model.c
t_unit_test_records_model_LDADD = $(STORE_TEST_LDADD)
t_unit_test_records_rows_SOURCES = t/unit/test_records_rows.c
t_unit_test_records_rows_LDADD = $(STORE_TEST_LDADD)
t_unit_test_store_faults_SOURCES = t/unit/test_store_faults.c
t_unit_test_store_faults_LDADD = $(STORE_TEST_LDADD)
t_unit_test_store_damage_SOURCES = t/unit/test_store_damage.c
t_unit_test_store_damage_LDADD = $(STORE_TEST_LDADD)
t_unit_test_store_map_SOURCES = t/unit/test_store_map.c
t_unit_test_store_map_LDADD = $(STORE_TEST_LDADD)
t_unit_test_power_loss_SOURCES = t/unit/test_power_loss.c \
	t/unit/disk_recorder.c t/unit/disk_recorder.h
t_unit_test_power_loss_LDADD = $(STORE_TEST_LDADD)
