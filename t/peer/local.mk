# A network in one process, with faults on demand, for t/3*.t and bench/pds-scan.
check_PROGRAMS += t/peer/fake-peer
t_peer_fake_peer_SOURCES = t/peer/fake_peer.c t/peer/peer.h t/peer/peer_answer.c \
	t/peer/peer_fault.c t/peer/peer_http.c t/peer/peer_world.c \
	t/unit/maker.c t/unit/maker.h
t_peer_fake_peer_LDADD = $(ATPROTO_LIBS) $(EV_LIBS) -lz
