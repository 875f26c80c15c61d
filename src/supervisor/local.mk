sbin_PROGRAMS += backfilld
# All but main.c and what starts processes, which fuzz/supervisor has its own of.
SUPERVISOR_SOURCES = \
	src/supervisor/activation.c src/supervisor/activation.h \
	src/supervisor/api_link.c src/supervisor/api_link.h \
	src/supervisor/assign.c src/supervisor/assign.h \
	src/supervisor/audit.c src/supervisor/audit.h \
	src/supervisor/cgroup.c src/supervisor/cgroup.h \
	src/supervisor/child.c src/supervisor/child.h \
	src/supervisor/child_end.c \
	src/supervisor/child_start.c \
	src/supervisor/contain.c src/supervisor/contain.h \
	src/supervisor/conf_schedule.c src/supervisor/conf_schedule.h \
	src/supervisor/conffile.c src/supervisor/conffile.h \
	src/supervisor/control.c src/supervisor/control.h \
	src/supervisor/control_impl.h \
	src/supervisor/control_wait.c \
	src/supervisor/daemon_status.c \
	src/supervisor/handover.c src/supervisor/handover.h \
	src/supervisor/doctor.c src/supervisor/doctor.h \
	src/supervisor/heartbeat.c src/supervisor/heartbeat.h \
	src/supervisor/handshake.c src/supervisor/handshake.h \
	src/supervisor/indexer_link.c src/supervisor/indexer_link.h \
	src/supervisor/leftovers.c src/supervisor/leftovers.h \
	src/supervisor/notify.c src/supervisor/notify.h \
	src/supervisor/notes.c src/supervisor/notes.h \
	src/supervisor/on_client.c src/supervisor/on_client.h \
	src/supervisor/on_worker.c src/supervisor/on_worker.h \
	src/supervisor/opctl.c src/supervisor/opctl.h \
	src/supervisor/options.c src/supervisor/options.h \
	src/supervisor/orphans.c src/supervisor/orphans.h \
	src/supervisor/outcome.c src/supervisor/outcome.h \
	src/supervisor/pause.c src/supervisor/pause.h \
	src/supervisor/progress.c src/supervisor/progress.h \
	src/supervisor/pulse.c src/supervisor/pulse.h \
	src/supervisor/queue.c src/supervisor/queue.h \
	src/supervisor/reap.c src/supervisor/reap.h \
	src/supervisor/recover.c src/supervisor/recover.h \
	src/supervisor/reload.c src/supervisor/reload.h \
	src/supervisor/retry.c src/supervisor/retry.h \
	src/supervisor/resolver_link.c src/supervisor/resolver_link.h \
	src/supervisor/schedule.c src/supervisor/schedule.h \
	src/supervisor/schedule_rule.c src/supervisor/schedule_rule.h \
	src/supervisor/service.c src/supervisor/service.h \
	src/supervisor/shutdown.c src/supervisor/shutdown.h \
	src/supervisor/spawn.h \
	src/supervisor/store_tool.c src/supervisor/store_tool.h \
	src/supervisor/store_watch.c src/supervisor/store_watch.h \
	src/supervisor/supervisor.c src/supervisor/supervisor.h \
	src/supervisor/time_limit.c src/supervisor/time_limit.h \
	src/supervisor/trigger.c \
	src/supervisor/type_limit.c src/supervisor/type_limit.h \
	src/supervisor/upgrade.c src/supervisor/upgrade.h \
	src/supervisor/upgrade_adopt.c \
	src/supervisor/upgrade_write.c
SUPERVISOR_LIBS = libbfrows.a libbfstore.a libbfproto.a libbfop.a libbfcommon.a \
	$(CONFUSE_LIBS) $(LMDB_LIBS) $(EV_LIBS)
backfilld_SOURCES = $(SUPERVISOR_SOURCES) src/supervisor/main.c src/supervisor/spawn.c
backfilld_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
backfilld_LDADD = $(SUPERVISOR_LIBS)

UNIT_TESTS += t/unit/test_outcome
t_unit_test_outcome_SOURCES = t/unit/test_outcome.c \
	src/supervisor/outcome.c src/supervisor/outcome.h \
	src/supervisor/pulse.c src/supervisor/pulse.h
t_unit_test_outcome_LDADD = libbfop.a $(UNIT_LDADD_COMMON)

UNIT_TESTS += t/unit/test_spawn
t_unit_test_spawn_SOURCES = t/unit/test_spawn.c \
	src/supervisor/spawn.c src/supervisor/spawn.h
t_unit_test_spawn_LDADD = $(UNIT_LDADD_COMMON)

# It has cgroup.c in it.
UNIT_TESTS += t/unit/test_cgroup
t_unit_test_cgroup_SOURCES = t/unit/test_cgroup.c src/supervisor/cgroup.h \
	t/unit/tempdir.h
t_unit_test_cgroup_LDADD = $(UNIT_LDADD_COMMON)

UNIT_TESTS += t/unit/test_schedule_rule
t_unit_test_schedule_rule_SOURCES = t/unit/test_schedule_rule.c \
	src/supervisor/schedule_rule.c src/supervisor/schedule_rule.h \
	src/supervisor/type_limit.c src/supervisor/type_limit.h
t_unit_test_schedule_rule_LDADD = libbfop.a $(UNIT_LDADD_COMMON)

EXTRA_DIST += t/29-retry.t t/70-pause.t t/71-schedules.t t/72-hung-workers.t t/73-cgroups.t \
	t/72-wedged-services.t \
	t/73-upgrade.t t/74-init.t t/75-store-safety.t
