/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical XML 1.1, inclusive, without comments. */

#include <string.h>

#include "codec/xml_int.h"

struct writer {
	struct buf *out;
	const struct xml_node *without;
	const struct xml_attr *inherited[2];	/* by the apex, sorted */
	size_t n_inherited;
};

/* Section 2.3: what is written otherwise, in text and in attribute values. */
static void escaped(struct buf *out, const char *s, size_t n, bool attr)
{
	for (size_t i = 0; i < n; i++) {
		const char c = s[i];

		if (c == '&')
			buf_puts(out, "&amp;");
		else if (c == '<')
			buf_puts(out, "&lt;");
		else if (c == '>' && !attr)
			buf_puts(out, "&gt;");
		else if (c == '"' && attr)
			buf_puts(out, "&quot;");
		else if (c == '\r')
			buf_puts(out, "&#xD;");
		else if (c == '\t' && attr)
			buf_puts(out, "&#x9;");
		else if (c == '\n' && attr)
			buf_puts(out, "&#xA;");
		else
			buf_byte(out, (uint8_t)c);
	}
}

static void value(struct buf *out, const char *s, size_t n)
{
	buf_puts(out, "=\"");
	escaped(out, s, n, true);
	buf_byte(out, '"');
}

static void qname(struct buf *out, const struct xml_name *n)
{
	if (n->prefix[0]) {
		buf_puts(out, n->prefix);
		buf_byte(out, ':');
	}
	buf_puts(out, n->local);
}

static void declaration(struct buf *out, const struct xml_decl *d)
{
	buf_puts(out, d->prefix[0] ? " xmlns:" : " xmlns");
	buf_puts(out, d->prefix);
	value(out, d->uri, strlen(d->uri));
}

/* What its parent has not in force already (2.3, namespace axis); the parent is written, too. */
static void own_declarations(struct buf *out, const struct xml_node *n)
{
	for (size_t i = 0; i < n->n_decls; i++) {
		const char *above = xml_scope(n->parent, n->decls[i].prefix);

		if (!above || strcmp(above, n->decls[i].uri))
			declaration(out, &n->decls[i]);
	}
}

/* All that is in scope at the apex; an empty default is said by saying nothing. */
static void apex_declarations(struct buf *out, const struct xml_node *apex)
{
	struct xml_decl all[XML_SCOPE_MAX];
	size_t n = 0;

	for (const struct xml_node *at = apex; at; at = at->parent)
		for (size_t i = 0; i < at->n_decls; i++)
			if (n < XML_SCOPE_MAX && xml_scope(apex, at->decls[i].prefix) == at->decls[i].uri)
				all[n++] = at->decls[i];
	xml_sort_decls(all, n);
	for (size_t i = 0; i < n; i++)
		if (all[i].uri[0])
			declaration(out, &all[i]);
}

static void attribute(struct buf *out, const struct xml_attr *a)
{
	buf_byte(out, ' ');
	qname(out, &a->name);
	value(out, a->value, a->n);
}

static void apex_attributes(const struct writer *w, const struct xml_node *n)
{
	size_t k = 0;

	for (size_t i = 0; i < n->n_attrs; i++) {
		while (k < w->n_inherited && xml_attr_order(w->inherited[k], &n->attrs[i]) < 0)
			attribute(w->out, w->inherited[k++]);
		attribute(w->out, &n->attrs[i]);
	}
	while (k < w->n_inherited)
		attribute(w->out, w->inherited[k++]);
}

static void element(struct writer *w, const struct xml_node *n, bool is_apex)
{
	if (n == w->without)
		return;
	if (n->text) {
		escaped(w->out, n->text, n->n_text, false);
		return;
	}
	buf_byte(w->out, '<');
	qname(w->out, &n->name);
	if (is_apex) {
		apex_declarations(w->out, n);
		apex_attributes(w, n);
	} else {
		own_declarations(w->out, n);
		for (size_t i = 0; i < n->n_attrs; i++)
			attribute(w->out, &n->attrs[i]);
	}
	buf_byte(w->out, '>');
	for (const struct xml_node *c = n->first; c; c = c->next)
		element(w, c, false);
	buf_puts(w->out, "</");
	qname(w->out, &n->name);
	buf_byte(w->out, '>');
}

static const struct xml_attr *xml_attr_of(const struct xml_node *n, const char *local)
{
	for (; n; n = n->parent)
		for (size_t i = 0; i < n->n_attrs; i++)
			if (!strcmp(n->attrs[i].name.uri, XML_NAMESPACE) && !strcmp(n->attrs[i].name.local, local))
				return &n->attrs[i];
	return NULL;
}

/* Section 2.4: xml:lang and xml:space come along from above.  xml:base would have to be joined, and what else there may be is not known. */
static int inherit(struct writer *w, const struct xml_node *apex, struct err *e)
{
	static const char *const simple[] = { "lang", "space" };

	for (size_t k = 0; k < 2; k++) {
		const struct xml_attr *a = xml_attr_of(apex, simple[k]);

		if (a && a == xml_attr_of(apex->parent, simple[k]))	/* its own would be found before */
			w->inherited[w->n_inherited++] = a;
	}
	for (const struct xml_node *n = apex->parent; n; n = n->parent)
		for (size_t i = 0; i < n->n_attrs; i++)
			if (!strcmp(n->attrs[i].name.uri, XML_NAMESPACE) && strcmp(n->attrs[i].name.local, "lang") &&
			    strcmp(n->attrs[i].name.local, "space"))
				return err_set(e, EC_FORMAT, "XML has an attribute 'xml:%.32s' above what is signed, which is not taken",
					       n->attrs[i].name.local);
	return 0;
}

int xml_c14n(struct buf *ret, const struct xml_node *apex, const struct xml_node *without, struct err *e)
{
	struct writer w = { ret, without };

	if (!apex || apex->text || apex == without)
		return err_set(e, EC_BUG, "XML: there is no element to write");
	if (inherit(&w, apex, e))
		return -1;
	element(&w, apex, true);
	return buf_check(ret, e);
}
