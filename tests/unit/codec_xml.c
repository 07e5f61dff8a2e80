/* SPDX-License-Identifier: Apache-2.0 */
/* XML: what is read, what is refused and why, and canonical forms. */

#include <stdlib.h>

#include "codec/xml.h"
#include "test.h"

#define MAX ((size_t)8 << 20)

static int parse(struct xml **ret, const char *text, struct err *e)
{
	return xml_parse(ret, slice_str(text), MAX, e);
}

/* xmllint --c14n11 says the same of all of these (scripts/interop-xml). */
static const struct form { const char *in, *out; } forms[] = {
	{ "<a/>", "<a></a>" },
	{ "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<!-- c -->\n<a><!-- c --></a>\n<!-- c -->\n", "<a></a>" },
	{ "\xef\xbb\xbf<a>\xc3\xa4\xf0\x9f\x98\x80</a>", "<a>\xc3\xa4\xf0\x9f\x98\x80</a>" },
	{ "<a  b = '1'\n c=\"2\"  />", "<a b=\"1\" c=\"2\"></a>" },
	{ "<a>x<!-- c -->y</a>", "<a>xy</a>" },
	{ "<a><![CDATA[<&>]]>]]&gt;</a>", "<a>&lt;&amp;&gt;]]&gt;</a>" },
	{ "<a>1\r\n2\r3\n&#13;&#x9;&#10;\"'</a>", "<a>1\n2\n3\n&#xD;\t\n\"'</a>" },
	{ "<a b='1\r\n2\t3&#13;&#9;&#10;&quot;&apos;&lt;>&amp;\"'/>", "<a b=\"1 2 3&#xD;&#x9;&#xA;&quot;'&lt;>&amp;&quot;\"></a>" },
	{ "<a b='  x  y  '/>", "<a b=\"  x  y  \"></a>" },
	/* order: no namespace first, then by namespace and not by prefix; and Hash10 before Hash2 */
	{ "<a xmlns:z='urn:a' xmlns:y='urn:b' y:a='1' z:b='2' z:a='3' c='4'/>",
	  "<a xmlns:y=\"urn:b\" xmlns:z=\"urn:a\" c=\"4\" z:a=\"3\" z:b=\"2\" y:a=\"1\"></a>" },
	{ "<a Hash2='' Hash10='' Hash1='' hash=''/>", "<a Hash1=\"\" Hash10=\"\" Hash2=\"\" hash=\"\"></a>" },
	{ "<a xmlns:b='urn:b' xmlns='urn:a' xmlns:B='urn:B'/>", "<a xmlns=\"urn:a\" xmlns:B=\"urn:B\" xmlns:b=\"urn:b\"></a>" },
	/* declarations: only what is not in force already, used or not */
	{ "<a xmlns='urn:a'><b xmlns='urn:a'><c xmlns='urn:c'/></b></a>", "<a xmlns=\"urn:a\"><b><c xmlns=\"urn:c\"></c></b></a>" },
	{ "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'><p:c xmlns:p='urn:1'/></p:b><p:d xmlns:p='urn:1'/></p:a>",
	  "<p:a xmlns:p=\"urn:1\"><p:b xmlns:p=\"urn:2\"><p:c xmlns:p=\"urn:1\"></p:c></p:b><p:d></p:d></p:a>" },
	{ "<a xmlns=''><b xmlns='urn:b'><c xmlns=''><d xmlns=''/></c></b></a>", "<a><b xmlns=\"urn:b\"><c xmlns=\"\"><d></d></c></b></a>" },
	{ "<a><b xmlns:u='urn:unused'><c xmlns:u='urn:unused'/></b></a>", "<a><b xmlns:u=\"urn:unused\"><c></c></b></a>" },
	{ "<a xmlns:p='urn:x&amp;y'/>", "<a xmlns:p=\"urn:x&amp;y\"></a>" },
	{ "<p:a xmlns:p='urn:p' xmlns='urn:p' p:x='1' x='2'/>", "<p:a xmlns=\"urn:p\" xmlns:p=\"urn:p\" x=\"2\" p:x=\"1\"></p:a>" },
	{ "<a> <b/> \n <c/>\t</a> ", "<a> <b></b> \n <c></c>\t</a>" },
};

