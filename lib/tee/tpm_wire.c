/* SPDX-License-Identifier: Apache-2.0 */
/* Structures of TPM 2.0 as bytes: see tpm_wire.h. */

#include "tee/tpm_wire.h"

#include <string.h>

#include "base/cursor.h"

#define RSAES 0x0015		/* a scheme without a hash */
#define ECDAA 0x001a		/* one with a counter as well */
#define DEFAULT_EXPONENT 65537

static const struct {
	uint16_t alg;
	enum hash hash;
	const char *name;
} algs[] = {
	{ TPM_SHA1, HASH_SHA1, "sha1" }, { TPM_SHA256, HASH_SHA256, "sha256" }, { TPM_SHA384, HASH_SHA384, "sha384" },
	{ TPM_SHA512, HASH_SHA512, "sha512" }, { TPM_SM3, HASH_NONE, "sm3" }, { TPM_RSA, HASH_NONE, "rsa" },
	{ TPM_ECC, HASH_NONE, "ecc" }, { TPM_RSASSA, HASH_NONE, "rsassa" }, { TPM_RSAPSS, HASH_NONE, "rsapss" },
	{ TPM_ECDSA, HASH_NONE, "ecdsa" }, { TPM_NULL, HASH_NONE, "null" }
};
#define N_ALGS (sizeof algs / sizeof algs[0])

enum hash tpm_hash(uint16_t alg)
{
	for (size_t i = 0; i < N_ALGS; i++)
		if (algs[i].alg == alg)
			return algs[i].hash;
	return HASH_NONE;
}

uint16_t tpm_hash_alg(enum hash h)
{
	for (size_t i = 0; i < N_ALGS; i++)
		if (h != HASH_NONE && algs[i].hash == h)
			return algs[i].alg;
	return 0;
}

const char *tpm_alg_name(uint16_t alg)
{
	for (size_t i = 0; i < N_ALGS; i++)
		if (algs[i].alg == alg)
			return algs[i].name;
	return "unknown";
}

/* --- PCRs -------------------------------------------------------------------------------------------------- */

struct slice tpm_pcr(const struct tpm_pcrs *p, unsigned n)
{
	if (n >= TPM_PCRS || !(p->mask >> n & 1))
		return (struct slice){ NULL, 0 };
	return slice_of(p->v[n], hash_size(tpm_hash(p->bank)));
}

int tpm_pcr_digest(uint8_t *ret, enum hash h, const struct tpm_pcrs *p, struct err *e)
{
	AUTO_HASHER s = { 0 };

	if (hasher_init(&s, h, e))
		return -1;
	for (unsigned n = 0; n < TPM_PCRS; n++)
		if (p->mask >> n & 1 && hasher_add(&s, tpm_pcr(p, n), e))
			return -1;
	return hasher_end(&s, ret, e);
}

/* A number of at most two digits that is a PCR. */
static bool read_pcr(unsigned *ret, const char **at)
{
	unsigned v = 0, digits = 0;

	for (; **at >= '0' && **at <= '9' && digits < 3; (*at)++, digits++)
		v = v * 10 + (unsigned)(**at - '0');
	*ret = v;
	return digits > 0 && v < TPM_PCRS;
}

static bool read_list(uint32_t *mask, const char *at)
{
	for (;;) {
		unsigned from, to;

		if (!read_pcr(&from, &at))
			return false;
		to = from;
		if (*at == '-' && (at++, !read_pcr(&to, &at)))
			return false;
		if (to < from)
			return false;
		for (; from <= to; from++)
			*mask |= UINT32_C(1) << from;
		if (!*at)
			return true;
		if (*at++ != ',')
			return false;
	}
}

int tpm_pcr_selection(uint16_t *bank, uint32_t *mask, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	char name[16] = "";
	uint32_t m = 0;
	uint16_t alg;

	if (colon && (size_t)(colon - text) < sizeof name)
		memcpy(name, text, (size_t)(colon - text));
	alg = tpm_hash_alg(hash_by_name(name));
	if (alg && !strcmp(colon + 1, "all"))
		m = TPM_ALL_PCRS;
	else if (!alg || !read_list(&m, colon + 1))
		return err_set(e, EC_USAGE, "'%s' selects no PCRs, wanted BANK:LIST, e.g. sha256:0-7,11 or sha256:all", text);
	if (alg == TPM_SHA1)
		return err_set(e, EC_USAGE, "PCRs of the SHA-1 bank prove nothing: wanted sha256, sha384 or sha512");
	*bank = alg;
	*mask = m;
	return 0;
}

void tpm_pcr_list(struct buf *ret, uint32_t mask)
{
	bool first = true;

	for (unsigned n = 0; n < TPM_PCRS; n++) {
		unsigned last = n;

		if (!(mask >> n & 1))
			continue;
		while (last + 1 < TPM_PCRS && mask >> (last + 1) & 1)
			last++;
		buf_printf(ret, first ? "%u" : ",%u", n);
		if (last > n)
			buf_printf(ret, last > n + 1 ? "-%u" : ",%u", last);
		first = false;
		n = last;
	}
}

