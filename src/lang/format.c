/* Values as text: str(), repr(), format specifications, % and str.format(). */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/eval.h"

bool text_to_str(struct interp *in, struct text *t, struct datum *out, nns_error *err)
{
	char *s = t->failed ? NULL : arena_strndup(in->arena, t->data ? t->data : "", t->len);
	text_release(t);
	*out = datum_str(s);
	return s || fail_memory(err);
}

bool to_str(struct interp *in, struct datum d, bool repr, const char **out, nns_error *err)
{
	struct text t;
	struct datum s;
	if (d.kind == D_STR && !repr)
		return *out = d.u.s, true;
	text_init(&t);
	datum_repr(&t, d, in->host ? in->host->repr : NULL);
	if (!text_to_str(in, &t, &s, err))
		return false;
	*out = s.u.s;
	return true;
}

/* ---- Format specifications: [[fill]align][sign][#][0][width][,][.precision][type] ---- */

struct spec {
	char fill, align, sign, type;
	bool grouped, alternate;
	int width, precision;
};

static int digits(const char **p)
{
	int n = 0;
	for (; isdigit((unsigned char)**p); (*p)++)
		n = n < 10000 ? n * 10 + **p - '0' : n;
	return n;
}

static bool parse_spec(const char *p, struct spec *s, nns_error *err)
{
	const char *whole = p;
	*s = (struct spec){ .fill = ' ', .precision = -1 };
	if (p[0] && p[1] && strchr("<>=^", p[1])) {
		s->fill = p[0];
		s->align = p[1];
		p += 2;
	} else if (p[0] && strchr("<>=^", p[0])) {
		s->align = *p++;
	}
	if (*p == '+' || *p == '-' || *p == ' ')
		s->sign = *p++;
	if (*p == '#')
		s->alternate = true, p++;
	if (*p == '0' && !s->align) {
		s->fill = '0';
		s->align = '=';
		p++;
	}
	s->width = digits(&p);
	if (*p == ',' || *p == '_')
		s->grouped = true, p++;
	if (*p == '.') {
		p++;
		s->precision = digits(&p);
	}
	if (*p)
		s->type = *p++;
	return !*p || fail(err, NNS_MODEL, "invalid format specifier '%s'", whole);
}

static void add_padded(struct text *t, const struct spec *s, const char *sign, const char *body, char align)
{
	size_t n = utf8_length(body) + strlen(sign), width = (size_t)s->width;
	size_t pad = width > n ? width - n : 0, left = align == '>' ? pad : align == '^' ? pad / 2 : 0;
	if (align == '=') {
		text_add(t, sign);
		text_fill(t, s->fill, pad);
		text_add(t, body);
		return;
	}
	text_fill(t, s->fill, left);
	text_add(t, sign);
	text_add(t, body);
	text_fill(t, s->fill, pad - left);
}

/* 1234567 -> 1,234,567; the part before a point only. */
static void group(char *digits_, size_t size)
{
	size_t n = strlen(digits_), whole = strcspn(digits_, ".e"), commas = whole ? (whole - 1) / 3 : 0;
	if (n + commas >= size)
		return;
	memmove(digits_ + whole + commas, digits_ + whole, n - whole + 1);
	for (size_t i = whole, k = whole + commas, run = 0; commas && i > 0; run++) {
		if (run && run % 3 == 0)
			digits_[--k] = ',';
		digits_[--k] = digits_[--i];
	}
}

static const char *sign_of(const struct spec *s, bool negative)
{
	return negative ? "-" : s->sign == '+' ? "+" : s->sign == ' ' ? " " : "";
}

