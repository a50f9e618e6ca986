/* The table of options, and reading them: GNU's manners. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define AT(member) offsetof(struct options, member)

const struct option_row option_rows[] = {
	{ "expr", 'e', "EXPRESSION", "the model is a constructor expression instead of a file", AT(expr), OPTION_TEXT },
	{ "set", 's', "PATH=VALUE", "change the model: 'fc=Linear(fc.in_features, 100)'; may be repeated", AT(set), OPTION_LIST },
	{ "classes", 0, "FILE", "know the classes of this description too; may be repeated", AT(classes), OPTION_LIST },
	{ "program", 0, "NAME", "which of the programs of a .pt2 that holds several", AT(program), OPTION_TEXT },
	{ "torch", 0, "VERSION", "print as this PyTorch does: 2.13, 1.13, 0.4", AT(torch), OPTION_TEXT },
	{ "mode", 'm', "MODE", "train or eval; a .pt2 keeps the mode that it was exported in", AT(mode), OPTION_TEXT },
	{ "input", 'i', "SHAPE", "an input: 10x3x224x224, x=10x3x224x224, ids=2x7:int64; may be repeated", AT(inputs), OPTION_LIST },
	{ "format", 'f', "FORMAT", "table, tsv, csv, json or markdown", AT(format), OPTION_TEXT },
	{ "width", 0, "COLUMNS", "fit tables to this width; 0: as wide as they are", AT(width_text), OPTION_TEXT },
	{ "colour", 0, "WHEN", "auto, always or never", AT(colour), OPTION_TEXT },
	{ "depth", 'd', "N", "modules deeper than this are folded", AT(depth_text), OPTION_TEXT },
	{ "columns", 0, "NAMES", "torchinfo's columns: input_size,output_size,num_params,...", AT(columns), OPTION_TEXT },
	{ "rows", 0, "SETTINGS", "torchinfo's row settings: depth,var_names,ascii_only", AT(rows), OPTION_TEXT },
	{ "view", 'v', "VIEW", "what to draw: autograd or forward", AT(view), OPTION_TEXT },
	{ "output", 'o', "FILE", "where to write; - is standard output for pictures", AT(output), OPTION_TEXT },
	{ "open", 0, NULL, "show the picture", AT(open), OPTION_SWITCH },
	{ "show-attrs", 0, NULL, "what backward nodes keep: names and values", AT(show_attrs), OPTION_SWITCH },
	{ "show-saved", 0, NULL, "boxes for the tensors that backward nodes keep", AT(show_saved), OPTION_SWITCH },
	{ "max-attr-chars", 0, "N", "cut what backward nodes keep to this length (50)", AT(chars_text), OPTION_TEXT },
	{ "direction", 0, "DIR", "TB, LR, BT or RL", AT(direction), OPTION_TEXT },
	{ "run", 0, NULL, "run the model on real numbers first and check every shape", AT(run), OPTION_SWITCH },
	{ "show", 0, "WHAT", "time: colour the forward graph by how long each operator took; with --run", AT(show), OPTION_TEXT },
	{ "seed", 0, "N", "the numbers of torch.manual_seed(N); drawn and shown when it is not given", AT(seed_text), OPTION_TEXT },
	{ "weights", 0, "FILE", "parameters and buffers by name, from .npz, .safetensors or any file with tensors", AT(weights), OPTION_TEXT },
	{ "weights-strict", 0, "YES", "no: names that are missing or too many are no error", AT(weights_strict), OPTION_TEXT },
	{ "inputs", 0, "FILE", "inputs from .npz or .safetensors: in0, in1, ... or their names", AT(inputs_file), OPTION_TEXT },
	{ "expect", 0, "FILE", "compare the outputs with out0, out1, ... of this .npz or .safetensors", AT(expect), OPTION_TEXT },
	{ "rtol", 0, "X", "relative tolerance of --expect (1e-5) and --compare (1e-3)", AT(rtol_text), OPTION_TEXT },
	{ "atol", 0, "X", "absolute tolerance of --expect (1e-8) and --compare (1e-3)", AT(atol_text), OPTION_TEXT },
	{ "save", 0, "FILE", "write the outputs to this .npz or .safetensors", AT(save), OPTION_TEXT },
	{ "save-weights", 0, "FILE", "write parameters and buffers as the pass leaves them to this .safetensors or .npz", AT(save_weights), OPTION_TEXT },
	{ "threads", 0, "N", "run on N threads (all of the machine's)", AT(threads_text), OPTION_TEXT },
	{ "memory", 0, "SIZE", "bytes that weights, tensors and plan may take: 500M, 1.5G (what the machine has left)", AT(memory_text), OPTION_TEXT },
	{ "repeat", 0, "N", "run N times on the same numbers and give the middle time", AT(repeat_text), OPTION_TEXT },
	{ "executor", 0, "NAME", "fast (oneDNN, where it was built) or reference", AT(executor), OPTION_TEXT },
	{ "precision", 0, "NAME", "float32, or bf16 for convolutions and matrix products", AT(precision), OPTION_TEXT },
	{ "deterministic", 0, NULL, "choose algorithms by rule and not by measuring", AT(deterministic), OPTION_SWITCH },
	{ "compare", 0, NULL, "run both executors; say which operator differs first", AT(compare), OPTION_SWITCH },
	{ "profile", 0, NULL, "say where the time went, by operator and by module", AT(profile), OPTION_SWITCH },
	{ "no-check", 0, NULL, "do not compare every shape with the inferred one", AT(no_check), OPTION_SWITCH },
	{ "timing", 0, NULL, "say how long each stage took", AT(timing), OPTION_SWITCH },
	{ "help", 'h', NULL, "explain the command", AT(help), OPTION_SWITCH },
	{ NULL, 0, NULL, NULL, 0, OPTION_SWITCH }
};

bool command_takes(const struct command *c, const char *option)
{
	size_t n = strlen(option);
	if (strcmp(option, "help") == 0)
		return true;
	for (const char *p = c->options; (p = strstr(p, option)); p += n)
		if ((p == c->options || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static bool push(struct list *l, const char *item)
{
	const char **items = realloc(l->items, (l->n + 1) * sizeof *items);
	if (!items)
		return complain_usage("out of memory"), false;
	l->items = items;
	items[l->n++] = item;
	return true;
}

void options_release(struct options *o)
{
	free(o->set.items);
	free(o->classes.items);
	free(o->inputs.items);
	free(o->operands.items);
}

static const struct option_row *find_long(const char *name, size_t n)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (strlen(row->name) == n && memcmp(row->name, name, n) == 0)
			return row;
	return NULL;
}

static const struct option_row *find_letter(char c)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (row->letter == c)
			return row;
	return NULL;
}

static bool fail_unknown(const struct command *c, const char *argument, size_t n)
{
	const char *names[64];
	char word[64];
	size_t count = 0;
	for (const struct option_row *row = option_rows; row->name && count < 64; row++)
		if (command_takes(c, row->name))
			names[count++] = row->name;
	snprintf(word, sizeof word, "%.*s", (int)n, argument);
	const char *near = nns_nearest(word, names, count);
	complain_usage("%s has no option '--%s'%s%s%s; see nnscope %s --help", c->name, word, near ? "; did you mean '--" : "", near ? near : "",
	               near ? "'?" : "", c->name);
	return false;
}

static bool store(const struct option_row *row, const char *value, struct options *o)
{
	void *at = (char *)o + row->offset;
	switch (row->kind) {
	case OPTION_SWITCH: *(bool *)at = true; return true;
	case OPTION_TEXT: *(const char **)at = value; return true;
	case OPTION_LIST: return push(at, value);
	}
	return true;
}

static bool number(const char *name, const char *text, int least, int *out)
{
	char *end;
	if (!text)
		return true;
	long v = strtol(text, &end, 10);
	if (*end || end == text || v < least || v > 1000000)
		return complain_usage("--%s takes a number from %d, not '%s'", name, least, text), false;
	*out = (int)v;
	return true;
}

/* --name, --name=value, --name value */
static bool parse_long(const struct command *c, int argc, char **argv, int *i, struct options *o)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find_long(name, n);
	if (!row || !command_takes(c, row->name))
		return fail_unknown(c, name, n);
	if (row->kind == OPTION_SWITCH)
		return equals ? (complain_usage("--%s takes no value", row->name), false) : store(row, NULL, o);
	if (equals)
		return store(row, equals + 1, o);
	if (*i + 1 >= argc)
		return complain_usage("--%s needs a value: --%s %s", row->name, row->name, row->argument), false;
	return store(row, argv[++*i], o);
}