/* --- TPMS_ATTEST ------------------------------------------------------------------------------------------- */

static struct slice sized(struct rd *r)
{
	return rd_take(r, rd_be16(r));
}

static int read_selection(struct tpm_attest *a, struct rd *r, struct err *e)
{
	const uint32_t n = rd_be32(r);

	if (!r->bad && n > TPM_SELECTIONS)
		return err_set(e, EC_FORMAT, "quote selects PCRs of %u banks, at most %d are read", n, TPM_SELECTIONS);
	for (uint32_t i = 0; !r->bad && i < n; i++) {
		const uint16_t bank = rd_be16(r);
		const struct slice bits = rd_take(r, rd_u8(r));

		a->selection[i].bank = bank;
		a->selection[i].mask = 0;
		for (size_t b = 0; b < bits.n; b++) {
			if (b < TPM_PCRS / 8)
				a->selection[i].mask |= (uint32_t)bits.p[b] << (8 * b);
			else if (bits.p[b])
				return err_set(e, EC_FORMAT, "quote selects a PCR over %d", TPM_PCRS - 1);
		}
		for (uint32_t k = 0; k < i; k++)
			if (a->selection[k].bank == bank)
				return err_set(e, EC_FORMAT, "quote selects the bank 0x%04x twice", bank);
	}
	a->n_selections = n;
	return 0;
}

int tpm_attest_parse(struct tpm_attest *ret, struct slice raw, struct err *e)
{
	struct tpm_attest a = { 0 };
	struct rd r = rd_of(raw);

	a.magic = rd_be32(&r);
	a.type = rd_be16(&r);
	a.signer = sized(&r);
	a.extra = sized(&r);
	a.clock = rd_be64(&r);
	a.resets = rd_be32(&r);
	a.restarts = rd_be32(&r);
	a.safe = rd_u8(&r);
	a.firmware = rd_be64(&r);
	if (!r.bad && a.type == TPM_ST_QUOTE) {
		if (read_selection(&a, &r, e))
			return -1;
		a.digest = sized(&r);
		if (!r.bad && rd_left(&r))
			return err_set(e, EC_FORMAT, "%zu bytes behind the quote's PCR digest", rd_left(&r));
	}
	if (r.bad)
		return err_set(e, EC_FORMAT, "%zu bytes of TPMS_ATTEST end in the middle of it", raw.n);
	*ret = a;
	return 0;
}

/* --- TPMT_PUBLIC ------------------------------------------------------------------------------------------- */

static void read_scheme(struct tpm_public *p, struct rd *r)
{
	if (rd_be16(r) != TPM_NULL)	/* symmetric: only of keys that decrypt */
		rd_skip(r, 4);
	p->scheme = rd_be16(r);
	if (p->scheme != TPM_NULL && p->scheme != RSAES)
		p->scheme_hash = rd_be16(r);
	if (p->scheme == ECDAA)
		rd_skip(r, 2);
}

int tpm_public_parse(struct tpm_public *ret, struct slice raw, struct err *e)
{
	struct tpm_public p = { .raw = raw };
	struct rd r = rd_of(raw);

	p.type = rd_be16(&r);
	p.name_alg = rd_be16(&r);
	p.attributes = rd_be32(&r);
	p.policy = sized(&r);
	if (!r.bad && p.type != TPM_RSA && p.type != TPM_ECC)
		return err_set(e, EC_FORMAT, "TPM key is of type 0x%04x, wanted RSA or ECC", p.type);
	read_scheme(&p, &r);
	if (p.type == TPM_RSA) {
		p.bits = rd_be16(&r);
		p.exponent = rd_be32(&r);
		if (!p.exponent)
			p.exponent = DEFAULT_EXPONENT;
		p.x = sized(&r);
	} else {
		p.curve = rd_be16(&r);
		if (rd_be16(&r) != TPM_NULL)	/* KDF */
			rd_skip(&r, 2);
		p.x = sized(&r);
		p.y = sized(&r);
	}
	if (r.bad)
		return err_set(e, EC_FORMAT, "%zu bytes of a TPM's public area end in the middle of it", raw.n);
	if (rd_left(&r))
		return err_set(e, EC_FORMAT, "%zu bytes behind a TPM's public area", rd_left(&r));
	*ret = p;
	return 0;
}

static enum key_type curve_key(uint16_t curve)
{
	return curve == 3 ? KEY_EC_P256 : curve == 4 ? KEY_EC_P384 : curve == 5 ? KEY_EC_P521 : KEY_NONE;
}

/* Coordinates and signature parts may come without their leading zeros. */
static bool left_pad(uint8_t *ret, size_t n, struct slice v)
{
	if (v.n == 0 || v.n > n)
		return false;
	memset(ret, 0, n - v.n);
	memcpy(ret + n - v.n, v.p, v.n);
	return true;
}

