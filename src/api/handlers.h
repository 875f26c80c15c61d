/*
 * handlers.h - the handlers that route.c lists; one h_*.c file per subject.
 */
#ifndef BF_API_HANDLERS_H
#define BF_API_HANDLERS_H

#include "api/route.h"

/* h_status.c */
route_params h_status_params, h_history_params;
route_handler h_status, h_history;

/* h_search.c */
route_params h_search_params;
route_handler h_search;

/* h_events.c, h_metrics.c */
route_handler h_events, h_metrics;

/* h_home.c, h_operation.c, h_session.c, h_forms.c, h_asset.c: the dashboard */
route_handler h_home, h_operation, h_login, h_session_start, h_session_end;
route_handler h_start, h_cancel_form, h_pause_form, h_resume_form, h_asset;

/* h_trigger.c */
route_handler h_trigger, h_trigger_type;

/* h_cancel.c */
route_handler h_cancel;

/* h_pause.c */
route_handler h_pause, h_resume;

/* h_health.c */
route_handler h_health, h_livez, h_readyz;

/* h_atbb.c */
route_handler h_atbb_start, h_atbb_show, h_atbb_errors;

/* h_did.c */
route_handler h_did_document;

#endif
