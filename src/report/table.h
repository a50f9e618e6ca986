/*
 * A table of text cells, written as columns, tsv, csv, json or markdown.
 * Cells are copied into the arena of the table's owner.
 */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "report/report.h"

struct column {
	const char *name;
	bool right;              /* numbers stand right */
	bool number;             /* a JSON number */
	bool shrinks;            /* gives way when the terminal is narrow */
};

struct table {
	struct arena *arena;
	const struct column *columns; size_t n_columns;
	const char **cells; size_t n_cells, cap; /* row after row */
	bool failed;
};

void table_init(struct table *t, struct arena *a, const struct column *columns, size_t n);
void table_word(struct table *t, const char *word);     /* a cell of plain text, borrowed; NULL: no memory */
void table_cell(struct table *t, const char *text);            /* NULL: empty */
void table_cellf(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool table_write(const struct table *t, const struct report_options *o, struct text *out, nns_error *err);

/* "64x3x7x7", "?" for an unknown shape. */
const char *shape_cell(struct arena *a, const struct value *v);

#endif
