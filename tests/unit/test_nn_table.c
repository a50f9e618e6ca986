/*
 * The module table itself: every row has its columns, and every snippet in it parses.  One TAP line a family.
 */
#include <stdio.h>
#include <string.h>

#include "nn/nn.h"
#include "tap.h"

static const struct {
	const char *name;
	const struct nn_class *rows;
} families[] = {
#define NN_FAMILY(family) { #family, family##_classes },
#include "nn/families.def"
#undef NN_FAMILY
};

enum { N_FAMILIES = sizeof families / sizeof *families };

/* Classes that hold others or are bases; PyTorch gives them no forward. */
static const char *const without_forward[] = { "Module", "Container", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict",
	"RNNBase", "RNNCellBase" };

static const struct nn_class *find(const char *name)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		for (const struct nn_class *c = families[i].rows; c->name; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

static bool complain(const struct nn_class *c, const char *what, const char *message)
{
	printf("# %s: %s: %s\n", c->name, what, message);
	return false;
}

static bool check_block(struct arena *a, const struct nn_class *c, const char *what, const char *text)
{
	nns_error err = { 0 };
	if (!text || lang_parse_block(a, text, strlen(text), c->name, &err))
		return true;
	return complain(c, what, err.message);
}

static bool check_signature(struct arena *a, const struct nn_class *c, const char *what, const char *text)
{
	nns_error err = { 0 };
	struct signature signature;
	if (!text || lang_parse_signature(a, text, c->name, &signature, &err))
		return true;
	return complain(c, what, err.message);
}

static bool check_snippets(struct arena *a, const struct nn_class *c)
{
	nns_error err = { 0 };
	bool good = check_signature(a, c, "signature", c->signature);
	good = check_signature(a, c, "forward_signature", c->forward_signature) && good;
	good = check_signature(a, c, "printed", c->printed) && good;
	good = check_block(a, c, "build", c->build) && good;
	good = check_block(a, c, "forward", c->forward) && good;
	good = check_block(a, c, "reset", c->reset) && good;
	good = check_block(a, c, "infer", c->infer) && good;
	good = check_block(a, c, "adopt", c->adopt) && good;
	if (c->repr && !lang_parse_expression(a, c->repr, strlen(c->repr), c->name, &err))
		good = complain(c, "repr", err.message);
	return good;
}

static bool needs_forward(const struct nn_class *c)
{
	for (size_t i = 0; i < sizeof without_forward / sizeof *without_forward; i++)
		if (strcmp(without_forward[i], c->name) == 0)
			return false;
	return true;
}

/* A column that is NULL here may stand in a base. */
static bool check_columns(const struct nn_class *c)
{
	bool signature = false, forward = false, forward_signature = false;
	int depth = 0;
	for (const struct nn_class *b = c; b; b = b->base ? find(b->base) : NULL) {
		signature |= b->signature != NULL;
		forward |= b->forward != NULL;
		forward_signature |= b->forward_signature != NULL;
		if (b->base && !find(b->base))
			return complain(b, "base", "no such class");
		if (++depth > 8)
			return complain(c, "base", "bases go in a circle");
	}
	if (!signature)
		return complain(c, "signature", "missing");
	if (forward != forward_signature)
		return complain(c, "forward", "a forward and its signature go together");
	if (forward != needs_forward(c))
		return complain(c, "forward", forward ? "listed as a class without one" : "missing");
	if (!c->infer != !c->becomes)
		return complain(c, "infer", "a lazy class says what it becomes");
	if (c->becomes && !find(c->becomes))
		return complain(c, "becomes", "no such class");
	if (find(c->name) != c)
		return complain(c, "name", "there are two of that name");
	return true;
}

int main(void)
{
	nns_error err = { 0 };
	for (size_t i = 0; i < N_FAMILIES; i++) {
		struct arena *a = arena_new(NULL, &err);
		int n = 0;
		bool good = a != NULL;
		for (const struct nn_class *c = families[i].rows; a && c->name; c++, n++) {
			good = check_columns(c) && good;
			good = check_snippets(a, c) && good;
		}
		tap(good && n > 0, "%s: %d classes", families[i].name, n);
		arena_free(a);
	}
	return tap_end();
}
