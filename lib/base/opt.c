/* SPDX-License-Identifier: Apache-2.0 */
/* See opt.h. */

#include "base/opt.h"

#include "base/cursor.h"

static int enum_index(const char *const *names, const char *word)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], word))
			return i;
	return -1;
}

static int set_enum(void *at, const struct opt *o, const char *v, struct err *e)
{
	const int i = enum_index(o->names, v);
	AUTO_BUF all = { 0 };

	if (i >= 0) {
		*(int *)at = i;
		return 0;
	}
	for (int k = 0; o->names[k]; k++)
		buf_printf(&all, "%s'%s'", k ? ", " : "", o->names[k]);
	return err_set(e, EC_USAGE, "'%.60s' is none of %s", v, buf_cstr(&all));
}

static int set_list(struct opt_list *l, const char *v, struct err *e)
{
	if (l->n == sizeof l->v / sizeof *l->v)
		return err_set(e, EC_USAGE, "given more than %zu times", l->n);
	l->v[l->n++] = v;
	return 0;
}

static int set_real(double *ret, const char *v, struct err *e)
{
	char *end;
	const double d = strtod(v, &end);

	if (end == v || *end || !(d > -1e300 && d < 1e300))
		return err_set(e, EC_USAGE, "'%.40s' is not a number", v);
	*ret = d;
	return 0;
}

static int set(const struct opt *o, void *args, const char *v, struct err *e)
{
	void *at = (char *)args + o->at;

	switch (o->kind) {
	case OPT_KIND_FLAG:
		*(bool *)at = true;
		return 0;
	case OPT_KIND_COUNT:
		++*(int *)at;
		return 0;
	case OPT_KIND_STR:
		*(const char **)at = v;
		return 0;
	case OPT_KIND_LIST:
		return set_list(at, v, e);
	case OPT_KIND_ENUM:
		return set_enum(at, o, v, e);
	case OPT_KIND_UINT:
		return parse_u64(at, v, UINT64_MAX, e);
	case OPT_KIND_SIZE:
		return parse_size(at, v, INT64_MAX, e);
	case OPT_KIND_REAL:
		return set_real(at, v, e);
	case OPT_KIND_END:
		break;
	}
	return err_set(e, EC_BUG, "option of unknown kind");
}

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_KIND_FLAG && o->kind != OPT_KIND_COUNT;
}

/* By long name (n bytes) or, if name is NULL, by letter. */
static const struct opt *find(const struct opt_set *sets, const char *name, size_t n, char letter, void **args)
{
	for (; sets->opts; sets++)
		for (const struct opt *o = sets->opts; o->kind != OPT_KIND_END; o++)
			if (name ? strlen(o->name) == n && !memcmp(o->name, name, n) : letter && o->letter == letter) {
				*args = sets->args;
				return o;
			}
	return NULL;
}

static int note_insecure(struct opt_list *l, const struct opt *o, struct err *e)
{
	return l && o->flags & OPT_F_INSECURE ? set_list(l, o->name, e) : 0;
}

static int apply(const struct opt *o, void *args, const char *v, struct opt_list *insecure, struct err *e)
{
	if (set(o, args, v, e))
		return err_ctx(e, "option --%s", o->name);
	return note_insecure(insecure, o, e);
}

static int parse_long(const struct opt_set *sets, int argc, char **argv, int *i, struct opt_list *insecure, struct err *e)
{
	const char *name = argv[*i] + 2, *eq = strchr(name, '='), *v = eq ? eq + 1 : NULL;
	const size_t n = eq ? (size_t)(eq - name) : strlen(name);
	void *args;
	const struct opt *o = find(sets, name, n, 0, &args);

	if (!o) {	/* the value is not shown: it may be a secret put in the wrong place */
		err_set(e, EC_USAGE, "unknown option '--%.*s'", (int)(n > 60 ? 60 : n), name);
		return err_hint(e, "--help lists the options");
	}
	if (!takes_value(o)) {
		if (v)
			return err_set(e, EC_USAGE, "option --%s takes no value", o->name);
	} else if (!v) {
		if (++*i >= argc)
			return err_set(e, EC_USAGE, "option --%s needs a value: %s", o->name, o->arg);
		v = argv[*i];
	}
	return apply(o, args, v, insecure, e);
}

static int parse_letters(const struct opt_set *sets, int argc, char **argv, int *i, struct opt_list *insecure, struct err *e)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const char *v = NULL;
		void *args;
		const struct opt *o = find(sets, NULL, 0, *p, &args);

		if (!o) {
			err_set(e, EC_USAGE, "unknown option '-%c'", *p);
			return err_hint(e, "--help lists the options");
		}
		if (takes_value(o)) {
			if (p[1])
				v = p + 1;
			else if (++*i < argc)
				v = argv[*i];
			else
				return err_set(e, EC_USAGE, "option -%c needs a value: %s", *p, o->arg);
		}
		if (apply(o, args, v, insecure, e))
			return -1;
		if (v)
			break;
	}
	return 0;
}

int opt_parse(const struct opt_set *sets, int argc, char **argv, int *n_operands, int *rest, struct opt_list *insecure,
	      struct err *e)
{
	int n = 0;

	*rest = -1;
	for (int i = 0; i < argc; i++) {
		char *const a = argv[i];

		if (*rest >= 0 || a[0] != '-' || !a[1]) {
			argv[n++] = a;
		} else if (!strcmp(a, "--")) {
			*rest = n;
		} else if (a[1] == '-') {
			if (parse_long(sets, argc, argv, &i, insecure, e))
				return -1;
		} else if (parse_letters(sets, argc, argv, &i, insecure, e)) {
			return -1;
		}
	}
	*n_operands = n;
	if (*rest < 0)
		*rest = n;
	return 0;
}

static int from_environment(const struct opt_set *set_, const struct opt *o, struct err *e)
{
	char name[64] = "CVMBOX_";
	const char *v;
	size_t n = strlen(name);

	for (const char *p = o->name; *p && n + 1 < sizeof name; p++)
		name[n++] = (char)(*p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	name[n] = 0;
	v = getenv(name);
	if (!v || !*v)
		return 0;
	if (!takes_value(o) && !strcmp(v, "0"))
		return 0;
	if (set(o, set_->args, v, e))
		return err_ctx(e, "environment variable %s", name);
	return 0;
}

int opt_environ(const struct opt_set *set_, struct err *e)
{
	for (const struct opt *o = set_->opts; o->kind != OPT_KIND_END; o++)
		if (!(o->flags & (OPT_F_NOENV | OPT_F_INSECURE)) && from_environment(set_, o, e))
			return -1;
	return 0;
}
