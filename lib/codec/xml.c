/* SPDX-License-Identifier: Apache-2.0 */
/* XML into a tree that keeps prefixes and declarations: what a canonical form needs.  Expat tells tokens and well-formedness; names
 * are resolved here, because its own resolution copies the namespace name once for each attribute that has a prefix. */

#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec/xml_int.h"

#define XMLNS_URI "http://www.w3.org/2000/xmlns/"
#define CHUNK ((size_t)32 << 10)

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct xml {
	struct chunk *chunks;		/* the newest one first */
	struct xml_node *root;
};

struct parse {			/* one call of xml_parse */
	XML_Parser expat;
	struct xml *doc;
	struct xml_node *open;		/* the innermost element that has begun */
	unsigned depth;
	size_t nodes, scope;		/* so far; declarations in scope */
	struct buf text;		/* of the run that has begun */
	bool failed;
	struct err *e;
};

/* --- memory ----------------------------------------------------------------------------------------------- */

static void *take(struct parse *p, size_t n)
{
	struct chunk *c = p->doc->chunks;
	void *ret;

	n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!c || c->size - c->used < n) {
		const size_t size = n > CHUNK ? n : CHUNK;

		c = calloc(1, sizeof *c + size);
		if (!c)
			return NULL;
		*c = (struct chunk){ p->doc->chunks, 0, size };
		p->doc->chunks = c;
	}
	ret = (uint8_t *)c->data + c->used;
	c->used += n;
	return ret;
}

static char *keep(struct parse *p, const void *from, size_t n)
{
	char *ret = take(p, n + 1);

	if (ret && n)
		memcpy(ret, from, n);
	return ret;
}

void xml_free(struct xml *x)
{
	if (!x)
		return;
	for (struct chunk *c = x->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(x);
}

void xml_cleanup(struct xml **x)
{
	xml_free(*x);
	*x = NULL;
}

/* --- failing ------------------------------------------------------------------------------------------------ */

static bool stop(struct parse *p)
{
	p->failed = true;
	XML_StopParser(p->expat, XML_FALSE);
	return false;
}

static bool refuse(struct parse *p, const char *why, const char *what)
{
	if (!p->failed)
		err_set(p->e, EC_FORMAT, "XML, line %lu: %s%s%.64s%s", (unsigned long)XML_GetCurrentLineNumber(p->expat), why, what ? " '" : "",
			what ? what : "", what ? "'" : "");
	return stop(p);
}

static bool no_memory(struct parse *p)
{
	err_oom(p->e);
	return stop(p);
}

static bool count(struct parse *p, size_t n)
{
	p->nodes += n;
	return p->nodes <= XML_NODES_MAX || refuse(p, "there are too many nodes", NULL);
}

/* --- names -------------------------------------------------------------------------------------------------- */

static bool is_ncname(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const bool start = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_';

		if (!start && (i == 0 || !((s[i] >= '0' && s[i] <= '9') || s[i] == '-' || s[i] == '.')))
			return false;
	}
	return n > 0;
}

/* Prefix and local part; the namespace comes later. */
static bool split(struct parse *p, struct xml_name *ret, const char *qname)
{
	const char *colon = strchr(qname, ':');
	const size_t prefix = colon ? (size_t)(colon - qname) : 0;
	const char *local = colon ? colon + 1 : qname;

	if ((colon && !is_ncname(qname, prefix)) || !is_ncname(local, strlen(local)))
		return refuse(p, "not a name that is taken here:", qname);
	ret->prefix = keep(p, qname, prefix);
	ret->local = keep(p, local, strlen(local));
	return (ret->prefix && ret->local) || no_memory(p);
}

const char *xml_scope(const struct xml_node *n, const char *prefix)
{
	for (; n; n = n->parent)
		for (size_t i = 0; i < n->n_decls; i++)
			if (!strcmp(n->decls[i].prefix, prefix))
				return n->decls[i].uri;
	return prefix[0] ? NULL : "";
}

static bool resolve(struct parse *p, struct xml_name *name, const struct xml_node *at, bool is_attr)
{
	if (!strcmp(name->prefix, "xml"))
		name->uri = XML_NAMESPACE;
	else if (!strcmp(name->prefix, "xmlns"))
		return refuse(p, "the prefix 'xmlns' stands before a name:", name->local);
	else if (is_attr && !name->prefix[0])
		name->uri = "";
	else
		name->uri = xml_scope(at, name->prefix);
	return name->uri || refuse(p, "a prefix that is not declared:", name->prefix);
}

/* --- declarations -------------------------------------------------------------------------------------------- */

