/* graph: draws a picture into a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

static char *default_path(const nns_model *m, const char *format)
{
	const char *name = nns_model_name(m), *suffix = format ? format : "pdf";
	size_t n = strlen(name) + strlen(suffix) + 32;
	char *path = malloc(n);
	if (path)
		snprintf(path, n, "%s_structure.%s", name, suffix);
	return path;
}

static int show(const char *path)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		execlp("xdg-open", "xdg-open", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		say("xdg-open could not show %s", path);
		return EXIT_WRONG_MODEL;
	}
	return EXIT_OK;
}

static bool is_forward(const struct options *o)
{
	return o->view ? strcmp(o->view, "forward") == 0 : o->show != NULL;
}

/* Options that the view has no use for are a mistake. */
static bool options_fit(const struct options *o)
{
	bool forward = is_forward(o);
	if (o->show && strcmp(o->show, "time") != 0)
		return complain_usage("--show %s: time can be shown", o->show), false;
	if (o->show && !o->run)
		return complain_usage("--show time needs a pass to be timed: add --run"), false;
	if (o->show && o->view && !forward)
		return complain_usage("--show time is for the forward view"), false;
	const char *running = o->seed_text ? "seed" : o->weights ? "weights" : o->weights_strict ? "weights-strict" : o->threads_text ? "threads"
	                    : o->memory_text ? "memory" : o->executor ? "executor" : NULL;
	if (running && !o->run)
		return complain_usage("--%s is for a model that runs: add --run", running), false;
	const char *unfit = !forward && o->direction ? "direction" : !forward && o->depth_text ? "depth" : forward && o->show_attrs ? "show-attrs"
	                  : forward && o->show_saved ? "show-saved" : forward && o->chars_text ? "max-attr-chars" : NULL;
	return !unfit || (complain_usage("--%s is for the %s view", unfit, forward ? "autograd" : "forward"), false);
}

static int write_standard(nns_model *m, nns_graph *g, const nns_draw_options *d, const char *format)
{
	nns_error err = { 0 };
	size_t len;
	void *data = nns_draw(m, g, d, format ? format : "gv", &len, &err);
	if (!data)
		return complain(&err);
	bool ok = fwrite(data, 1, len, stdout) == len && fflush(stdout) != EOF;
	free(data);
	if (!ok)
		say("standard output cannot be written");
	return ok ? EXIT_OK : EXIT_WRONG_MODEL;
}

static int tell_written(const char *target, const struct options *o)
{
	if (!o->output)
		say("wrote %s", target);
	return o->open ? show(target) : EXIT_OK;
}

static int write_file(nns_model *m, nns_graph *g, const nns_draw_options *d, const char *target, const struct options *o)
{
	nns_error err = { 0 };
	return nns_draw_file(m, g, d, o->format, target, &err) ? tell_written(target, o) : complain(&err);
}

/* How long the view takes without layout: drawing it once more as DOT. */
static double time_view(nns_model *m, nns_graph *g, const nns_draw_options *d)
{
	nns_error err = { 0 };
	size_t len;
	double start = now_ms();
	free(nns_draw(m, g, d, "gv", &len, &err));
	return now_ms() - start;
}

static nns_plan *run_it(const struct options *o, nns_model *m, int *status)
{
	return run_before(o, m, o->mode && strcmp(o->mode, "eval") == 0 ? 0 : NNS_TRAIN, status);
}

/* The graph that ran when its times are to be shown, otherwise one that is traced as it is to be drawn. */
static nns_graph *graph_to_draw(const struct options *o, nns_model *m, nns_plan **plan, int *status)
{
	if (o->run && !(*plan = run_it(o, m, status)))
		return NULL;
	return o->show ? nns_plan_graph(*plan) : trace_model(m, o, NNS_TRAIN, status);
}

/* A graph that does not depend on the pass is laid out meanwhile. */
static int draw_while_running(const struct options *o, nns_model *m, const nns_draw_options *d, const char *target)
{
	nns_error err = { 0 };
	int status = EXIT_OK;
	nns_graph *g = trace_model(m, o, NNS_TRAIN, &status);
	nns_drawing *drawing = g ? nns_draw_begin(m, g, d, o->format, target, &err) : NULL;
	if (!drawing)
		return g ? complain(&err) : status;
	nns_plan *plan = run_it(o, m, &status);
	if (status == EXIT_STOPPED)
		_exit(status);           /* a layout, which may take long, cannot be stopped but with the process */
	if (!nns_draw_end(drawing, plan != NULL, &err) && plan)
		status = complain(&err);
	nns_plan_free(plan);
	return status == EXIT_OK ? tell_written(target, o) : status;
}

static int draw_in_turn(const struct options *o, nns_model *m, nns_draw_options *d, const char *target, double loaded)
{
	double traced, drawn, viewed = 0;
	nns_plan *plan = NULL;
	int status = EXIT_OK;
	nns_graph *g = graph_to_draw(o, m, &plan, &status);
	d->times = o->show ? plan : NULL;
	traced = now_ms();
	if (g && o->timing)
		viewed = time_view(m, g, d);
	if (g)
		status = strcmp(target, "-") == 0 ? write_standard(m, g, d, o->format) : write_file(m, g, d, target, o);
	drawn = now_ms();
	if (o->timing && g)
		fprintf(stderr, "load %.2f ms, trace %.2f ms, %s view %.2f ms, layout and writing %.2f ms\n", loaded - o->started, traced - loaded,
		        d->view ? d->view : "autograd", viewed, drawn - traced - 2 * viewed);
	nns_plan_free(plan);
	return status;
}

static int draw_graph(const struct options *o, nns_model *m, double loaded)
{
	nns_draw_options d = { .view = o->view ? o->view : o->show ? "forward" : NULL, .show_attrs = o->show_attrs, .show_saved = o->show_saved,
		.max_attr_chars = o->max_attr_chars, .depth = depth_given(o), .direction = o->direction };
	char *path = o->output ? NULL : default_path(m, o->format);
	const char *target = o->output ? o->output : path;
	bool beside = o->run && !o->show && !o->timing && target && strcmp(target, "-") != 0;
	const char *file = target && strcmp(target, "-") != 0 ? target : NULL;
	int status = !target ? complain_usage("out of memory") : !files_apart(o, file) ? EXIT_WRONG_USAGE : files_writable(o, file);
	if (status == EXIT_OK)
		status = beside ? draw_while_running(o, m, &d, target) : draw_in_turn(o, m, &d, target, loaded);
	free(path);
	return status;
}

int run_graph(const struct options *given)
{
	struct options with = *given, *o = &with;
	size_t used;
	int status = EXIT_OK;
	with.initialise = o->run;
	if (!options_fit(o))
		return EXIT_WRONG_USAGE;
	nns_model *m = open_model(o, &used, &status);
	if (!m)
		return status;
	if (o->operands.n > used)
		status = complain_usage("graph takes one model; what is '%s'?", o->operands.items[used]);
	else
		status = draw_graph(o, m, now_ms());
	nns_model_free(m);
	return status;
}