TEST(xml_canonical_forms)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		AUTO_XML *x = NULL, *again = NULL;
		AUTO_BUF b = { 0 }, twice = { 0 };

		WORKS(parse(&x, forms[i].in, &e));
		WORKS(xml_c14n(&b, xml_root(x), NULL, &e));
		STR(buf_cstr(&b), forms[i].out);
		WORKS(xml_parse(&again, buf_view(&b), MAX, &e));
		WORKS(xml_c14n(&twice, xml_root(again), NULL, &e));
		STR(buf_cstr(&twice), forms[i].out);
	}
}

/* Descends by element numbers, "0/1". */
static const struct xml_node *at(const struct xml *x, const char *path)
{
	const struct xml_node *n = xml_root(x);

	for (; *path; path++) {
		if (*path == '/')
			continue;
		n = xml_first(n);
		for (int k = *path - '0'; k; k--)
			n = xml_next(n);
	}
	return n;
}

TEST(xml_canonical_forms_of_parts)
{
	static const char doc[] = "<r xmlns='urn:r' xmlns:p='urn:p' xmlns:q='urn:q' a='1'>x<p:b xmlns:p='urn:P' xmlns='' z='1'>"
				  "<c xmlns='urn:c'/><d p:e='1'/></p:b>y<s><t/></s>z</r>";
	static const struct { const char *apex, *without, *out; } parts[] = {
		{ "0", NULL, "<p:b xmlns:p=\"urn:P\" xmlns:q=\"urn:q\" z=\"1\"><c xmlns=\"urn:c\"></c><d p:e=\"1\"></d></p:b>" },
		{ "0/0", NULL, "<c xmlns=\"urn:c\" xmlns:p=\"urn:P\" xmlns:q=\"urn:q\"></c>" },
		{ "0/1", NULL, "<d xmlns:p=\"urn:P\" xmlns:q=\"urn:q\" p:e=\"1\"></d>" },
		{ "1", NULL, "<s xmlns=\"urn:r\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\"><t></t></s>" },
		{ "1", "1/0", "<s xmlns=\"urn:r\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\"></s>" },
		{ "", "0", "<r xmlns=\"urn:r\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" a=\"1\">xy<s><t></t></s>z</r>" },
		{ "", "1", "<r xmlns=\"urn:r\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" a=\"1\">x<p:b xmlns=\"\" xmlns:p=\"urn:P\" z=\"1\">"
			   "<c xmlns=\"urn:c\"></c><d p:e=\"1\"></d></p:b>yz</r>" },
	};
	AUTO_XML *x = NULL;

	WORKS(parse(&x, doc, &e));
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		AUTO_BUF b = { 0 };

		WORKS(xml_c14n(&b, at(x, parts[i].apex), parts[i].without ? at(x, parts[i].without) : NULL, &e));
		STR(buf_cstr(&b), parts[i].out);
	}
}

/* Canonical XML 1.1, 2.4: lang and space come along; base would have to be joined, which is not done here. */
TEST(xml_attributes_of_the_xml_prefix_are_inherited)
{
	static const struct { const char *doc, *apex, *out; } parts[] = {
		{ "<a xml:lang='en'><b/></a>", "", "<a xml:lang=\"en\"><b></b></a>" },
		{ "<a xml:lang='en'><b/></a>", "0", "<b xml:lang=\"en\"></b>" },
		{ "<a xml:lang='en'><b xml:lang='de'/></a>", "0", "<b xml:lang=\"de\"></b>" },
		{ "<a xml:lang='en' xml:space='preserve'><b><c><d/></c></b></a>", "0/0", "<c xml:lang=\"en\" xml:space=\"preserve\"><d></d></c>" },
		{ "<a xml:lang='en' xml:space='default'><b xml:lang=''><c/></b></a>", "0/0", "<c xml:lang=\"\" xml:space=\"default\"></c>" },
		{ "<a xml:lang='en' xml:space='default'><b xmlns:p='urn:p' xmlns:h='http://a' h:z='3' z='1' xml:space='preserve' p:a='2'/></a>", "0",
		  "<b xmlns:h=\"http://a\" xmlns:p=\"urn:p\" z=\"1\" h:z=\"3\" xml:lang=\"en\" xml:space=\"preserve\" p:a=\"2\"></b>" },
		{ "<a xml:id='x' xml:base='http://a/'><b xml:base='c'/></a>", "", "<a xml:base=\"http://a/\" xml:id=\"x\"><b xml:base=\"c\"></b></a>" },
		{ "<a xml:base='http://a/'><b/></a>", "0", NULL }, { "<a xml:id='x'><b/></a>", "0", NULL }, { "<a xml:new='x'><b><c/></b></a>", "0/0", NULL },
	};

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		AUTO_XML *x = NULL;
		AUTO_BUF b = { 0 };

		WORKS(parse(&x, parts[i].doc, &e));
		if (parts[i].out) {
			WORKS(xml_c14n(&b, at(x, parts[i].apex), NULL, &e));
			STR(buf_cstr(&b), parts[i].out);
		} else {
			FAILS(xml_c14n(&b, at(x, parts[i].apex), NULL, &e), EC_FORMAT);
			EQ(b.n, 0);
		}
	}
}

