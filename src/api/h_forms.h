/*
 * h_forms.h - what a form says when the supervisor refuses; called by request.c.
 */
#ifndef BF_API_H_FORMS_H
#define BF_API_H_FORMS_H

#include "common/str.h"

struct request;

/* The error as a page; one about an operation that is under way leads there. */
void forms_error(struct request *request, unsigned status, struct str message,
    struct str id);

#endif