/* u in a base from 2 to 16. */
static void add_digits(char *out, uint64_t u, unsigned base, bool upper)
{
	const char *symbols = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char reversed[65];
	size_t n = 0;
	do
		reversed[n++] = symbols[u % base];
	while (u /= base);
	for (size_t i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	out[n] = 0;
}

static bool format_int(struct text *t, int64_t v, const struct spec *s)
{
	char body[160];
	unsigned base = s->type == 'b' ? 2 : s->type == 'o' ? 8 : s->type == 'x' || s->type == 'X' ? 16 : 10;
	add_digits(body, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, base, s->type == 'X');
	if (s->grouped)
		group(body, sizeof body);
	char sign[8];
	snprintf(sign, sizeof sign, "%s%s", sign_of(s, v < 0),
	         s->alternate && base == 16 ? s->type == 'X' ? "0X" : "0x" : s->alternate && base == 8 ? "0o" : s->alternate && base == 2 ? "0b" : "");
	add_padded(t, s, sign, body, s->align ? s->align : '>');
	return true;
}

static bool format_float(struct text *t, double v, const struct spec *s)
{
	char body[600];
	int precision = s->precision < 0 ? 6 : s->precision > 200 ? 200 : s->precision;
	bool negative = v < 0;
	double a = negative ? -v : v;
	switch (s->type) {
	case 'e': snprintf(body, sizeof body, "%.*e", precision, a); break;
	case 'E': snprintf(body, sizeof body, "%.*E", precision, a); break;
	case 'g': case 'G': snprintf(body, sizeof body, "%.*g", precision, a); break;
	case '%': snprintf(body, sizeof body, "%.*f%%", precision, a * 100); break;
	case 'f': case 'F': snprintf(body, sizeof body, "%.*f", precision, a); break;
	default:
		if (s->precision >= 0) {
			snprintf(body, sizeof body, "%.*g", precision, a);
		} else {
			struct text x;
			text_init(&x);
			text_add_float(&x, a);
			snprintf(body, sizeof body, "%s", x.data ? x.data : "");
			text_release(&x);
		}
	}
	if (s->grouped)
		group(body, sizeof body);
	add_padded(t, s, sign_of(s, negative), body, s->align ? s->align : '>');
	return true;
}

static bool format_text(struct text *t, const char *text, const struct spec *s)
{
	char *cut = NULL;
	if (s->precision >= 0 && strlen(text) > (size_t)s->precision && (cut = malloc((size_t)s->precision + 1))) {
		memcpy(cut, text, (size_t)s->precision);
		cut[s->precision] = 0;
	}
	add_padded(t, s, "", cut ? cut : text, s->align && s->align != '=' ? s->align : '<');
	free(cut);
	return true;
}

bool format_datum(struct interp *in, struct datum d, const char *spec, struct text *out, nns_error *err)
{
	struct spec s;
	const char *text;
	if (!spec || !*spec) {
		if (!to_str(in, d, false, &text, err))
			return false;
		text_add(out, text);
		return true;
	}
	if (!parse_spec(spec, &s, err))
		return false;
	bool wants_float = s.type && strchr("eEfFgG%", s.type);
	if (datum_is_int(d) && !wants_float && (d.kind == D_INT || s.type == 'd'))
		return format_int(out, datum_as_int(d), &s);
	if (datum_is_number(d) && (wants_float || d.kind == D_FLOAT))
		return format_float(out, datum_as_float(d), &s);
	if (s.type && s.type != 's')
		return fail(err, NNS_MODEL, "unknown format code '%c' for '%s'", s.type, datum_type_name(d));
	return to_str(in, d, false, &text, err) && format_text(out, text, &s);
}

/* ---- "..." % args ---- */

/* The flags, width and precision of %-formatting as a specification of ours. */
static void percent_spec(const char **p, char *type, char *spec)
{
	bool left = false, zero = false, plus = false, space = false, alternate = false;
	char width[32];
	size_t n = 0;
	for (; **p && strchr("-+ #0", **p); (*p)++) {
		left = left || **p == '-';
		zero = zero || **p == '0';
		plus = plus || **p == '+';
		space = space || **p == ' ';
		alternate = alternate || **p == '#';
	}
	for (; n < sizeof width - 1 && (isdigit((unsigned char)**p) || **p == '.'); (*p)++)
		width[n++] = **p;
	width[n] = 0;
	*type = **p;
	if (*type)
		(*p)++;
	bool number = *type && strchr("dixXofFeEgG", *type);
	sprintf(spec, "%s%s%s%s%s", left ? "<" : number && zero ? "" : ">", number && plus ? "+" : number && space ? " " : "", alternate && number ? "#" : "",
	        number && zero && !left ? "0" : "", width);
}

static bool percent_item(struct interp *in, const char **p, struct datum d, struct text *out, nns_error *err)
{
	char spec[48], type, whole[400];
	const char *text;
	percent_spec(p, &type, spec);
	if (type == 's' || type == 'r') {
		if (!to_str(in, d, type == 'r', &text, err))
			return false;
		return format_datum(in, datum_str(text), spec, out, err);
	}
	if (!type || !strchr("dixXofFeEgG", type) || !datum_is_number(d))
		return fail(err, NNS_MODEL, "%% format: a '%s' does not fit %%%c", datum_type_name(d), type ? type : '%');
	if (strchr("di", type) && d.kind == D_FLOAT && !(fabs(d.u.f) < 0x1p63)) {
		if (!isfinite(d.u.f))
			return fail(err, NNS_MODEL, "%% format: cannot make an integer of %s", isnan(d.u.f) ? "NaN" : "infinity");
		snprintf(whole, sizeof whole, "%.0f", d.u.f);
		return format_datum(in, datum_str(whole), *spec == '<' ? spec : "", out, err);
	}
	size_t n = strlen(spec);
	spec[n] = type == 'i' ? 'd' : type;
	spec[n + 1] = 0;
	return format_datum(in, strchr("dixXo", type) && d.kind == D_FLOAT ? datum_int((int64_t)d.u.f) : d, spec, out, err);
}

bool percent_format(struct interp *in, const char *format, struct datum args, struct datum *out, nns_error *err)
{
	struct seq single = { .n = 1, .items = &args };
	const struct seq *s = args.kind == D_TUPLE ? args.u.seq : &single;
	struct text t;
	size_t i = 0;
	bool ok = true;
	text_init(&t);
	for (const char *p = format; ok && *p; ) {
		if (*p != '%') {
			text_addc(&t, *p++);
		} else if (p[1] == '%') {
			text_addc(&t, '%');
			p += 2;
		} else if (i == s->n) {
			ok = fail(err, NNS_MODEL, "not enough arguments for the format string");
		} else {
			p++;
			ok = percent_item(in, &p, s->items[i++], &t, err);
		}
	}
	if (ok && i < s->n && args.kind != D_DICT)
		ok = fail(err, NNS_MODEL, "not all arguments were used by the format string");
	if (ok)
		return text_to_str(in, &t, out, err);
	text_release(&t);
	return false;
}

/* ---- str.format() ---- */

static bool field_value(struct interp *in, char *name, const struct lang_args *args, size_t *next, struct datum *out, nns_error *err)
{
	char *attribute = strchr(name, '.');
	bool found = false;
	if (attribute)
		*attribute++ = 0;
	size_t i = *name ? (size_t)strtoul(name, NULL, 10) : (*next)++;
	if (!*name || isdigit((unsigned char)*name)) {
		if (i >= args->n)
			return fail(err, NNS_MODEL, "format: there is no argument %zu", i);
		*out = args->items[i];
		found = true;
	}
	for (size_t k = 0; !found && k < args->n_named; k++)
		if (strcmp(args->names[k], name) == 0) {
			*out = args->values[k];
			found = true;
		}
	if (!found)
		return fail(err, NNS_MODEL, "format: there is no argument '%s'", name);
	if (!attribute)
		return true;
	if (!lang_getattr(in, *out, attribute, out, &found, err))
		return false;
	return found || fail(err, NNS_MODEL, "format: no attribute '%s'", attribute);
}

static bool brace_field(struct interp *in, char *field, const struct lang_args *args, size_t *next, struct text *t, nns_error *err)
{
	char *spec = strchr(field, ':'), *conversion;
	struct datum v;
	const char *text;
	if (spec)
		*spec++ = 0;
	if ((conversion = strchr(field, '!')))
		*conversion++ = 0;
	if (!field_value(in, field, args, next, &v, err))
		return false;
	if (conversion) {
		if (!to_str(in, v, *conversion == 'r', &text, err))
			return false;
		v = datum_str(text);
	}
	return format_datum(in, v, spec, t, err);
}

bool brace_format(struct interp *in, const char *format, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct text t;
	size_t next = 0;
	bool ok = true;
	text_init(&t);
	for (const char *p = format; ok && *p; ) {
		if ((*p == '{' || *p == '}') && p[1] == *p) {
			text_addc(&t, *p);
			p += 2;
		} else if (*p != '{') {
			text_addc(&t, *p++);
		} else {
			size_t n = strcspn(++p, "}");
			char *field = arena_strndup(in->arena, p, n);
			ok = p[n] ? (field ? brace_field(in, field, args, &next, &t, err) : fail_memory(err)) : fail(err, NNS_MODEL, "format: '{' is never closed");
			p += n + (p[n] != 0);
		}
	}
	if (ok)
		return text_to_str(in, &t, out, err);
	text_release(&t);
	return false;
}
