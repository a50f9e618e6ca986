/* help, version, ops, classes: what the program knows. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* What an option is to a command, where it is something else to others. */
static const char *help_of(const struct command *c, const struct option_row *row)
{
	static const struct { const char *command, *option, *help; } own[] = {
		{ "graph", "format", "pdf, svg, png, gv or dot" },
		{ "run", "format", "table, json, or with --profile chrome" },
		{ "audit", "format", "table, json or sarif" },
		{ "run", "depth", "modules of the profile deeper than this are folded (2)" },
		{ "graph", "depth", "modules deeper than this are folded, with 0 all of them" },
		{ "graph", "output", "where to write; - is standard output" },
		{ "weights", "output", "where to write: .safetensors or .npz" },
	};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strcmp(own[i].command, c->name) == 0 && strcmp(own[i].option, row->name) == 0)
			return own[i].help;
	return row->help;
}

/* Words on lines of 80 columns, the first of which begins at column `at`, the others after `indent` blanks. */
static void put_words(const char *text, size_t at, size_t indent)
{
	while (*text) {
		size_t n = strcspn(text, " ");
		if (at > indent && at + 1 + n > 80)
			printf("\n%*s", (int)indent, ""), at = indent;
		at += (size_t)printf("%s%.*s", at > indent ? " " : "", (int)n, text);
		text += n + strspn(text + n, " ");
	}
	putchar('\n');
}

void print_command_help(const struct command *c)
{
	printf("Usage: nnscope %s%s%s%s\n\n%c%s.\n", c->name, *c->options ? " [OPTION]..." : "", *c->operands ? " " : "", c->operands,
	       c->summary[0] - ('a' <= c->summary[0] && c->summary[0] <= 'z' ? 32 : 0), c->summary + 1);
	if (c->details)
		put_words(c->details, 0, 0);
	printf("\nOptions:\n");
	for (const struct option_row *row = option_rows; row->name; row++) {
		char left[64];
		if (!command_takes(c, row->name))
			continue;
		snprintf(left, sizeof left, "%s%c%s--%s%s%s", row->letter ? "-" : "", row->letter ? row->letter : ' ', row->letter ? ", " : "   ",
		         row->name, row->argument ? " " : "", row->argument ? row->argument : "");
		printf("  %-26s", left);
		if (strlen(left) > 25)
			printf("\n%28s", "");
		put_words(help_of(c, row), 28, 28);
	}
	printf("\nExample:\n  %s\n", c->example);
}

int run_help(const struct options *o)
{
	if (o->operands.n) {
		for (const struct command *c = commands; c->name; c++)
			if (strcmp(c->name, o->operands.items[0]) == 0)
				return print_command_help(c), put("");
		return complain_usage("there is no command '%s'; see nnscope help", o->operands.items[0]);
	}
	printf("Usage: nnscope COMMAND [OPTION]... FILE\n\nReads a neural network and shows it. Commands:\n\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-10s%s\n", c->name, c->summary);
	printf("\nnnscope COMMAND --help explains one. nnscope FILE says what a file is.\n");
	return put("");
}

int run_version(const struct options *o)
{
	(void)o;
	printf("nnscope %s\n", nns_version());
	return put("");
}

static bool wanted(const struct options *o, const char *text)
{
	for (size_t i = 0; i < o->operands.n; i++)
		if (strstr(text, o->operands.items[i]))
			return true;
	return o->operands.n == 0;
}

int run_ops(const struct options *o)
{
	const char *schema;
	size_t n = 0;
	for (size_t i = 0; (schema = nns_operator_schema(i)); i++) {
		char name[128];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(schema, "("), schema);
		if (wanted(o, name))
			printf("%c %s\n", nns_operator_has_rule(i) ? '*' : ' ', schema), n++;
	}
	return n ? put("") : complain_usage("no operator has '%s' in its name", o->operands.items[0]);
}

int run_classes(const struct options *o)
{
	const char *name;
	size_t n = 0;
	for (size_t i = 0; (name = nns_class_name(i)); i++)
		if (wanted(o, name))
			printf("%s(%s)\n", name, nns_class_signature(i)), n++;
	return n ? put("") : complain_usage("no class has '%s' in its name", o->operands.items[0]);
}
