/* SPDX-License-Identifier: Apache-2.0 */
/* See tpm_maker.h. */

#include "tpm_maker.h"
#include "base/cursor.h"
#include "test.h"

const struct privkey *maker_key(enum maker_key k)
{
	static struct privkey keys[N_MAKER_KEYS];

	if (keys[k].type == KEY_NONE)
		WORKS(privkey_generate(&keys[k], k == MAKER_RSA ? KEY_RSA : KEY_EC_P256, 2048, &e));
	return &keys[k];
}

void maker_public(struct pubkey *ret, enum maker_key k)
{
	WORKS(privkey_public(ret, maker_key(k), &e));
}

void maker_pcrs(struct tpm_pcrs *ret, uint16_t bank, uint32_t mask)
{
	*ret = (struct tpm_pcrs){ .bank = bank, .mask = mask };
	for (unsigned n = 0; n < TPM_PCRS; n++)
		for (size_t i = 0; i < hash_size(tpm_hash(bank)); i++)
			if (mask >> n & 1)
				ret->v[n][i] = (uint8_t)(n + i);
}

static void put_selection(struct buf *b, uint16_t bank, uint32_t mask)
{
	buf_be16(b, bank);
	buf_byte(b, 3);
	for (int i = 0; i < 3; i++)
		buf_byte(b, (uint8_t)(mask >> (8 * i)));
}

void attest_make(struct buf *ret, const struct attest_make *m)
{
	const uint16_t bank = m->bank ? m->bank : TPM_SHA256;
	const uint32_t mask = m->mask ? m->mask : TPM_ALL_PCRS;
	const enum hash h = m->digest ? m->digest : HASH_SHA256;
	struct tpm_pcrs pcrs;
	uint8_t digest[HASH_MAX];

	if (m->pcrs)
		pcrs = *m->pcrs;
	else
		maker_pcrs(&pcrs, bank, mask);
	buf_be32(ret, m->magic ? m->magic : TPM_MAGIC);
	buf_be16(ret, m->type ? m->type : TPM_ST_QUOTE);
	buf_be16(ret, (uint16_t)(m->signer.n ? m->signer.n : 34));
	if (m->signer.n)
		buf_slice(ret, m->signer);
	else
		buf_fill(ret, 0x0b, 34);
	buf_be16(ret, (uint16_t)m->nonce.n);
	buf_slice(ret, m->nonce);
	buf_be64(ret, 123456);
	buf_be32(ret, 7);
	buf_be32(ret, 2);
	buf_byte(ret, !m->unsafe);
	buf_be64(ret, UINT64_C(0x2020031200120003));
	buf_be32(ret, m->no_pcrs ? 0 : m->second_bank ? 2 : 1);
	if (!m->no_pcrs)
		put_selection(ret, bank, mask);
	if (m->second_bank)
		put_selection(ret, TPM_SHA384, 1);
	WORKS(tpm_pcr_digest(digest, h, &pcrs, &e));
	buf_be16(ret, (uint16_t)hash_size(h));
	buf_put(ret, digest, hash_size(h));
}

void quote_sign(struct buf *ret, struct slice attest, enum maker_key k, uint16_t alg, enum hash h)
{
	const bool rsa = maker_key(k)->type == KEY_RSA;
	AUTO_BUF sig = { 0 };

	if (!alg)
		alg = rsa ? TPM_RSASSA : TPM_ECDSA;
	if (!h)
		h = HASH_SHA256;
	WORKS(sig_sign(&sig, maker_key(k), !rsa ? SIG_ECDSA_RAW : alg == TPM_RSASSA ? SIG_RSA_PKCS1 : SIG_RSA_PSS, h, attest, &e));
	buf_be16(ret, alg);
	buf_be16(ret, tpm_hash_alg(h));
	buf_be16(ret, (uint16_t)(rsa ? sig.n : 32));
	buf_put(ret, sig.p, rsa ? sig.n : 32);
	if (!rsa) {
		buf_be16(ret, 32);
		buf_put(ret, sig.p + 32, 32);
	}
}

