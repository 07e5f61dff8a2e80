/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_CODEC_XML_H
#define CVMBOX_CODEC_XML_H

/* XML 1.0 with namespaces, strict, for hostile input, and its canonical form.  The only room that knows expat.
 *
 * Parsing refuses (EC_FORMAT): document type declarations and with them all entities but the five of XML itself, processing
 * instructions, encodings other than UTF-8, versions other than 1.0, anything not well-formed or not namespace-well-formed, nesting over
 * XML_DEPTH_MAX, over XML_NODES_MAX nodes (elements, runs of text, attributes, declarations), over XML_ATTRS_MAX attributes and
 * declarations of one element, one attribute under two prefixes.  Beyond the recommendations it refuses names with characters
 * outside ASCII, declarations of the prefixes xml and xmlns, namespace names that are no absolute URI (RFC 3986) or
 * longer than XML_URI_MAX, and over XML_SCOPE_MAX declarations in scope.  An XML declaration and comments are taken and belong
 * to no tree; CDATA sections are text.  Memory is bounded by a multiple of the input. */

#include "base/buf.h"

#define XML_DEPTH_MAX 32
#define XML_NODES_MAX 65536
#define XML_ATTRS_MAX 4096
#define XML_SCOPE_MAX 64
#define XML_URI_MAX 1024

struct xml;
#define AUTO_XML __attribute__((cleanup(xml_cleanup))) struct xml
struct xml_node;		/* an element or a run of text; lives as long as its document */

int xml_parse(struct xml **ret, struct slice text, size_t max, struct err *e);
void xml_free(struct xml *x);				/* NULL allowed */
void xml_cleanup(struct xml **x);
const struct xml_node *xml_root(const struct xml *x);

/* Reading.  All accept NULL.  Names are compared byte for byte; uri "" means: in no namespace. */
bool xml_is(const struct xml_node *n, const char *uri, const char *local);	/* an element of that name */
const struct xml_node *xml_first(const struct xml_node *n);			/* first child that is an element */
const struct xml_node *xml_next(const struct xml_node *n);			/* next sibling that is an element */
const struct xml_node *xml_child(const struct xml_node *n, const char *uri, const char *local);	/* first of that name */
size_t xml_count(const struct xml_node *n, const char *uri, const char *local);	/* in the whole subtree, n itself too */
/* The value of an attribute, with references resolved and white space normalised (XML 1.0, 3.3.3); false: it is not there. */
bool xml_attr(struct slice *ret, const struct xml_node *n, const char *uri, const char *local);
size_t xml_attr_count(const struct xml_node *n);				/* without namespace declarations */
/* All text inside, in document order, appended; elements inside are an error. */
int xml_text(struct buf *ret, const struct xml_node *n, struct err *e);
bool xml_no_text(const struct xml_node *n);	/* between the elements directly inside is nothing but white space */
/* Its attributes one by one, sorted by namespace and name; false: there is no i-th. */
bool xml_attr_at(const char **uri, const char **local, struct slice *value, const struct xml_node *n, size_t i);

/* Canonical XML 1.1 (W3C, 2 May 2008), inclusive, without comments, of the subtree at apex, appended; `without` (may be NULL) and all
 * in it is left out, as the enveloped-signature transform does.  With the apex come the namespace declarations in
 * scope there and xml:lang and xml:space from above; other attributes of the prefix xml above the apex are EC_FORMAT (xml:base would
 * have to be joined). */
int xml_c14n(struct buf *ret, const struct xml_node *apex, const struct xml_node *without, struct err *e);

#endif
