/* SPDX-License-Identifier: Apache-2.0 */
/* Named checks: see checks.h. */

#include "codec/hex64.h"
#include "codec/out.h"
#include "evidence/checks.h"

static void finding_free(struct finding *f)
{
	buf_free(&f->expected);
	buf_free(&f->actual);
	buf_free(&f->hint);
}

static enum check_result word_of(enum outcome o)
{
	switch (o) {
	case PASSED:
		return CHECK_PASS;
	case WARNED:
		return CHECK_WARN;
	case FAILED:
		return CHECK_FAIL;
	case NOT_ASKED:
	case NOT_RUN:
		break;
	}
	return CHECK_SKIP;
}

static void add_text(struct json *to, const char *name, const struct buf *b)
{
	if (b->n)
		json_add_str(to, name, buf_cstr(b));
}

static void record(struct tally *t, const struct check *c, enum outcome o, const struct finding *f)
{
	struct json *j = json_add_object(t->list, NULL);

	json_add_str(j, "id", c->id);
	if (t->object)
		json_add_str(j, "object", t->object);
	json_add_str(j, "result", check_word(word_of(o)));
	add_text(j, "expected", &f->expected);
	add_text(j, "actual", &f->actual);
	if (f->source)
		json_add_str(j, "source", f->source);
	add_text(j, "hint", &f->hint);
	if (o == FAILED && t->reason.n == 0) {
		buf_printf(&t->reason, "%s%s%s", c->id, t->object ? " of " : "", t->object ? t->object : "");
		if (f->expected.n)
			buf_printf(&t->reason, ": wanted %s", buf_cstr(&f->expected));
		if (f->actual.n)
			buf_printf(&t->reason, "%s %s", f->expected.n ? ", is" : ":", buf_cstr(&f->actual));
	}
}

/* A policy can soften what a check found, but never one that everything else stands on. */
static enum outcome run_one(const struct check *c, void *parsed, const struct expect *x, enum rule rule,
			    struct finding *f)
{
	enum outcome o;

	o = c->run(parsed, x, f);
	if (o == NOT_ASKED && rule == RULE_REQUIRE) {
		f->source = x->limits->source;
		if (f->expected.n == 0)
			buf_puts(&f->expected, "checked: the policy requires it by name");
		if (f->actual.n == 0)
			buf_puts(&f->actual, "not checked");
		return FAILED;
	}
	if (o == WARNED && rule == RULE_REQUIRE && (c->weight == CHECK_ADVISORY || c->weight == CHECK_WHERE_ASKED)) {
		f->source = x->limits->source;
		return FAILED;
	}
	if (o == FAILED && rule == RULE_WARN && c->weight != CHECK_BASE && !f->final) {
		f->source = x->limits->source;
		return WARNED;
	}
	return o;
}

/* One that has to hold by default is missed when it is ignored: the reader has to know. */
static enum outcome ignore(const struct check *c, const struct expect *x, struct finding *f)
{
	buf_puts(&f->hint, "ignored by the policy");
	f->source = x->limits->source;
	return c->weight == CHECK_PLAIN || c->weight == CHECK_WHERE_THERE ? WARNED : NOT_ASKED;
}

static void say_unproved(struct tally *t, const struct check *c, bool ran)
{
	if (t->reason.n)
		return;
	buf_printf(&t->reason, ran ? "%s: was not established" : "%s: not run, because a check that it stands on was ignored or had nothing to compare",
		   c->id);
}

bool checks_run(struct tally *t, const struct check *c, size_t n, void *parsed, const struct expect *x, rule_of *rule,
		const void *rule_arg)
{
	uint64_t held = 0;
	size_t good = 0;

	if (n == 0 || n > CHECKS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const enum rule r = rule(rule_arg, c[i].id);
		const bool ignored = r == RULE_IGNORE && c[i].weight != CHECK_BASE;
		struct finding f = { 0 };
		enum outcome o = NOT_RUN;

		if (ignored)
			o = ignore(&c[i], x, &f);
		else if ((c[i].needs & held) == c[i].needs)
			o = run_one(&c[i], parsed, x, r, &f);
		else
			buf_puts(&f.hint, "not run: a check that it stands on did not hold");
		if (!ignored && (o == PASSED || o == WARNED))
			held |= NEEDS(i);
		if (o == WARNED)
			t->warned = true;
		if (o == PASSED || o == WARNED || (o == NOT_ASKED && c[i].weight != CHECK_BASE))
			good++;
		record(t, &c[i], o, &f);
		if (o == NOT_RUN || (o == NOT_ASKED && c[i].weight == CHECK_BASE))
			say_unproved(t, &c[i], o != NOT_RUN);
		finding_free(&f);
	}
	return good == n;
}

enum outcome found(struct finding *f, bool holds, const char *expected, const char *actual)
{
	if (expected)
		buf_puts(&f->expected, expected);
	if (actual)
		buf_puts(&f->actual, actual);
	return holds ? PASSED : FAILED;
}

enum outcome found_u64(struct finding *f, bool holds, const char *expected, uint64_t actual)
{
	buf_printf(&f->actual, "%llu", (unsigned long long)actual);
	return found(f, holds, expected, NULL);
}

enum outcome found_listed(struct finding *f, const struct texts *list, struct slice value, const char *source)
{
	AUTO_BUF hex = { 0 };

	if (list->n == 0) {
		buf_puts(&f->hint, "the policy names none");
		return NOT_ASKED;
	}
	buf_hex(&hex, value);
	buf_slice(&f->actual, buf_view(&hex));
	f->source = source;
	if (list->n == 1)
		buf_puts(&f->expected, list->v[0]);
	else
		buf_printf(&f->expected, "one of %zu values", list->n);
	return !hex.bad && texts_have(list, buf_cstr(&hex)) ? PASSED : FAILED;
}
