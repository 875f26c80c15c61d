# backfilld.conf is installed where there is none yet, and taken away again only
# if nobody has changed it.  The systemd unit is installed with this prefix's
# paths; what other init systems need is there as examples.
EXTRA_DIST += etc/backfilld.conf etc/systemd/backfilld.service.in

systemdsystemunitdir = $(prefix)/lib/systemd/system
nodist_systemdsystemunit_DATA = etc/systemd/backfilld.service
CLEANFILES += etc/systemd/backfilld.service

etc/systemd/backfilld.service: etc/systemd/backfilld.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc/systemd && \
	sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		'$(srcdir)/etc/systemd/backfilld.service.in' > $@.tmp && mv $@.tmp $@

examplesdir = $(docdir)/examples
nobase_dist_examples_DATA = \
	etc/runit/run etc/runit/log/run \
	etc/s6/run etc/s6/log/run \
	etc/sysvinit/backfilld \
	etc/systemd/backfilld.socket \
	etc/grafana/backfilld.json \
	etc/prometheus/backfilld.rules.yml

install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)'
	test -e '$(DESTDIR)$(sysconfdir)/backfilld.conf' || \
		$(INSTALL_DATA) '$(srcdir)/etc/backfilld.conf' '$(DESTDIR)$(sysconfdir)/backfilld.conf'

uninstall-hook:
	! cmp -s '$(srcdir)/etc/backfilld.conf' '$(DESTDIR)$(sysconfdir)/backfilld.conf' || \
		rm -f '$(DESTDIR)$(sysconfdir)/backfilld.conf'
