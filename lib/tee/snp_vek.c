/* SPDX-License-Identifier: Apache-2.0 */
/* VCEK and VLEK certificates: see snp_vek.h. */

#include "base/cursor.h"
#include "codec/der.h"
#include "tee/snp_vek.h"

#define AMD "1.3.6.1.4.1.3704.1"

/* Name ::= SEQUENCE OF SET OF SEQUENCE { type OID, value } */
struct slice x509_common_name(struct slice name)
{
	struct rd outer = rd_of(name), r = der_open(&outer, DER_SEQUENCE);

	while (rd_left(&r)) {
		struct rd set = der_open(&r, DER_SET), pair = der_open(&set, DER_SEQUENCE);
		const struct der oid = der_take(&pair, DER_OID);
		struct der value;

		if (pair.bad)
			break;
		if (der_oid_is(oid.body, "2.5.4.3"))
			return der_next(&pair, &value) ? value.body : (struct slice){ 0 };
	}
	return (struct slice){ 0 };
}

bool snp_vek_recognise(const struct cert *c, bool *vlek)
{
	const struct slice cn = x509_common_name(c->subject);

	*vlek = slice_eqs(cn, "SEV-VLEK");
	return *vlek || slice_eqs(cn, "SEV-VCEK");
}

/* "SEV-Milan" signs VCEKs, "SEV-VLEK-Milan" VLEKs. */
static void read_issuer(struct snp_vek *v, const struct cert *c)
{
	const struct slice cn = x509_common_name(c->issuer), sev = SLICE("SEV-"), vlek = SLICE("SEV-VLEK-");
	const bool is_vlek = cn.n > vlek.n && !memcmp(cn.p, vlek.p, vlek.n);
	const size_t skip = is_vlek ? vlek.n : sev.n;

	v->issuer_vlek = is_vlek;
	if (cn.n > skip && !memcmp(cn.p, sev.p, sev.n))
		v->issuer = snp_product_by_name(slice_of(cn.p + skip, cn.n - skip));
}

/* INTEGER 0..255.  ret stays as it is when the extension is absent. */
static int read_spl(int *ret, const struct cert *c, const char *oid, struct err *e)
{
	const struct slice x = cert_ext(c, oid);
	struct rd r = rd_of(x);
	uint32_t v = 0;

	if (x.n == 0)
		return 0;
	if (!der_small(&r, &v) || !der_done(&r) || v > 255)
		return err_set(e, EC_FORMAT, "extension %s of the certificate is not a number from 0 to 255", oid);
	*ret = (int)v;
	return 0;
}

static int read_tcb(struct snp_vek *v, const struct cert *c, struct err *e)
{
	static const char *const part[TCB_PARTS] = {
		[TCB_FMC] = AMD ".3.9", [TCB_BOOTLOADER] = AMD ".3.1", [TCB_TEE] = AMD ".3.2", [TCB_SNP] = AMD ".3.3",
		[TCB_MICROCODE] = AMD ".3.8"
	};
	static const char *const spare[] = { AMD ".3.4", AMD ".3.5", AMD ".3.6", AMD ".3.7" };
	const size_t first = v->product == SNP_TURIN ? 1 : 0;	/* Turin has no spl4 */

	for (size_t i = 0; i < TCB_PARTS; i++) {
		v->spl[i] = -1;
		if (read_spl(&v->spl[i], c, part[i], e))
			return -1;
	}
	for (size_t i = 0; i < sizeof spare / sizeof spare[0]; i++) {
		int n = -1;

		if (read_spl(&n, c, spare[i], e))
			return -1;
		v->spare_set |= n > 0;
		if (n < 0 && i >= first && !v->missing[0])
			snprintf(v->missing, sizeof v->missing, "3.%zu", i + 4);
	}
	return 0;
}

static struct slice ia5(const struct cert *c, const char *oid)
{
	struct rd r = rd_of(cert_ext(c, oid));
	const struct der v = der_take(&r, DER_IA5);

	return der_done(&r) ? v.body : (struct slice){ 0 };
}

/* Raw bytes, or wrapped as an OCTET STRING: the length tells them apart (raw ids may begin with any byte). */
static int read_hwid(struct snp_vek *v, const struct cert *c, struct err *e)
{
	struct slice x = cert_ext(c, AMD ".4");

	if ((x.n == 66 || x.n == 10) && x.p[0] == 0x04 && x.p[1] == x.n - 2)
		x = slice_of(x.p + 2, x.n - 2);
	if (x.n != 0 && x.n != 64 && x.n != 8)
		return err_set(e, EC_FORMAT, "hardware id of the certificate has %zu bytes, wanted 64 or 8", x.n);
	v->hwid = x;
	return 0;
}

int snp_vek_parse(struct snp_vek *ret, const struct cert *c, struct err *e)
{
	struct snp_vek v = { 0 };

	if (!snp_vek_recognise(c, &v.vlek))
		return err_set(e, EC_FORMAT, "certificate is neither a VCEK nor a VLEK");
	read_issuer(&v, c);
	v.product = snp_product_by_name(ia5(c, AMD ".2"));
	v.csp = ia5(c, AMD ".5");
	if (read_tcb(&v, c, e) || read_hwid(&v, c, e))
		return -1;
	*ret = v;
	return 0;
}
