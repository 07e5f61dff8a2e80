/* SPDX-License-Identifier: Apache-2.0 */
/* One form of XML signature, element by element: whoever wants to hide something in a signature needs a second element, another
 * attribute or another algorithm, and none of these is taken. */

#include <string.h>

#include "codec/der.h"
#include "codec/hex64.h"
#include "crypto/xmldsig.h"

#define DS "http://www.w3.org/2000/09/xmldsig#"
#define C14N11 "http://www.w3.org/2006/12/xml-c14n11"
#define ENVELOPED "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
#define ECDSA_SHA384 "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
#define SHA384 "http://www.w3.org/2001/04/xmldsig-more#sha384"
#define CERTS_IN_SIGNATURE 8

void xmldsig_free(struct xmldsig *s)
{
	certs_free(&s->certs);
	buf_free(&s->signed_info);
	buf_free(&s->signature);
	*s = (struct xmldsig){ 0 };
}

/* --- its form ---------------------------------------------------------------------------------------------- */

/* n has to be there, with this name and so many attributes. */
static int want(const struct xml_node *n, const char *name, size_t attrs, struct err *e)
{
	if (!xml_is(n, DS, name))
		return err_set(e, EC_FORMAT, "signature: '%s' is not where it has to be", name);
	if (xml_attr_count(n) != attrs)
		return err_set(e, EC_FORMAT, "signature: '%s' has %zu attributes, wanted %zu", name, xml_attr_count(n), attrs);
	return 0;
}

/* The same, for one that holds elements: at first its first. */
static int enter(const struct xml_node **first, const struct xml_node *n, const char *name, struct err *e)
{
	if (want(n, name, 0, e))
		return -1;
	if (!xml_no_text(n))
		return err_set(e, EC_FORMAT, "signature: there is text in '%s'", name);
	*first = xml_first(n);
	return 0;
}

static int nothing_else(const struct xml_node *n, const char *inside, struct err *e)
{
	return n ? err_set(e, EC_FORMAT, "signature: there is more in '%s' than is taken", inside) : 0;
}

/* An empty element whose only attribute names this algorithm. */
static int algorithm(const struct xml_node *n, const char *name, const char *uri, struct err *e)
{
	struct slice seen;

	if (want(n, name, 1, e))
		return -1;
	if (!xml_attr(&seen, n, "", "Algorithm"))
		return err_set(e, EC_FORMAT, "signature: '%s' names no algorithm", name);
	if (!slice_eqs(seen, uri))
		return err_set(e, EC_FORMAT, "signature: algorithm of '%s' is '%.*s', wanted '%s'", name, (int)(seen.n < 96 ? seen.n : 96),
			       (const char *)seen.p, uri);
	if (xml_first(n) || !xml_no_text(n))
		return err_set(e, EC_FORMAT, "signature: '%s' has parameters", name);
	return 0;
}

/* Base64 of XML Schema: white space may stand anywhere. */
static int decoded(struct buf *ret, const struct xml_node *n, const char *name, struct err *e)
{
	AUTO_BUF text = { 0 };
	size_t k = 0;

	if (want(n, name, 0, e) || xml_text(&text, n, e))
		return -1;
	for (size_t i = 0; i < text.n; i++)
		if (!strchr(" \t\r\n", text.p[i]))
			text.p[k++] = text.p[i];
	if (k == 0)
		return err_set(e, EC_FORMAT, "signature: '%s' is empty", name);
	if (b64_decode(ret, slice_of(text.p, k), e))
		return err_ctx(e, "signature: '%s'", name);
	return 0;
}

static int check_transforms(const struct xml_node *n, struct err *e)
{
	const struct xml_node *t;

	if (enter(&t, n, "Transforms", e) || algorithm(t, "Transform", ENVELOPED, e))
		return -1;
	t = xml_next(t);
	if (algorithm(t, "Transform", C14N11, e))
		return -1;
	return nothing_else(xml_next(t), "Transforms", e);
}

/* digest: what it says */
static int read_reference(struct buf *digest, const struct xml_node *n, struct err *e)
{
	const struct xml_node *c = xml_first(n);
	struct slice uri;

	if (want(n, "Reference", 1, e))
		return -1;
	if (!xml_attr(&uri, n, "", "URI") || uri.n)
		return err_set(e, EC_FORMAT, "signature: the reference is not to the whole document (URI=\"\")");
	if (!xml_no_text(n))
		return err_set(e, EC_FORMAT, "signature: there is text in 'Reference'");
	if (check_transforms(c, e))
		return -1;
	c = xml_next(c);
	if (algorithm(c, "DigestMethod", SHA384, e))
		return -1;
	c = xml_next(c);
	if (decoded(digest, c, "DigestValue", e))
		return -1;
	if (digest->n != 48)
		return err_set(e, EC_FORMAT, "signature: 'DigestValue' has %zu bytes, wanted 48", digest->n);
	return nothing_else(xml_next(c), "Reference", e);
}

