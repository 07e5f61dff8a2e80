/* SPDX-License-Identifier: Apache-2.0 */
/* Names of certificates as text. */

#include "codec/der.h"
#include "crypto/x509_int.h"

static const char *short_name(struct slice oid)
{
	static const char *const table[][2] = {
		{ "2.5.4.3", "CN" }, { "2.5.4.5", "serialNumber" }, { "2.5.4.6", "C" }, { "2.5.4.7", "L" }, { "2.5.4.8", "ST" },
		{ "2.5.4.10", "O" }, { "2.5.4.11", "OU" }, { "1.2.840.113549.1.9.1", "emailAddress" },
		{ "0.9.2342.19200300.100.1.25", "DC" }, { "0.9.2342.19200300.100.1.1", "UID" }
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (der_oid_is(oid, table[i][0]))
			return table[i][1];
	return NULL;
}

/* RFC 4514 2.4: what would end the value is escaped, bytes outside printable ASCII as \XX. */
static void put_value(struct buf *ret, struct slice v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 0x20 || v.p[i] >= 0x7f)
			buf_printf(ret, "\\%02x", v.p[i]);
		else if (strchr(",+\"\\<>;=", v.p[i]))
			buf_printf(ret, "\\%c", v.p[i]);
		else
			buf_byte(ret, v.p[i]);
	}
}

static bool put_attribute(struct buf *ret, struct rd *set)
{
	struct rd r = der_open(set, DER_SEQUENCE);
	const struct slice oid = der_take(&r, DER_OID).body;
	struct der value = { 0 };

	if (!der_next(&r, &value) || !der_done(&r))
		return false;
	if (short_name(oid))
		buf_puts(ret, short_name(oid));
	else
		der_oid_text(ret, oid);
	buf_byte(ret, '=');
	put_value(ret, value.body);
	return true;
}

int cert_name(struct buf *ret, struct slice name, struct err *e)
{
	AUTO_BUF text = { .max = (size_t)64 << 10 };
	struct rd outer = rd_of(name), r = der_open(&outer, DER_SEQUENCE);

	while (rd_left(&r)) {
		struct rd set = der_open(&r, DER_SET);

		if (text.n)
			buf_puts(&text, ", ");
		for (bool first = true; first || rd_left(&set); first = false) {
			if (!first)
				buf_byte(&text, '+');
			if (!put_attribute(&text, &set))
				return err_set(e, EC_FORMAT, "name in a certificate is malformed");
		}
	}
	if (!der_done(&r) || !der_done(&outer))
		return err_set(e, EC_FORMAT, "name in a certificate is malformed");
	if (buf_check(&text, e))
		return -1;
	buf_slice(ret, buf_view(&text));
	return buf_check(ret, e);
}