void area_make(struct buf *ret, enum maker_key k, uint32_t attributes)
{
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF n = { 0 }, ex = { 0 };
	uint8_t x[32], y[32];
	const bool rsa = maker_key(k)->type == KEY_RSA;

	maker_public(&pub, k);
	buf_be16(ret, rsa ? TPM_RSA : TPM_ECC);
	buf_be16(ret, TPM_SHA256);
	buf_be32(ret, attributes ? attributes : 0x00050472);
	buf_be16(ret, 0);
	buf_be16(ret, TPM_NULL);
	buf_be16(ret, rsa ? TPM_RSASSA : TPM_ECDSA);
	buf_be16(ret, TPM_SHA256);
	if (rsa) {
		WORKS(pubkey_rsa_ne(&n, &ex, &pub, &e));
		buf_be16(ret, 2048);
		buf_be32(ret, 0);
		buf_be16(ret, (uint16_t)n.n);
		buf_slice(ret, buf_view(&n));
		return;
	}
	WORKS(pubkey_ec_xy(x, y, &pub, &e));
	buf_be16(ret, 3);
	buf_be16(ret, TPM_NULL);
	buf_be16(ret, 32);
	buf_put(ret, x, 32);
	buf_be16(ret, 32);
	buf_put(ret, y, 32);
}

void area_signer(struct buf *ret, struct slice area, uint32_t hierarchy)
{
	AUTO_BUF in = { 0 };
	uint8_t digest[32];

	WORKS(hash_of(digest, HASH_SHA256, area, &e));
	buf_be32(&in, hierarchy);
	buf_be16(&in, TPM_SHA256);
	buf_put(&in, digest, sizeof digest);
	WORKS(hash_of(digest, HASH_SHA256, buf_view(&in), &e));
	buf_be16(ret, TPM_SHA256);
	buf_put(ret, digest, sizeof digest);
}

/* --- a TPM -------------------------------------------------------------------------------------------------- */

void tpm_sim_init(struct tpm_sim *s)
{
	*s = (struct tpm_sim){ .counter = 20 };
	maker_pcrs(&s->pcrs, TPM_SHA256, TPM_ALL_PCRS);
}

void tpm_sim_free(struct tpm_sim *s)
{
	for (size_t i = 0; i < 4; i++)
		buf_free(&s->nv[i].data);
}

static uint32_t sim_capability(struct buf *out, struct rd *r)
{
	const uint32_t cap = rd_be32(r), property = rd_be32(r);

	buf_byte(out, 0);
	buf_be32(out, cap);
	buf_be32(out, 1);
	if (cap == 5) {
		put_selection(out, TPM_SHA256, TPM_ALL_PCRS);
		return 0;
	}
	buf_be32(out, property);
	buf_be32(out, property == TPM_PT_NV_BUFFER_MAX ? 1024 : 0x494d4c4b);
	return 0;
}

static uint32_t sim_pcr_read(struct tpm_sim *s, struct buf *out, struct rd *r)
{
	uint32_t want = 0, got = 0, n = 0;
	struct slice bits;

	rd_skip(r, 6);
	bits = rd_take(r, rd_u8(r));
	for (size_t i = 0; i < bits.n && i < 3; i++)
		want |= (uint32_t)bits.p[i] << (8 * i);
	if (want != TPM_ALL_PCRS && s->counter_changes > 0) {
		s->counter_changes--;
		s->counter++;
	}
	for (unsigned i = 0; i < TPM_PCRS && n < 8; i++)
		if (want >> i & 1) {
			got |= UINT32_C(1) << i;
			n++;
		}
	buf_be32(out, s->counter);
	buf_be32(out, 1);
	put_selection(out, TPM_SHA256, got);
	buf_be32(out, n);
	for (unsigned i = 0; i < TPM_PCRS; i++)
		if (got >> i & 1) {
			buf_be16(out, 32);
			buf_put(out, s->pcrs.v[i], 32);
		}
	return 0;
}

static void sim_area(struct tpm_sim *s, struct buf *ret)
{
	area_make(ret, s->only_rsa ? MAKER_RSA : MAKER_ECC, 0);
}

static uint32_t sim_create(struct tpm_sim *s, struct buf *out, struct rd *r)
{
	const uint32_t hierarchy = rd_be32(r);
	AUTO_BUF area = { 0 };

	rd_skip(r, 13 + 6 + 2);
	if (s->no_endorsement && hierarchy == TPM_RH_ENDORSEMENT)
		return 0x9a2;
	if (s->only_rsa && rd_be16(r) != TPM_RSA)
		return 0x2ca;		/* parameter 2: type */
	sim_area(s, &area);
	s->loaded++;
	buf_be32(out, 0x80000000);
	buf_be32(out, (uint32_t)(2 + area.n));
	buf_be16(out, (uint16_t)area.n);
	buf_slice(out, buf_view(&area));
	return 0;
}

