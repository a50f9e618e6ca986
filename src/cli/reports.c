/* Commands that print what the library reports: tables, differences, expressions, audits and code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

static int terminal_width(void)
{
	struct winsize w;
	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

static bool use_colour(const struct options *o)
{
	const char *no = getenv("NO_COLOR");
	if (o->colour && strcmp(o->colour, "auto") != 0)
		return strcmp(o->colour, "always") == 0;
	return isatty(STDOUT_FILENO) && !(no && *no);
}

static int report(const struct options *o, const char *what, bool traced)
{
	nns_report_options r = { .format = o->format, .width = o->width >= 0 ? o->width : terminal_width(), .colour = use_colour(o),
		.depth = depth_given(o), .columns = o->columns, .rows = o->rows };
	nns_error err = { 0 };
	nns_graph *g = NULL;
	size_t used;
	int status = EXIT_OK;
	nns_model *m = open_model(o, &used, &status);
	if (!m)
		return status;
	if (o->operands.n > used)
		status = complain_usage("%s takes one model; what is '%s'?", what, o->operands.items[used]);
	else if (!traced || (g = trace_model(m, o, NNS_NO_GRAD, &status))) {
		char *text = nns_report(m, g, what, &r, &err);
		status = text ? put(text) : complain(&err);
		free(text);
	}
	nns_model_free(m);
	return status;
}

int run_tree(const struct options *o) { return report(o, "tree", false); }
int run_params(const struct options *o) { return report(o, "params", false); }
int run_shapes(const struct options *o) { return report(o, "shapes", true); }
int run_summary(const struct options *o) { return report(o, "summary", true); }
int run_flops(const struct options *o) { return report(o, "flops", true); }

/* ---- diff ---- */

/* The graph of a model that has inputs, NULL for one without; false: an error has been printed. */
static bool try_trace(nns_model *m, const struct options *o, nns_graph **out, int *status)
{
	nns_error err = { 0 };
	unsigned flags = o->mode && strcmp(o->mode, "train") == 0 ? NNS_TRAIN | NNS_NO_GRAD : NNS_NO_GRAD;
	*out = nns_trace(m, flags, o->inputs.items, o->inputs.n, &err);
	if (!*out && (o->inputs.n || (err.code != NNS_UNSUPPORTED && err.hint != NNS_HINT_INPUT)))
		*status = complain(&err);
	return *status == EXIT_OK;
}

static int compare(const struct options *o, nns_model *a, nns_model *b)
{
	nns_report_options r = { .format = o->format, .width = o->width >= 0 ? o->width : terminal_width(), .colour = use_colour(o) };
	nns_error err = { 0 };
	bool differ = false;
	int status = EXIT_OK;
	nns_graph *ga = NULL, *gb = NULL;
	if (!try_trace(a, o, &ga, &status) || (ga && !try_trace(b, o, &gb, &status)))
		return status;
	char *text = nns_diff(a, gb ? ga : NULL, b, gb, &r, &differ, &err);
	status = text ? put(text) : complain(&err);
	free(text);
	return status ? status : differ ? EXIT_WRONG_MODEL : EXIT_OK;
}

int run_diff(const struct options *o)
{
	struct options before = *o, after = *o;
	size_t used, files = o->expr ? 0 : o->operands.n;
	int status = EXIT_OK;
	before.set = (struct list){ 0 };
	if (files == 2)
		after.operands.items = o->operands.items + 1;
	else if (files > 2 || o->set.n == 0)
		return complain_usage("diff takes two models, or one and --set");
	nns_model *a = open_model(&before, &used, &status);
	nns_model *b = a ? open_model(&after, &used, &status) : NULL;
	if (b)
		status = compare(o, a, b);
	nns_model_free(a);
	nns_model_free(b);
	return status;
}

/* ---- Expressions ---- */

static bool uses_output(const struct options *o, size_t from)
{
	for (size_t i = from; i < o->operands.n; i++)
		if (strstr(o->operands.items[i], "output") || strstr(o->operands.items[i], "input"))
			return true;
	return false;
}

static int get_one(nns_model *m, nns_graph *g, const char *expression)
{
	nns_error err = { 0 };
	char *text = nns_get(m, g, expression, &err);
	if (!text)
		return complain(&err);
	int status = put(text);
	status = status ? status : put("\n");
	free(text);
	return status;
}

static int check_one(nns_model *m, nns_graph *g, const char *expression)
{
	nns_error err = { 0 };
	bool holds;
	char *left, *right;
	if (!nns_check(m, g, expression, &holds, &left, &right, &err))
		return complain(&err);
	fputs(holds ? "ok      " : "failed  ", stdout);
	put_visible(stdout, expression);
	putchar('\n');
	if (left)
		printf("        left:  %s\n        right: %s\n", left, right ? right : "");
	free(left);
	free(right);
	return put("") || !holds ? EXIT_WRONG_MODEL : EXIT_OK;
}

static int expressions(const struct options *o, int (*one)(nns_model *m, nns_graph *g, const char *expression))
{
	size_t used;
	int status = EXIT_OK;
	nns_graph *g = NULL;
	nns_model *m = open_model(o, &used, &status);
	if (!m)
		return status;
	if (o->operands.n == used)
		status = complain_usage("which expression? For example 'fc.out_features'");
	else if ((o->inputs.n || o->mode) && uses_output(o, used))
		g = trace_model(m, o, NNS_NO_GRAD, &status);
	for (size_t i = used; i < o->operands.n && (status == EXIT_OK || (one == check_one && status == EXIT_WRONG_MODEL)); i++) {
		int this = one(m, g, o->operands.items[i]);
		status = this > status ? this : status;
	}
	nns_model_free(m);
	return status;
}

int run_get(const struct options *o) { return expressions(o, get_one); }
int run_check(const struct options *o) { return expressions(o, check_one); }

/* ---- nnscope FILE ---- */

int run_overview(const struct options *o) { return report(o, "overview", false); }

static void tell_unread(void *data, const nns_error *why)
{
	int *status = data;
	*status = complain(why);
}

/* A file that cannot be read hides nothing of the others. */
int run_audit(const struct options *o)
{
	nns_error err = { 0 };
	bool dangerous;
	int unread = EXIT_OK;
	if (o->operands.n == 0)
		return complain_usage("which file? nnscope audit FILE...");
	char *text = nns_audit(o->operands.items, o->operands.n, o->format, tell_unread, &unread, &dangerous, &err);
	if (!text)
		return complain(&err);
	int status = put(text);
	free(text);
	return status ? status : unread ? unread : dangerous ? EXIT_WRONG_MODEL : EXIT_OK;
}

int run_code(const struct options *o)
{
	nns_error err = { 0 };
	if (o->operands.n < 1 || o->operands.n > 2)
		return complain_usage("code takes a file, and a part of a name");
	char *text = nns_code(o->operands.items[0], o->operands.n > 1 ? o->operands.items[1] : NULL, &err);
	int status = text ? put(text) : complain(&err);
	free(text);
	return status;
}