/* -o value, -ovalue */
static bool parse_short(const struct command *c, int argc, char **argv, int *i, struct options *o)
{
	const struct option_row *row = find_letter(argv[*i][1]);
	if (!row || !command_takes(c, row->name))
		return complain_usage("%s has no option '-%c'; see nnscope %s --help", c->name, argv[*i][1], c->name), false;
	if (row->kind == OPTION_SWITCH)
		return store(row, NULL, o);
	if (argv[*i][2])
		return store(row, argv[*i] + 2 + (argv[*i][2] == '='), o);
	if (*i + 1 >= argc)
		return complain_usage("-%c needs a value: -%c %s", row->letter, row->letter, row->argument), false;
	return store(row, argv[++*i], o);
}

static bool check_words(const struct options *o)
{
	if (o->mode && strcmp(o->mode, "train") != 0 && strcmp(o->mode, "eval") != 0)
		return complain_usage("--mode is train or eval, not '%s'", o->mode), false;
	if (o->colour && strcmp(o->colour, "auto") != 0 && strcmp(o->colour, "always") != 0 && strcmp(o->colour, "never") != 0)
		return complain_usage("--colour is auto, always or never, not '%s'", o->colour), false;
	return true;
}

int depth_given(const struct options *o)
{
	return !o->depth_text ? 0 : o->depth > 0 ? o->depth : -1;
}

bool options_parse(const struct command *c, int argc, char **argv, struct options *o)
{
	bool ended = false;
	o->width = -1;
	for (int i = 0; i < argc; i++) {
		const char *a = argv[i];
		bool ok;
		if (!ended && strcmp(a, "--") == 0) {
			ended = true;
			continue;
		}
		if (ended || a[0] != '-' || !a[1])
			ok = push(&o->operands, a);
		else if (a[1] == '-')
			ok = parse_long(c, argc, argv, &i, o);
		else
			ok = parse_short(c, argc, argv, &i, o);
		if (!ok)
			return false;
	}
	return check_words(o) && number("width", o->width_text, 0, &o->width) && number("depth", o->depth_text, 0, &o->depth)
	    && number("max-attr-chars", o->chars_text, 1, &o->max_attr_chars);
}
