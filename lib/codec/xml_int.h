/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_XML_INT_H
#define CVMBOX_CODEC_XML_INT_H

/* Between the xml*.c files only.  All strings belong to the document. */

#include "codec/xml.h"

struct xml_name {
	const char *prefix, *local, *uri;	/* "" where there is none */
};
struct xml_decl {
	const char *prefix, *uri;		/* prefix "": the default namespace; then uri "" takes it back */
};
struct xml_attr {
	struct xml_name name;
	const char *value;
	size_t n;
};
struct xml_node {
	struct xml_node *parent, *first, *last, *next;
	const char *text;			/* NULL: an element */
	size_t n_text;
	struct xml_name name;
	struct xml_decl *decls;			/* of this element itself, sorted by prefix */
	struct xml_attr *attrs;			/* sorted by namespace, then name */
	size_t n_decls, n_attrs;
};

/* The namespace that a prefix ("": the default) stands for at n, or above where n says nothing; NULL: none, "" for the default. */
const char *xml_scope(const struct xml_node *n, const char *prefix);
int xml_attr_order(const struct xml_attr *a, const struct xml_attr *b);	/* canonical: by namespace, then name */
void xml_sort_decls(struct xml_decl *v, size_t n);

#define XML_NAMESPACE "http://www.w3.org/XML/1998/namespace"

#endif