int tpm_public_key(struct pubkey *ret, const struct tpm_public *p, struct err *e)
{
	const enum key_type t = curve_key(p->curve);
	const size_t n = t == KEY_NONE ? 0 : key_type_coord(t);
	uint8_t x[66], y[66], exponent[4];

	if (p->type == TPM_RSA) {
		put_be32(exponent, p->exponent);
		return pubkey_from_rsa(ret, p->x, slice_of(exponent, sizeof exponent), e);
	}
	if (!n)
		return err_set(e, EC_FORMAT, "TPM key is on curve 0x%04x, wanted NIST P-256, P-384 or P-521", p->curve);
	if (!left_pad(x, n, p->x) || !left_pad(y, n, p->y))
		return err_set(e, EC_FORMAT, "TPM key has coordinates of %zu and %zu bytes, wanted %zu", p->x.n, p->y.n, n);
	return pubkey_from_ec(ret, t, slice_of(x, n), slice_of(y, n), e);
}

int tpm_public_name(struct buf *ret, const struct tpm_public *p, struct err *e)
{
	const enum hash h = tpm_hash(p->name_alg);
	uint8_t digest[HASH_MAX];

	if (h == HASH_NONE)
		return err_set(e, EC_FORMAT, "TPM key is named by algorithm 0x%04x, which is not known here", p->name_alg);
	if (hash_of(digest, h, p->raw, e))
		return -1;
	buf_be16(ret, p->name_alg);
	buf_put(ret, digest, hash_size(h));
	return buf_check(ret, e);
}

int tpm_public_attests(const struct tpm_public *p, struct err *e)
{
	static const struct {
		uint32_t bit;
		const char *name, *why;
	} wanted[] = {
		{ TPMA_FIXED_TPM, "fixedTPM", "the key may live in several TPMs" },
		{ TPMA_FIXED_PARENT, "fixedParent", "the key may be moved" },
		{ TPMA_SENSITIVE_ORIGIN, "sensitiveDataOrigin", "the key was made outside the TPM" },
		{ TPMA_RESTRICTED, "restricted", "the key signs anything, also a forged quote" },
		{ TPMA_SIGN, "sign", "the key is not for signing" },
	};

	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (!(p->attributes & wanted[i].bit))
			return err_set(e, EC_REFUSED, "%s is clear: %s", wanted[i].name, wanted[i].why);
	if (p->attributes & TPMA_DECRYPT)
		return err_set(e, EC_REFUSED, "decrypt is set: it is no attestation key");
	return 0;
}

/* --- TPMT_SIGNATURE ---------------------------------------------------------------------------------------- */

int tpm_signature_parse(struct tpm_signature *ret, struct slice raw, struct err *e)
{
	struct tpm_signature s = { 0 };
	struct rd r = rd_of(raw);

	s.alg = rd_be16(&r);
	if (!r.bad && s.alg != TPM_RSASSA && s.alg != TPM_RSAPSS && s.alg != TPM_ECDSA)
		return err_set(e, EC_FORMAT, "TPM signature is of scheme 0x%04x, wanted RSASSA, RSAPSS or ECDSA", s.alg);
	s.hash = rd_be16(&r);
	s.r = sized(&r);
	if (s.alg == TPM_ECDSA)
		s.s = sized(&r);
	if (r.bad)
		return err_set(e, EC_FORMAT, "%zu bytes of a TPM signature end in the middle of it", raw.n);
	if (rd_left(&r))
		return err_set(e, EC_FORMAT, "%zu bytes behind a TPM signature", rd_left(&r));
	*ret = s;
	return 0;
}

int tpm_signature_verify(const struct tpm_signature *s, const struct pubkey *k, struct slice message, struct err *e)
{
	const enum hash h = tpm_hash(s->hash);
	uint8_t rs[2 * 66];
	size_t n;

	if (h == HASH_NONE || h == HASH_SHA1)
		return err_set(e, EC_REFUSED, "signature over hash 0x%04x (%s), wanted SHA-256 or longer", s->hash, tpm_alg_name(s->hash));
	if ((s->alg == TPM_ECDSA) != (k->type != KEY_RSA))
		return err_set(e, EC_REFUSED, "%s signature for a key of type %s", tpm_alg_name(s->alg), key_type_name(k->type));
	if (s->alg != TPM_ECDSA)
		return sig_verify_msg(k, s->alg == TPM_RSASSA ? SIG_RSA_PKCS1 : SIG_RSA_PSS, h, message, s->r, e);
	n = key_type_coord(k->type);
	if (n == 0 || n > 66 || !left_pad(rs, n, s->r) || !left_pad(rs + n, n, s->s))
		return err_set(e, EC_REFUSED, "ECDSA signature with parts of %zu and %zu bytes for a key of %zu", s->r.n, s->s.n, n);
	return sig_verify_msg(k, SIG_ECDSA_RAW, h, message, slice_of(rs, 2 * n), e);
}
