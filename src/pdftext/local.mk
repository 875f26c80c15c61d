# pdf-text: the helper of citation-extraction that becomes a locked-up pdftotext.
pkglibexec_PROGRAMS += pdf-text
pdf_text_SOURCES = src/pdftext/main.c src/pdftext/pdftext.h
pdf_text_LDADD = $(SANDBOX_LIBS) libbfcommon.a

# A pdftotext that misbehaves on demand.  Without sanitizers, whose address space
# is over any limit and who read /proc.
check_PROGRAMS += t/workers/pdf-probe
t_workers_pdf_probe_SOURCES = t/workers/pdf_probe.c
t_workers_pdf_probe_CFLAGS = -std=gnu11 -O1 -Wall -Wextra
t_workers_pdf_probe_LDFLAGS = -no-pie

EXTRA_DIST += t/34-pdf-sandbox.t
