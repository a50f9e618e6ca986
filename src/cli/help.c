/* help, version, ops, classes: what the program knows. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

void print_command_help(const struct command *c)
{
	printf("Usage: nnscope %s%s%s%s\n\n%c%s.\n", c->name, *c->options ? " [OPTION]..." : "", *c->operands ? " " : "", c->operands,
	       c->summary[0] - ('a' <= c->summary[0] && c->summary[0] <= 'z' ? 32 : 0), c->summary + 1);
	if (c->details)
		printf("%s\n", c->details);
	printf("\nOptions:\n");
	for (const struct option_row *row = option_rows; row->name; row++) {
		char left[64];
		if (!command_takes(c, row->name))
			continue;
		snprintf(left, sizeof left, "%s%c%s--%s%s%s", row->letter ? "-" : "", row->letter ? row->letter : ' ', row->letter ? ", " : "   ",
		         row->name, row->argument ? " " : "", row->argument ? row->argument : "");
		if (strlen(left) > 26)
			printf("  %s\n  %26s%s\n", left, "", row->help);
		else
			printf("  %-26s%s\n", left, row->help);
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
