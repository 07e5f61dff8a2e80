/* SPDX-License-Identifier: Apache-2.0 */
/* The extension of PCK certificates: see tdx_pck.h. */

#include "codec/der.h"
#include "tee/snp_vek.h"
#include "tee/tdx_pck.h"

enum {	/* bits of what was seen; the components take 0..15 */
	SEEN_PCESVN = 16, SEEN_CPUSVN, SEEN_PPID, SEEN_TCB, SEEN_PCEID, SEEN_FMSPC, SEEN_TYPE, SEEN_INSTANCE, SEEN_CONFIG,
	SEEN_DYNAMIC, SEEN_CACHED, SEEN_SMT
};
#define BIT(i) (UINT32_C(1) << (i))

struct work {
	struct tdx_pck p;
	uint32_t seen;
	struct err *e;
};

static int once(struct work *w, unsigned bit, const char *name)
{
	if (w->seen & BIT(bit))
		return err_set(w->e, EC_FORMAT, "PCK extension: %s stands there twice", name);
	w->seen |= BIT(bit);
	return 0;
}

static int malformed(struct work *w, const char *name)
{
	return err_set(w->e, EC_FORMAT, "PCK extension: %s is malformed", name);
}

static int octets(struct work *w, struct rd *r, uint8_t *ret, size_t n, unsigned bit, const char *name)
{
	const struct slice v = der_take(r, DER_OCTET_STRING).body;

	if (!der_done(r) || v.n != n)
		return malformed(w, name);
	memcpy(ret, v.p, n);
	return once(w, bit, name);
}

static int number(struct work *w, struct rd *r, uint32_t max, uint32_t *ret, unsigned bit, const char *name)
{
	uint32_t v;

	if (!der_small(r, &v) || !der_done(r) || v > max)
		return malformed(w, name);
	*ret = v;
	return once(w, bit, name);
}

static int flag(struct work *w, struct rd *r, bool *ret, unsigned bit, const char *name)
{
	*ret = der_bool(r);
	return der_done(r) ? once(w, bit, name) : malformed(w, name);
}

/* --- members -------------------------------------------------------------------------------------------- */

/* Last arc of an OID below prefix; 0: another one. */
static unsigned arc_below(struct slice oid, const char *prefix, unsigned max)
{
	char text[64];

	for (unsigned i = 1; i <= max; i++) {
		snprintf(text, sizeof text, "%s.%u", prefix, i);
		if (der_oid_is(oid, text))
			return i;
	}
	return 0;
}

static int tcb_member(struct work *w, struct slice oid, struct rd *r)
{
	const unsigned arc = arc_below(oid, OID_SGX_EXTENSION ".2", 18);
	uint32_t v = 0;

	if (arc >= 1 && arc <= 16) {
		if (number(w, r, 255, &v, arc - 1, "TCB component"))
			return -1;
		w->p.component[arc - 1] = (uint8_t)v;
	} else if (arc == 17) {
		if (number(w, r, 65535, &v, SEEN_PCESVN, "PCESVN"))
			return -1;
		w->p.pcesvn = (uint16_t)v;
	} else if (arc == 18) {
		return octets(w, r, w->p.cpusvn, 16, SEEN_CPUSVN, "CPUSVN");
	}
	return 0;
}

static int config_member(struct work *w, struct slice oid, struct rd *r)
{
	switch (arc_below(oid, OID_SGX_EXTENSION ".7", 3)) {
	case 1:
		return flag(w, r, &w->p.dynamic_platform, SEEN_DYNAMIC, "dynamic platform");
	case 2:
		return flag(w, r, &w->p.cached_keys, SEEN_CACHED, "cached keys");
	case 3:
		return flag(w, r, &w->p.smt_enabled, SEEN_SMT, "SMT");
	}
	return 0;
}

static int pairs(struct work *w, struct rd *r, int (*member)(struct work *, struct slice, struct rd *), const char *name)
{
	struct rd seq = der_open(r, DER_SEQUENCE);

	while (!seq.bad && rd_left(&seq)) {
		struct rd pair = der_open(&seq, DER_SEQUENCE);
		const struct slice oid = der_take(&pair, DER_OID).body;

		if (pair.bad)
			return malformed(w, name);
		if (member(w, oid, &pair))
			return -1;
	}
	return der_done(&seq) && der_done(r) ? 0 : malformed(w, name);
}

static int sgx_type(struct work *w, struct rd *r)
{
	const struct slice v = der_take(r, 0x0a /* ENUMERATED */).body;

	if (!der_done(r) || v.n != 1 || v.p[0] > 0x7f)
		return malformed(w, "SGX type");
	w->p.sgx_type = v.p[0];
	return once(w, SEEN_TYPE, "SGX type");
}

static int top_member(struct work *w, struct slice oid, struct rd *r)
{
	switch (arc_below(oid, OID_SGX_EXTENSION, 7)) {
	case 1:
		return octets(w, r, w->p.ppid, sizeof w->p.ppid, SEEN_PPID, "PPID");
	case 2:
		return once(w, SEEN_TCB, "TCB") || pairs(w, r, tcb_member, "TCB") ? -1 : 0;
	case 3:
		return octets(w, r, w->p.pceid, sizeof w->p.pceid, SEEN_PCEID, "PCE-ID");
	case 4:
		return octets(w, r, w->p.fmspc, sizeof w->p.fmspc, SEEN_FMSPC, "FMSPC");
	case 5:
		return sgx_type(w, r);
	case 6:
		w->p.has_instance = true;
		return octets(w, r, w->p.instance, sizeof w->p.instance, SEEN_INSTANCE, "platform instance id");
	case 7:
		w->p.has_configuration = true;
		return once(w, SEEN_CONFIG, "configuration") || pairs(w, r, config_member, "configuration") ? -1 : 0;
	}
	return 0;
}

int tdx_pck_read(struct tdx_pck *ret, struct slice extension, struct err *e)
{
	static const uint32_t need = 0xffff | BIT(SEEN_PCESVN) | BIT(SEEN_PPID) | BIT(SEEN_TCB) | BIT(SEEN_PCEID) | BIT(SEEN_FMSPC) |
				     BIT(SEEN_TYPE);
	struct work w = { .e = e };
	struct rd r = rd_of(extension);

	if (pairs(&w, &r, top_member, "outer sequence"))
		return -1;
	if ((w.seen & need) != need)
		return err_set(e, EC_FORMAT, "PCK extension: wanted PPID, TCB with 16 components and PCESVN, PCE-ID, FMSPC and SGX type");
	*ret = w.p;
	return 0;
}

int tdx_pck_parse(struct tdx_pck *ret, const struct cert *c, struct err *e)
{
	const struct slice x = cert_ext(c, OID_SGX_EXTENSION);

	if (x.n == 0)
		return err_set(e, EC_FORMAT, "certificate has no PCK extension (" OID_SGX_EXTENSION ")");
	return tdx_pck_read(ret, x, e);
}

bool tdx_pck_recognise(const struct cert *c)
{
	return !c->is_ca && slice_eqs(x509_common_name(c->subject), "Intel SGX PCK Certificate");
}