TEST(xml_canonical_forms_need_an_element)
{
	AUTO_XML *x = NULL;
	AUTO_BUF b = { 0 };

	WORKS(parse(&x, "<a>x</a>", &e));
	FAILS(xml_c14n(&b, xml_root(x), xml_root(x), &e), EC_BUG);
	FAILS(xml_c14n(&b, NULL, NULL, &e), EC_BUG);
	EQ(b.n, 0);
}

TEST(xml_is_read)
{
	AUTO_XML *x = NULL;
	AUTO_BUF b = { 0 };
	const struct xml_node *r;
	const char *uri, *local;
	struct slice v;

	WORKS(parse(&x, "<r xmlns='urn:r' xmlns:p='urn:p' b='2' p:b='&#x41;&amp;' a='1'>one<!-- c --><![CDATA[two]]>"
			"<p:e/> <e>t&lt;</e><f><e/></f> </r>", &e));
	r = xml_root(x);
	OK(xml_is(r, "urn:r", "r") && !xml_is(r, "", "r") && !xml_is(r, "urn:p", "r") && !xml_is(r, "urn:r", "R") && !xml_is(NULL, "", ""));
	EQ(xml_attr_count(r), 3);
	OK(xml_attr(&v, r, "", "b") && slice_eqs(v, "2"));
	OK(xml_attr(&v, r, "urn:p", "b") && slice_eqs(v, "A&"));
	OK(!xml_attr(&v, r, "urn:r", "b"));		/* the default is not for attributes */
	OK(!xml_attr(&v, r, "", "xmlns") && !xml_attr(&v, NULL, "", "b"));
	OK(xml_attr_at(&uri, &local, &v, r, 0) && !strcmp(local, "a") && !uri[0] && slice_eqs(v, "1"));
	OK(xml_attr_at(&uri, &local, &v, r, 2) && !strcmp(local, "b") && !strcmp(uri, "urn:p"));
	OK(!xml_attr_at(&uri, &local, &v, r, 3));
	OK(xml_is(xml_first(r), "urn:p", "e"));
	OK(xml_is(xml_next(xml_first(r)), "urn:r", "e"));
	OK(xml_child(r, "urn:r", "e") == xml_next(xml_first(r)));
	OK(!xml_child(r, "urn:p", "f") && !xml_next(xml_child(r, "urn:r", "f")) && !xml_first(NULL) && !xml_next(NULL));
	EQ(xml_count(r, "urn:r", "e"), 2);
	EQ(xml_count(r, "urn:p", "e"), 1);
	EQ(xml_count(r, "urn:r", "r"), 1);
	EQ(xml_count(NULL, "", ""), 0);
	WORKS(xml_text(&b, xml_child(r, "urn:r", "e"), &e));
	STR(buf_cstr(&b), "t<");
	FAILS(xml_text(&b, r, &e), EC_FORMAT);
	FAILS(xml_text(&b, NULL, &e), EC_FORMAT);
	OK(!xml_no_text(r) && xml_no_text(xml_child(r, "urn:r", "f")) && xml_no_text(NULL));
}

