/* Draws a drawing: DOT text by our own writer, everything else through libgvc. */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include "base/text.h"
#include "view/drawing.h"

/* The DOT text, as python-graphviz writes it: a tab, then a statement a line; boxes are n0, n1, ... */
bool render_dot(const struct drawing *d, struct text *out, nns_error *err);

/*
 * format: "pdf", "svg", "png", "dot", "gv".  The bytes are the same for the same
 * drawing, every time and on every machine with the same Graphviz.
 */
bool render(const struct drawing *d, const char *format, struct text *out, nns_error *err);

/* The format as render() knows it, whatever its case; NULL, with an error, when it does not. */
const char *render_known(const char *format, nns_error *err);
/* Whether a format, which is known, is text: what render() makes of others is render_picture() of that, for which it needs nothing else. */
bool render_is_text(const char *format);
bool render_picture(const char *dot, const char *format, struct text *out, nns_error *err);

/* "pdf" for "a/b.PDF"; NULL when the suffix is none that render() knows. */
const char *render_format_of(const char *path);
/* Known formats, NULL at the end. */
extern const char *const render_formats[];

#endif