static uint32_t sim_quote(struct tpm_sim *s, struct buf *out, struct rd *r)
{
	AUTO_BUF attest = { 0 }, sig = { 0 }, area = { 0 }, signer = { 0 };
	struct slice nonce, bits;
	uint32_t mask = 0;

	rd_skip(r, 4 + 13);
	nonce = rd_take(r, rd_be16(r));
	if (nonce.n > (s->nonce_max ? s->nonce_max : 66))
		return 0x1d5;
	rd_skip(r, 2 + 4 + 2);
	bits = rd_take(r, rd_u8(r));
	for (size_t i = 0; i < bits.n && i < 3; i++)
		mask |= (uint32_t)bits.p[i] << (8 * i);
	if (s->changes > 0) {
		s->changes--;
		s->pcrs.v[10][0]++;
		s->counter++;
	}
	s->pcrs.mask = mask;
	sim_area(s, &area);
	area_signer(&signer, buf_view(&area), s->no_endorsement ? TPM_RH_OWNER : TPM_RH_ENDORSEMENT);
	attest_make(&attest, &(const struct attest_make){ .mask = mask, .nonce = nonce, .pcrs = &s->pcrs, .signer = buf_view(&signer) });
	s->pcrs.mask = TPM_ALL_PCRS;
	quote_sign(&sig, buf_view(&attest), s->only_rsa ? MAKER_RSA : MAKER_ECC, 0, HASH_NONE);
	buf_be32(out, (uint32_t)(2 + attest.n + sig.n));
	buf_be16(out, (uint16_t)attest.n);
	buf_slice(out, buf_view(&attest));
	buf_slice(out, buf_view(&sig));
	return 0;
}

static uint32_t sim_nv(struct tpm_sim *s, struct buf *out, uint32_t code, struct rd *r)
{
	uint32_t index = rd_be32(r);
	size_t i = 0, size, at;

	if (code == 0x14e) {
		index = rd_be32(r);
		rd_skip(r, 13);
	}
	while (i < s->n_nv && s->nv[i].index != index)
		i++;
	if (i == s->n_nv)
		return 0x18b;
	if (code == 0x169) {
		buf_be16(out, 14);
		buf_be32(out, index);
		buf_be16(out, TPM_SHA256);
		buf_be32(out, s->nv[i].attributes);
		buf_be16(out, 0);
		buf_be16(out, (uint16_t)s->nv[i].data.n);
		buf_be16(out, 0);
		return 0;
	}
	size = rd_be16(r);
	at = rd_be16(r);
	if (size > (s->chunk ? s->chunk : 1024))
		return 0x1c4;
	if (at + size > s->nv[i].data.n)
		return 0x146;
	buf_be32(out, (uint32_t)(2 + size));
	buf_be16(out, (uint16_t)size);
	buf_put(out, s->nv[i].data.p + at, size);
	return 0;
}

static uint32_t sim_read_public(struct tpm_sim *s, struct buf *out, struct rd *r)
{
	AUTO_BUF area = { 0 };
	const uint32_t handle = rd_be32(r);

	if (handle != s->persistent)
		return 0x18b;
	sim_area(s, &area);
	buf_be16(out, (uint16_t)area.n);
	buf_slice(out, buf_view(&area));
	return 0;
}

void tpm_sim_answer(struct tpm_sim *s, struct buf *ret, struct slice command)
{
	AUTO_BUF out = { 0 };
	struct rd r = rd_of(command);
	const uint16_t tag = rd_be16(&r);
	uint32_t code, rc = 0;

	rd_skip(&r, 4);
	code = rd_be32(&r);
	if (s->busy > 0) {
		s->busy--;
		rc = 0x922;
	} else {
		switch (code) {
		case 0x17a: rc = sim_capability(&out, &r); break;
		case 0x17e: rc = sim_pcr_read(s, &out, &r); break;
		case 0x131: rc = sim_create(s, &out, &r); break;
		case 0x158: rc = sim_quote(s, &out, &r); break;
		case 0x165: s->loaded--; break;
		case 0x169: case 0x14e: rc = sim_nv(s, &out, code, &r); break;
		case 0x173: rc = sim_read_public(s, &out, &r); break;
		default: rc = 0x143;
		}
	}
	if (rc)
		out.n = 0;
	else if (tag == 0x8002)
		buf_put(&out, "\0\0\1\0\0", 5);
	buf_be16(ret, rc ? 0x8001 : tag);
	buf_be32(ret, (uint32_t)(10 + out.n));
	buf_be32(ret, rc);
	buf_slice(ret, buf_view(&out));
}

static int transmit(struct tpm *t, struct buf *ret, struct slice command, struct err *e)
{
	tpm_sim_answer(t->arg, ret, command);
	return buf_check(ret, e);
}

void tpm_sim_attach(struct tpm *t, struct tpm_sim *s, const struct host *h)
{
	*t = (struct tpm){ .h = h, .transmit = transmit, .arg = s, .where = "sim", .fd = -1 };
}
