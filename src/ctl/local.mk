# backfillctl, and its parts that do no I/O as a library for the unit tests.
noinst_LIBRARIES += libbfctl.a
libbfctl_a_SOURCES = \
	src/ctl/args.c src/ctl/args.h \
	src/ctl/bar.c src/ctl/bar.h \
	src/ctl/graph_print.c src/ctl/graph_print.h \
	src/ctl/graph_view.c src/ctl/graph_view.h \
	src/ctl/outcome.c src/ctl/outcome.h \
	src/ctl/start.c src/ctl/start.h \
	src/ctl/suggest.c src/ctl/suggest.h \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/term.c src/ctl/term.h \
	src/ctl/text.c src/ctl/text.h

bin_PROGRAMS += backfillctl
backfillctl_SOURCES = \
	src/ctl/cmd_backup.c \
	src/ctl/cmd_cancel.c \
	src/ctl/cmd_citations.c \
	src/ctl/cmd_graph.c \
	src/ctl/cmd_hash_password.c \
	src/ctl/cmd_doctor.c \
	src/ctl/cmd_help.c \
	src/ctl/cmd_index.c \
	src/ctl/cmd_list.c \
	src/ctl/cmd_pause.c \
	src/ctl/cmd_records.c \
	src/ctl/cmd_repo.c src/ctl/cmd_repo.h \
	src/ctl/cmd_repos.c \
	src/ctl/cmd_retry.c \
	src/ctl/cmd_schedules.c \
	src/ctl/cmd_search.c \
	src/ctl/cmd_show.c \
	src/ctl/cmd_status.c \
	src/ctl/cmd_trigger.c \
	src/ctl/cmd_upgrade.c \
	src/ctl/cmd_watch.c \
	src/ctl/command.c src/ctl/command.h \
	src/ctl/ctl.c src/ctl/ctl.h \
	src/ctl/follow.c src/ctl/follow.h \
	src/ctl/heading.c src/ctl/heading.h \
	src/ctl/index_query.c src/ctl/index_query.h \
	src/ctl/main.c \
	src/ctl/repo_print.c src/ctl/repo_print.h \
	src/ctl/repo_session.c src/ctl/repo_session.h
backfillctl_LDADD = libbfctl.a libbfproto.a libbfop.a libbfrows.a $(SEARCH_LIBS) $(LIBCRYPT_LIBS)

UNIT_TESTS += t/unit/test_ctl_bar t/unit/test_ctl_human
t_unit_test_ctl_bar_SOURCES = t/unit/test_ctl_bar.c
t_unit_test_ctl_bar_LDADD = libbfctl.a libbfop.a $(UNIT_LDADD_COMMON)
t_unit_test_ctl_human_SOURCES = t/unit/test_ctl_human.c
t_unit_test_ctl_human_LDADD = libbfctl.a libbfop.a $(UNIT_LDADD_COMMON)

EXTRA_DIST += t/50-ctl-commands.t t/51-ctl-config-file.t t/52-protocol-doc.t t/53-ctl-records.t \
	t/lib/Backfilld/FakeSupervisor.pm t/lib/Backfilld/Frames.pm
