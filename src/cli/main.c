#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#endif
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/cli.h"

/* How one gives what would have helped. */
static const char *const options_of_hints[] = {
	[NNS_HINT_NONE] = "", [NNS_HINT_INPUT] = " (see --input)", [NNS_HINT_ARRAYS] = " (see --inputs)", [NNS_HINT_WEIGHTS] = " (see --weights)",
	[NNS_HINT_MEMORY] = " (see --memory)", [NNS_HINT_PROFILE] = " (see --profile)", [NNS_HINT_CLASSES] = " (see --classes)"
};

static int status_of(const nns_error *err)
{
	return err->code == NNS_USAGE ? EXIT_WRONG_USAGE : err->code == NNS_CANCELLED ? EXIT_STOPPED : EXIT_WRONG_MODEL;
}

void put_visible(FILE *to, const char *text)
{
	char *shown = nns_visible(text);
	for (const char *p = shown ? shown : "out of memory"; *p; p++)
		fputs(*p == '\n' ? "\\n" : *p == '\t' ? "\\t" : (const char[2]){ *p }, to);
	free(shown);
}

static void put_complaint(const char *message, const char *hint)
{
	fputs("nnscope: ", stderr);
	put_visible(stderr, message);
	fputs(hint, stderr);
	fputc('\n', stderr);
}

static void vsay(const char *fmt, va_list ap)
{
	char message[1000];
	vsnprintf(message, sizeof message, fmt, ap);
	put_complaint(message, "");
}

void say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

int complain(const nns_error *err)
{
	put_complaint(err->message, options_of_hints[err->hint]);
	return status_of(err);
}

int complain_usage(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	return EXIT_WRONG_USAGE;
}

double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int put(const char *text)
{
	if (fputs(text, stdout) != EOF && fflush(stdout) != EOF)
		return EXIT_OK;
	say("standard output cannot be written");
	return EXIT_WRONG_MODEL;
}

/* What --set says, in its order. */
static bool change_model(nns_model *m, const struct options *o, int *status)
{
	nns_error err = { 0 };
	for (size_t i = 0; i < o->set.n; i++)
		if (!nns_model_set(m, o->set.items[i], &err)) {
			say("--set '%s': %s%s", o->set.items[i], err.message, options_of_hints[err.hint]);
			*status = status_of(&err);
			return false;
		}
	return true;
}

static nns_model *tell_note(nns_model *m)
{
	if (nns_model_note(m))
		say("%s", nns_model_note(m));
	return m;
}

nns_model *open_model(const struct options *o, size_t *used, int *status)
{
	nns_error err = { 0 };
	nns_load_options load = { .class_files = o->classes.items, .n_class_files = o->classes.n, .initialise = o->initialise, .program = o->program };
	nns_model *m;
	*used = o->expr ? 0 : 1;
	if (!o->expr && o->operands.n == 0) {
		*status = complain_usage("which model? Give a file, - for standard input, or --expr 'Linear(10, 20)'");
		return NULL;
	}
	m = o->expr ? nns_model_from_expression(o->expr, &load, &err) : nns_model_load(o->operands.items[0], &load, &err);
	bool ok = m != NULL;
	if (!ok || !nns_model_set_torch(m, o->torch, &err))
		*status = complain(&err);
	else if (change_model(m, o, status))
		return tell_note(m);
	nns_model_free(m);
	return NULL;
}

nns_graph *trace_model(nns_model *m, const struct options *o, unsigned flags, int *status)
{
	nns_error err = { 0 };
	if (o->mode)
		flags = strcmp(o->mode, "train") == 0 ? flags | NNS_TRAIN : flags & ~(unsigned)NNS_TRAIN;
	nns_graph *g = nns_trace(m, flags, o->inputs.items, o->inputs.n, &err);
	if (!g)
		*status = complain(&err);
	return g;
}

/* ---- Commands ---- */

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct options o = { .started = now_ms() };
	int status = EXIT_WRONG_USAGE;
	if (options_parse(c, argc, argv, &o)) {
		if (o.help) {
			print_command_help(c);
			status = put("");
		} else {
			status = c->run(&o);
		}
	}
	options_release(&o);
	return status;
}

/* What stands for a model where a command would: something like a path, a file that is there, or an expression. */
static bool is_model(const char *word)
{
	FILE *f;
	if (word[0] == '-')
		return !word[1] || strncmp(word, "-e", 2) == 0 || strcmp(word, "--expr") == 0 || strncmp(word, "--expr=", 7) == 0;
	if (strpbrk(word, "./"))
		return true;
	if ((f = fopen(word, "r")))
		fclose(f);
	return f != NULL;
}

static int unknown_command(const char *word)
{
	const char *names[64];
	size_t n = 0;
	for (const struct command *c = commands; c->name && n < 64; c++)
		names[n++] = c->name;
	const char *near = nns_nearest(word, names, n);
	return complain_usage("'%s' is not a command%s%s%s; see nnscope help", word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int main(int argc, char **argv)
{
	static const struct command overview = { "overview", "say what a file is", "FILE", "expr set classes program torch ", NULL,
	                                        "nnscope samples/resnet18.json", run_overview };
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 1 << 20);      /* large tensors go back to the system when they are freed, so that a plan's bytes are the process's */
#endif
	signal(SIGXFSZ, SIG_IGN);        /* a file that may not grow is an error of write(), which says so */
	if (argc < 2) {
		struct options none = { 0 };
		run_help(&none);
		return EXIT_WRONG_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return run_command(find_command("help"), argc - 2, argv + 2);
	if (strcmp(argv[1], "--version") == 0)
		return run_command(find_command("version"), 0, NULL);
	const struct command *c = find_command(argv[1]);
	if (c)
		return run_command(c, argc - 2, argv + 2);
	if (argc == 3 && is_model(argv[1]) && argv[1][0] != '-' && find_command(argv[2]))
		return complain_usage("a command comes before its file: nnscope %s %s", argv[2], argv[1]);
	if (is_model(argv[1]))
		return run_command(&overview, argc - 1, argv + 1);
	return unknown_command(argv[1]);
}
