dist_man_MANS += man/backfilld.8 man/backfilld.conf.5 man/backfillctl.8 man/backfill-worker.7