static int read_signed_info(struct buf *digest, const struct xml_node *n, struct err *e)
{
	const struct xml_node *c;

	if (enter(&c, n, "SignedInfo", e) || algorithm(c, "CanonicalizationMethod", C14N11, e))
		return -1;
	c = xml_next(c);
	if (algorithm(c, "SignatureMethod", ECDSA_SHA384, e))
		return -1;
	c = xml_next(c);
	if (read_reference(digest, c, e))
		return -1;
	return nothing_else(xml_next(c), "SignedInfo", e);
}

static int read_cert(struct cert_list *ret, const struct xml_node *n, struct err *e)
{
	AUTO_BUF der = { 0 };

	if (decoded(&der, n, "X509Certificate", e))
		return -1;
	if (ret->n == CERTS_IN_SIGNATURE)
		return err_set(e, EC_FORMAT, "signature: there are more than %d certificates", CERTS_IN_SIGNATURE);
	if (!der_is_one(buf_view(&der)))
		return err_set(e, EC_FORMAT, "signature: 'X509Certificate' is not one certificate in DER");
	return certs_parse(ret, buf_view(&der), e) ? err_ctx(e, "signature: certificate %zu", ret->n) : 0;
}

static int read_key_info(struct cert_list *ret, const struct xml_node *n, struct err *e)
{
	const struct xml_node *data, *c;

	if (enter(&data, n, "KeyInfo", e) || enter(&c, data, "X509Data", e) || nothing_else(xml_next(data), "KeyInfo", e))
		return -1;
	if (!c)
		return err_set(e, EC_FORMAT, "signature: it holds no certificate");
	for (; c; c = xml_next(c))
		if (read_cert(ret, c, e))
			return -1;
	return 0;
}

static int read_signature(struct xmldsig *ret, struct buf *digest, const struct xml_node *sig, struct err *e)
{
	const struct xml_node *info, *value, *keys;

	if (enter(&info, sig, "Signature", e) || read_signed_info(digest, info, e))
		return -1;
	value = xml_next(info);
	if (decoded(&ret->signature, value, "SignatureValue", e))
		return -1;
	if (ret->signature.n != 96)
		return err_set(e, EC_FORMAT, "signature: 'SignatureValue' has %zu bytes, wanted 96", ret->signature.n);
	keys = xml_next(value);
	if (read_key_info(&ret->certs, keys, e))
		return -1;
	return nothing_else(xml_next(keys), "Signature", e) || xml_c14n(&ret->signed_info, info, NULL, e) ? -1 : 0;
}

/* --- what it says ------------------------------------------------------------------------------------------------ */

static int find(const struct xml_node **ret, const struct xml_node *root, struct err *e)
{
	const size_t n = xml_count(root, DS, "Signature");

	if (n != 1)
		return err_set(e, EC_FORMAT, "document has %zu signatures, wanted one", n);
	*ret = xml_child(root, DS, "Signature");
	return *ret ? 0 : err_set(e, EC_FORMAT, "signature: it does not stand directly in the root of the document");
}

int xmldsig_open(struct xmldsig *ret, const struct xml *doc, struct err *e)
{
	const struct xml_node *root = xml_root(doc), *sig = NULL;
	AUTO_BUF digest = { 0 }, canonical = { 0 };
	struct xmldsig s = { 0 };

	if (find(&sig, root, e))
		return -1;
	if (read_signature(&s, &digest, sig, e) || xml_c14n(&canonical, root, sig, e) ||
	    hash_of(s.digest, HASH_SHA384, buf_view(&canonical), e)) {
		xmldsig_free(&s);
		return -1;
	}
	s.digest_holds = !memcmp(s.digest, digest.p, sizeof s.digest);
	*ret = s;
	return 0;
}

int xmldsig_verify(const struct xmldsig *s, const struct pubkey *key, struct err *e)
{
	if (key->type != KEY_EC_P384)
		return err_set(e, EC_REFUSED, "key of the signature is %s, wanted EC P-384", key_type_name(key->type));
	return sig_verify_msg(key, SIG_ECDSA_RAW, HASH_SHA384, buf_view(&s->signed_info), buf_view(&s->signature), e);
}