TEST(xml_refused_and_said_why)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "<!DOCTYPE a><a/>", "document type declaration" },
		{ "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type declaration" },
		{ "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type declaration" },
		{ "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://x/'>%p;]><a/>", "document type declaration" },
		{ "<!DOCTYPE a [<!ATTLIST a b CDATA 'given'>]><a/>", "document type declaration" },
		{ "<a>&x;</a>", "undefined entity" }, { "<a b='&x;'/>", "undefined entity" },
		{ "<?x y?><a/>", "processing instruction" }, { "<a><?x y?></a>", "processing instruction" },
		{ "<a/><?x?>", "processing instruction" },
		{ "<?xml-stylesheet href='x'?><a/>", "processing instruction" },
		{ "<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "encoding is not UTF-8" },
		{ "<?xml version='1.0' encoding='UTF-16'?><a/>", "encoding is not UTF-8" },
		{ "<?xml version='1.1'?><a/>", "not version 1.0" }, { "<?xml encoding='UTF-8'?><a/>", "" },
		{ " <?xml version='1.0'?><a/>", "" },
		{ "<a>\xff</a>", "not well-formed" }, { "<a>\xc0\xaf</a>", "not well-formed" },
		{ "<a>\xed\xa0\x80</a>", "not well-formed" },
		{ "<a>\x01</a>", "not well-formed" }, { "<a>&#1;</a>", "invalid character" }, { "<a>&#0;</a>", "invalid character" },
		{ "<a>&#xD800;</a>", "invalid character" }, { "<a>&#xFFFFFFFFFF;</a>", "invalid character" },
		{ "<a>\xef\xbf\xbf</a>", "not well-formed" },
		{ "<a>", "no element" }, { "<a", "unclosed token" }, { "<a/><a/>", "junk after" }, { "<a/>x", "junk after" },
		{ "x<a/>", "not well-formed" },
		{ "", "empty" }, { " ", "unclosed token" }, { "<!-- -->", "no element" }, { "<a></b>", "mismatched tag" },
		{ "<a b=c/>", "not well-formed" },
		{ "<a b='<'/>", "not well-formed" }, { "<a b='1' b='2'/>", "duplicate attribute" }, { "<a>]]></a>", "not well-formed" },
		{ "<a><!-- -- --></a>", "not well-formed" }, { "<a b='1'c='2'/>", "not well-formed" },
		/* namespaces */
		{ "<p:a/>", "not declared" }, { "<a p:b=''/>", "not declared" }, { "<a><b xmlns:p='urn:p'/><p:c/></a>", "not declared" },
		{ "<a xmlns:p=''/>", "takes back the prefix" }, { "<a xmlns:p='urn:p'><b xmlns:p=''/></a>", "takes back the prefix" },
		{ "<a xmlns:xml='urn:x'/>", "declaration of the prefix 'xml'" },
		{ "<a xmlns:xmlns='urn:x'/>", "declaration of the prefix 'xmlns'" },
		{ "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "declaration of the prefix 'xml'" },
		{ "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "declaration of the namespace" },
		{ "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "declaration of the namespace" },
		{ "<a xmlns='http://www.w3.org/2000/xmlns/'/>", "declaration of the namespace" },
		{ "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", "declaration of the namespace" },
		{ "<xmlns:a/>", "'xmlns' stands before" }, { "<:a/>", "not a name" }, { "<a:/>", "not a name" },
		{ "<a:b:c xmlns:a='urn:a'/>", "not a name" },
		{ "<a:1 xmlns:a='urn:a'/>", "not a name" }, { "<a xmlns:='urn:a'/>", "not a prefix" },
		{ "<a xmlns:1='urn:a'/>", "not a prefix" },
		{ "<a xmlns:a:b='urn:a'/>", "not a prefix" }, { "<\xc3\xa4/>", "not a name" }, { "<a \xc3\xa4='1'/>", "not a name" },
		{ "<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>", "twice" },
		{ "<a xmlns:p='urn:x'><b xmlns:q='urn:x' q:b='1' c='' p:b='2'/></a>", "twice" },
		{ "<a xmlns='relative'/>", "not an absolute URI" }, { "<a xmlns:p='../x'/>", "not an absolute URI" },
		{ "<a xmlns='#x'/>", "not an absolute URI" },
		{ "<a xmlns='1:x'/>", "not an absolute URI" }, { "<a xmlns='urn:\xc3\xa4'/>", "not an absolute URI" },
		{ "<a xmlns='urn:a b'/>", "not an absolute URI" }, { "<a xmlns='urn:&#10;'/>", "not an absolute URI" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_XML *x = NULL;
		struct err e = { 0 };

		if (!parse(&x, bad[i].text, &e) || e.code != EC_FORMAT || !strstr(e.msg, bad[i].why))
			test_fail(__FILE__, __LINE__, "'%s': %d '%s', wanted '%s'", bad[i].text, e.code, e.msg, bad[i].why);
		OK(!x);
	}
}

TEST(xml_other_encodings_are_refused)
{
	static const struct slice bad[] = {
		SLICE("\xff\xfe<\0a\0/\0>\0"), SLICE("\xfe\xff\0<\0a\0/\0>"), SLICE("<\0a\0/\0>\0"), SLICE("\0<\0a\0/\0>"), SLICE("<a>\0</a>"),
		SLICE("<a/>\0"), SLICE("\xff\xfe\0\0<\0\0\0"), SLICE("\xfe\xff")
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_XML *x = NULL;

		FAILS(xml_parse(&x, bad[i], MAX, &e), EC_FORMAT);
	}
}

static void repeat(struct buf *b, const char *fmt, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, fmt, i);
}

/* begin, n times the middle, end */
static int many(const char *begin, const char *fmt, size_t n, const char *end, struct err *e)
{
	AUTO_BUF b = { 0 };
	AUTO_XML *x = NULL;

	buf_puts(&b, begin);
	repeat(&b, fmt, n);
	buf_puts(&b, end);
	return xml_parse(&x, buf_view(&b), MAX, e);
}

static int nested(size_t n, struct err *e)
{
	AUTO_BUF b = { 0 };
	AUTO_XML *x = NULL;

	repeat(&b, "<e%zu>", n);
	for (size_t i = n; i--;)
		buf_printf(&b, "</e%zu>", i);
	return xml_parse(&x, buf_view(&b), MAX, e);
}

TEST(xml_limits)
{
	AUTO_XML *x = NULL;
	AUTO_BUF uri = { 0 };
	struct err seen = { 0 };

	WORKS(nested(XML_DEPTH_MAX, &e));
	FAILS(nested(XML_DEPTH_MAX + 1, &e), EC_FORMAT);
	EQ(nested(100000, &seen), -1);
	HAS(seen.msg, "nested too deep");
	WORKS(many("<r>", "<e%zu/>", XML_NODES_MAX - 1, "</r>", &e));
	EQ(many("<r>", "<e%zu/>", XML_NODES_MAX, "</r>", &seen), -1);
	HAS(seen.msg, "too many nodes");
	EQ(many("<r>", "<e/>%zu", XML_NODES_MAX / 2, "</r>", &seen), -1);	/* texts */
	HAS(seen.msg, "too many nodes");
	EQ(many("<r>", "<e a='%zu'/>", XML_NODES_MAX / 2, "</r>", &seen), -1);	/* attributes */
	HAS(seen.msg, "too many nodes");
	WORKS(many("<r", " a%zu=''", XML_ATTRS_MAX, "/>", &e));
	EQ(many("<r", " a%zu=''", XML_ATTRS_MAX + 1, "/>", &seen), -1);
	HAS(seen.msg, "too many attributes");
	WORKS(many("<r", " xmlns:a%zu='urn:a'", XML_SCOPE_MAX, "/>", &e));
	EQ(many("<r", " xmlns:a%zu='urn:a'", XML_SCOPE_MAX + 1, "/>", &seen), -1);
	HAS(seen.msg, "too many namespace declarations");
	WORKS(many("<r>", "<e xmlns:a%zu='urn:a'/>", 3 * XML_SCOPE_MAX, "</r>", &e));	/* each out of scope at its end */
	buf_puts(&uri, "<r xmlns='urn:");
	buf_fill(&uri, 'x', XML_URI_MAX);
	buf_puts(&uri, "'/>");
	EQ(xml_parse(&x, buf_view(&uri), MAX, &seen), -1);
	HAS(seen.msg, "too long");
	WORKS(xml_parse(&x, SLICE("<a/>"), 4, &e));
	xml_cleanup(&x);
	EQ(xml_parse(&x, SLICE("<a/>"), 3, &seen), -1);
	HAS(seen.msg, "4 bytes, at most 3");
}

TEST(xml_cut_anywhere_is_refused)
{
	static const char doc[] = "<r xmlns='urn:r' xmlns:p='urn:p' a='&#x41;'>t<p:b/><!-- c --><![CDATA[x]]></r>";

	for (size_t n = 0; n < sizeof doc - 1; n++) {
		AUTO_XML *x = NULL;

		FAILS(xml_parse(&x, slice_of(doc, n), MAX, &e), EC_FORMAT);
	}
}
