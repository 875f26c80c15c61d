# A network in one process, with faults on demand, for t/3*.t and bench/pds-scan.
check_PROGRAMS += t/peer/fake-peer
t_peer_fake_peer_SOURCES = t/peer/fake_peer.c t/peer/peer.h t/peer/peer_answer.c \
	t/peer/peer_fault.c t/peer/peer_http.c t/peer/peer_world.c \
	t/unit/maker.c t/unit/maker.h
t_peer_fake_peer_LDADD = $(ATPROTO_LIBS) $(EV_LIBS) -lz

# TLS in front of one of its ports.
check_PROGRAMS += t/peer/tls-front
t_peer_tls_front_SOURCES = t/peer/tls_front.c t/unit/tls_context.c t/unit/tls_context.h \
	t/unit/tls_front.c t/unit/tls_front.h
t_peer_tls_front_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
t_peer_tls_front_LDADD = libbfcommon.a -lssl -lcrypto
