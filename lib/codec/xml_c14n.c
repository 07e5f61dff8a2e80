/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical XML 1.1, inclusive, without comments. */

#include <string.h>

#include "codec/xml_int.h"

struct writer {
	struct buf *out;
	const struct xml_node *without;
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
	if (is_apex)
		apex_declarations(w->out, n);
	else
		own_declarations(w->out, n);
	for (size_t i = 0; i < n->n_attrs; i++) {
		buf_byte(w->out, ' ');
		qname(w->out, &n->attrs[i].name);
		value(w->out, n->attrs[i].value, n->attrs[i].n);
	}
	buf_byte(w->out, '>');
	for (const struct xml_node *c = n->first; c; c = c->next)
		element(w, c, false);
	buf_puts(w->out, "</");
	qname(w->out, &n->name);
	buf_byte(w->out, '>');
}

static bool has_xml_attr(const struct xml_node *n)
{
	for (size_t i = 0; i < n->n_attrs; i++)
		if (!strcmp(n->attrs[i].name.uri, XML_NAMESPACE))
			return true;
	return false;
}

static bool any_xml_attr(const struct xml_node *n, const struct xml_node *without)
{
	if (n->text || n == without)
		return false;
	if (has_xml_attr(n))
		return true;
	for (n = n->first; n; n = n->next)
		if (any_xml_attr(n, without))
			return true;
	return false;
}

int xml_c14n(struct buf *ret, const struct xml_node *apex, const struct xml_node *without, struct err *e)
{
	struct writer w = { ret, without };
	bool inherited = false;

	if (!apex || apex->text || apex == without)
		return err_set(e, EC_BUG, "XML: there is no element to write");
	for (const struct xml_node *n = apex->parent; n; n = n->parent)
		inherited |= has_xml_attr(n);
	if (inherited || any_xml_attr(apex, without))
		return err_set(e, EC_FORMAT, "XML has attributes of the prefix 'xml', which are not taken in what is signed");
	element(&w, apex, true);
	return buf_check(ret, e);
}
