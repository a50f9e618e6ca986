/* The command line: commands and options are rows; the only part that prints or exits. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "nnscope/nnscope.h"

enum { EXIT_OK = 0, EXIT_WRONG_MODEL = 1, EXIT_WRONG_USAGE = 2, EXIT_STOPPED = 130 /* as of a process that SIGINT ended */ };

struct list {
	const char **items;
	size_t n;
};

/* What options set; operands are what is left. */
struct options {
	const char *expr, *program, *torch, *mode, *format, *view, *direction, *output, *columns, *rows, *width_text, *depth_text, *chars_text, *colour;
	const char *seed_text, *weights, *weights_strict, *inputs_file, *expect, *rtol_text, *atol_text, *save, *save_weights, *threads_text, *memory_text,
		*repeat_text;
	int width, depth, max_attr_chars;
	const char *executor, *precision, *show;
	bool deterministic, compare, profile, run;
	bool initialise, no_check, show_attrs, show_saved, open, timing, help;
	struct list set, classes, inputs, operands;
	double started;
};

struct command {
	const char *name;
	const char *summary;         /* one line of `nnscope help` */
	const char *operands;        /* "FILE", "FILE EXPRESSION..." */
	const char *options;         /* names of options, blanks between them */
	const char *details;         /* paragraphs of --help, may be NULL */
	const char *example;
	int (*run)(const struct options *o);
};
extern const struct command commands[];     /* ends with a NULL name */

struct option_row {
	const char *name;            /* "format" */
	char letter;                 /* 'o', 0 when there is none */
	const char *argument;        /* "FORMAT", NULL: a switch */
	const char *help;
	size_t offset;               /* into struct options */
	enum { OPTION_SWITCH, OPTION_TEXT, OPTION_LIST } kind;
};
extern const struct option_row option_rows[]; /* ends with a NULL name */

/* Reads argv after the command.  False: an error has been printed. */
bool options_parse(const struct command *c, int argc, char **argv, struct options *o);
void options_release(struct options *o);
/* --depth as the library takes it: 0 when it is not given, -1 when it is 0. */
int depth_given(const struct options *o);
bool command_takes(const struct command *c, const char *option);

/* Prints "nnscope: message" and returns the exit status that fits the error. */
int complain(const nns_error *err);
int complain_usage(const char *fmt, ...);
/* "nnscope: message" to standard error, on one line. */
void say(const char *fmt, ...);
/* A line; control characters, which terminals obey, as \x1b. */
void put_visible(FILE *to, const char *text);

/* The model that the options and the first operand name, with --set applied; NULL: an error has been printed and *status set. */
nns_model *open_model(const struct options *o, size_t *used, int *status);
/* flags: those of nns_trace(), unless --mode says otherwise */
nns_graph *trace_model(nns_model *m, const struct options *o, unsigned flags, int *status);

/* Writes text to standard output; the status. */
int put(const char *text);

double now_ms(void);

/*
 * files.c.  Before any work: no file that is written (output, which may be NULL, --save, --save-weights) is another one of the
 * command line, and each can be written.  False, or a status: an error has been printed.
 */
bool files_apart(const struct options *o, const char *output);
int files_writable(const struct options *o, const char *output);

/* progress.c: a bar on standard error once a run takes more than a second, when that is a terminal; Ctrl-C stops the run. */
struct progress {
	bool terminal, shown;
	double began, drawn;         /* ms */
};
void progress_begin(struct progress *p, nns_run_options *r);
/* Whether Ctrl-C came, in time for the work to be stopped or not. */
bool progress_end(struct progress *p);

int run_tree(const struct options *o);
int run_params(const struct options *o);
int run_shapes(const struct options *o);
int run_summary(const struct options *o);
int run_flops(const struct options *o);
int run_diff(const struct options *o);
int run_graph(const struct options *o);
int run_weights_command(const struct options *o);
int run_run(const struct options *o);
/* Runs the model before it is drawn: the report goes to standard error.  NULL: an error has been printed and *status set. */
nns_plan *run_before(const struct options *o, nns_model *m, unsigned flags, int *status);
int run_get(const struct options *o);
int run_check(const struct options *o);
int run_audit(const struct options *o);
int run_code(const struct options *o);
int run_ops(const struct options *o);
int run_classes(const struct options *o);
int run_help(const struct options *o);
int run_version(const struct options *o);
int run_overview(const struct options *o);

void print_command_help(const struct command *c);

#endif