/* RFC 3986 4.3: a scheme in front, and no character that no URI has (nor brackets). */
static bool is_absolute(const char *uri)
{
	const char *s = uri;

	while ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
	       (s > uri && ((*s >= '0' && *s <= '9') || *s == '+' || *s == '-' || *s == '.')))
		s++;
	if (s == uri || *s != ':')
		return false;
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') && !strchr("-._~:/?#@!$&'()*+,;=%", *s))
			return false;
	return true;
}

/* qname: "xmlns" or "xmlns:prefix" */
static bool declare(struct parse *p, struct xml_decl *ret, const char *qname, const char *uri)
{
	const char *prefix = qname[5] ? qname + 6 : "";

	if (!strcmp(prefix, "xml") || !strcmp(prefix, "xmlns"))
		return refuse(p, "a declaration of the prefix", prefix);
	if (!strcmp(uri, XML_NAMESPACE) || !strcmp(uri, XMLNS_URI))
		return refuse(p, "a declaration of the namespace", uri);
	if (qname[5] && !is_ncname(prefix, strlen(prefix)))
		return refuse(p, "not a prefix that is taken here:", qname);
	if (prefix[0] && !uri[0])
		return refuse(p, "a declaration takes back the prefix", prefix);
	if (strlen(uri) > XML_URI_MAX)
		return refuse(p, "a namespace name is too long:", uri);
	if (uri[0] && !is_absolute(uri))
		return refuse(p, "a namespace name is not an absolute URI:", uri);
	if (++p->scope > XML_SCOPE_MAX)
		return refuse(p, "there are too many namespace declarations", NULL);
	ret->prefix = keep(p, prefix, strlen(prefix));
	ret->uri = keep(p, uri, strlen(uri));
	return (ret->prefix && ret->uri) || no_memory(p);
}

/* --- elements --------------------------------------------------------------------------------------------------- */

static bool declares(const char *qname)
{
	return !strncmp(qname, "xmlns", 5) && (!qname[5] || qname[5] == ':');
}

static int by_prefix(const void *a, const void *b)
{
	const struct xml_decl *x = a, *y = b;

	return strcmp(x->prefix, y->prefix);
}

int xml_attr_order(const struct xml_attr *a, const struct xml_attr *b)
{
	const int c = strcmp(a->name.uri, b->name.uri);

	return c ? c : strcmp(a->name.local, b->name.local);
}

static int by_name(const void *a, const void *b)
{
	return xml_attr_order(a, b);
}

void xml_sort_decls(struct xml_decl *v, size_t n)
{
	if (n)
		qsort(v, n, sizeof *v, by_prefix);
}

static bool set_decls(struct parse *p, struct xml_node *n, const char **atts)
{
	for (; *atts; atts += 2)
		if (declares(*atts) && !declare(p, &n->decls[n->n_decls++], *atts, atts[1]))
			return false;
	xml_sort_decls(n->decls, n->n_decls);
	return true;
}

static bool set_attrs(struct parse *p, struct xml_node *n, const char **atts)
{
	for (; *atts; atts += 2) {
		struct xml_attr *a;

		if (declares(*atts))
			continue;
		a = &n->attrs[n->n_attrs++];
		a->n = strlen(atts[1]);
		a->value = keep(p, atts[1], a->n);
		if (!a->value)
			return no_memory(p);
		if (!split(p, &a->name, *atts) || !resolve(p, &a->name, n, true))
			return false;
	}
	if (n->n_attrs)
		qsort(n->attrs, n->n_attrs, sizeof *n->attrs, by_name);
	for (size_t i = 1; i < n->n_attrs; i++)
		if (!by_name(&n->attrs[i - 1], &n->attrs[i]))
			return refuse(p, "an attribute stands there twice, under two prefixes:", n->attrs[i].name.local);
	return true;
}

static bool fill(struct parse *p, struct xml_node *n, const char *qname, const char **atts)
{
	size_t decls = 0, all = 0;

	for (const char **a = atts; *a; a += 2, all++)
		decls += declares(*a);
	if (all > XML_ATTRS_MAX)
		return refuse(p, "there are too many attributes at", qname);
	if (!count(p, all))
		return false;
	n->decls = take(p, (decls + 1) * sizeof *n->decls);
	n->attrs = take(p, (all - decls + 1) * sizeof *n->attrs);
	if (!n->decls || !n->attrs)
		return no_memory(p);
	return set_decls(p, n, atts) && split(p, &n->name, qname) && resolve(p, &n->name, n, false) && set_attrs(p, n, atts);
}

static struct xml_node *add(struct parse *p)
{
	struct xml_node *n;

	if (!count(p, 1))
		return NULL;
	n = take(p, sizeof *n);
	if (!n) {
		no_memory(p);
		return NULL;
	}
	n->parent = p->open;
	if (!p->open)
		p->doc->root = n;
	else if (p->open->last)
		p->open->last->next = n;
	else
		p->open->first = n;
	if (p->open)
		p->open->last = n;
	return n;
}

