/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a parsed tree. */

#include <string.h>

#include "codec/xml_int.h"

bool xml_is(const struct xml_node *n, const char *uri, const char *local)
{
	return n && !n->text && !strcmp(n->name.uri, uri) && !strcmp(n->name.local, local);
}

static const struct xml_node *element_from(const struct xml_node *n)
{
	while (n && n->text)
		n = n->next;
	return n;
}

const struct xml_node *xml_first(const struct xml_node *n)
{
	return n ? element_from(n->first) : NULL;
}

const struct xml_node *xml_next(const struct xml_node *n)
{
	return n ? element_from(n->next) : NULL;
}

const struct xml_node *xml_child(const struct xml_node *n, const char *uri, const char *local)
{
	for (n = xml_first(n); n; n = xml_next(n))
		if (xml_is(n, uri, local))
			return n;
	return NULL;
}

size_t xml_count(const struct xml_node *n, const char *uri, const char *local)
{
	size_t ret = xml_is(n, uri, local);

	for (n = xml_first(n); n; n = xml_next(n))
		ret += xml_count(n, uri, local);
	return ret;
}

bool xml_attr(struct slice *ret, const struct xml_node *n, const char *uri, const char *local)
{
	for (size_t i = 0; i < xml_attr_count(n); i++)
		if (!strcmp(n->attrs[i].name.uri, uri) && !strcmp(n->attrs[i].name.local, local)) {
			*ret = slice_of(n->attrs[i].value, n->attrs[i].n);
			return true;
		}
	return false;
}

size_t xml_attr_count(const struct xml_node *n)
{
	return n ? n->n_attrs : 0;
}

bool xml_attr_at(const char **uri, const char **local, struct slice *value, const struct xml_node *n, size_t i)
{
	if (i >= xml_attr_count(n))
		return false;
	*uri = n->attrs[i].name.uri;
	*local = n->attrs[i].name.local;
	*value = slice_of(n->attrs[i].value, n->attrs[i].n);
	return true;
}

int xml_text(struct buf *ret, const struct xml_node *n, struct err *e)
{
	if (!n)
		return err_set(e, EC_FORMAT, "XML: the element is not there");
	if (xml_first(n))
		return err_set(e, EC_FORMAT, "XML: '%.64s' holds elements, wanted only text", n->name.local);
	for (n = n->first; n; n = n->next)
		buf_put(ret, n->text, n->n_text);
	return buf_check(ret, e);
}

bool xml_no_text(const struct xml_node *n)
{
	for (n = n ? n->first : NULL; n; n = n->next)
		for (size_t i = 0; n->text && i < n->n_text; i++)
			if (!strchr(" \t\r\n", n->text[i]))
				return false;
	return true;
}
