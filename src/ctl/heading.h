/*
 * heading.h - the line that says which operation it is about.
 */
#ifndef BF_CTL_HEADING_H
#define BF_CTL_HEADING_H

#include "ctl/ctl.h"

/* Append "did-sync 3kabc... did:plc:...", without a line feed. */
void heading_format(const struct op *op, const struct term *term, struct buf *to);

/* Append what an operation works on: its DID, PDS, URI, or nothing. */
void heading_format_subject(const struct op *op, struct buf *to);

/* Ask for the operation and print its heading. */
int heading_print(struct ctl *ctl, struct str id, struct err *err) BF_MUSTCHECK;

#endif