static bool end_text(struct parse *p)
{
	struct xml_node *n;

	if (!p->text.n)
		return true;
	n = add(p);
	if (!n)
		return false;
	n->text = keep(p, p->text.p, p->text.n);
	n->n_text = p->text.n;
	buf_reset(&p->text);
	return n->text || no_memory(p);
}

/* --- what expat tells ------------------------------------------------------------------------------------------- */

static void on_start(void *arg, const char *qname, const char **atts)
{
	struct parse *p = arg;
	struct xml_node *n;

	if (p->failed || !end_text(p))
		return;
	if (++p->depth > XML_DEPTH_MAX) {
		refuse(p, "elements are nested too deep, at", qname);
		return;
	}
	n = add(p);
	if (n && fill(p, n, qname, atts))
		p->open = n;
}

static void on_end(void *arg, const char *qname)
{
	struct parse *p = arg;

	(void)qname;
	if (p->failed || !end_text(p))
		return;
	p->scope -= p->open->n_decls;
	p->open = p->open->parent;
	p->depth--;
}

static void on_text(void *arg, const char *s, int n)
{
	struct parse *p = arg;

	if (p->failed)
		return;
	buf_put(&p->text, s, (size_t)n);
	if (p->text.bad)
		no_memory(p);
}

static void on_doctype(void *arg, const char *name, const char *system_id, const char *public_id, int internal)
{
	(void)system_id;
	(void)public_id;
	(void)internal;
	refuse(arg, "a document type declaration, which is not taken:", name);
}

static void on_pi(void *arg, const char *target, const char *data)
{
	(void)data;
	refuse(arg, "a processing instruction, which is not taken:", target);
}

static void on_declaration(void *arg, const char *version, const char *encoding, int standalone)
{
	(void)standalone;
	if (version && strcmp(version, "1.0"))
		refuse(arg, "not version 1.0:", version);
	else if (encoding && strcasecmp(encoding, "UTF-8"))
		refuse(arg, "the encoding is not UTF-8 but", encoding);
}

/* Without this gate, bytes 0 or a byte order mark would make expat change to UTF-16 by itself. */
static int check_bytes(struct slice s, struct err *e)
{
	if (s.n >= 2 && ((s.p[0] == 0xfe && s.p[1] == 0xff) || (s.p[0] == 0xff && s.p[1] == 0xfe)))
		return err_set(e, EC_FORMAT, "XML is in UTF-16, only UTF-8 is taken");
	if (s.n && memchr(s.p, 0, s.n))
		return err_set(e, EC_FORMAT, "XML has a byte 0 at offset %zu", (size_t)((const uint8_t *)memchr(s.p, 0, s.n) - s.p));
	return 0;
}

static int run(struct parse *p, struct slice text)
{
	enum XML_Error code;

	XML_SetUserData(p->expat, p);
	XML_SetElementHandler(p->expat, on_start, on_end);
	XML_SetCharacterDataHandler(p->expat, on_text);
	XML_SetStartDoctypeDeclHandler(p->expat, on_doctype);
	XML_SetProcessingInstructionHandler(p->expat, on_pi);
	XML_SetXmlDeclHandler(p->expat, on_declaration);
	if (XML_Parse(p->expat, (const char *)text.p, (int)text.n, 1) == XML_STATUS_OK && !p->failed)
		return 0;
	if (p->failed)
		return -1;
	code = XML_GetErrorCode(p->expat);
	if (code == XML_ERROR_NO_MEMORY)
		return err_oom(p->e);
	return err_set(p->e, EC_FORMAT, "XML, line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(p->expat), XML_ErrorString(code));
}

int xml_parse(struct xml **ret, struct slice text, size_t max, struct err *e)
{
	AUTO_XML *doc = NULL;
	struct parse p = { .e = e, .text.max = max ? max : 1 };
	int rc;

	if (text.n > max || text.n > INT_MAX)
		return err_set(e, EC_FORMAT, "XML has %zu bytes, at most %zu are taken", text.n, max);
	if (text.n == 0)
		return err_set(e, EC_FORMAT, "XML is empty");
	if (check_bytes(text, e))
		return -1;
	p.doc = doc = calloc(1, sizeof *doc);
	p.expat = XML_ParserCreate("UTF-8");
	if (!doc || !p.expat)
		rc = err_oom(e);
	else
		rc = run(&p, text);
	if (p.expat)
		XML_ParserFree(p.expat);
	buf_free(&p.text);
	if (rc)
		return -1;
	*ret = doc;
	doc = NULL;
	return 0;
}

const struct xml_node *xml_root(const struct xml *x)
{
	return x ? x->root : NULL;
}
