/* SPDX-License-Identifier: Apache-2.0 */
/* See azure_maker.h. */

#include "azure_maker.h"
#include "base/cursor.h"
#include "codec/hex64.h"
#include "crypto/hash.h"
#include "snp_maker.h"
#include "tdx_maker.h"
#include "test.h"

const struct privkey *azure_key(int machine)
{
	static struct privkey other;

	if (machine == 0)
		return maker_key(MAKER_RSA);	/* the one of tpm_sim */
	if (other.type == KEY_NONE)
		WORKS(privkey_generate(&other, KEY_RSA, 2048, &e));
	return &other;
}

/* --- claims ---------------------------------------------------------------------------------------------------- */

static void put_jwk(struct buf *b, const char *kid, const char *op, const char *exponent, const struct privkey *k)
{
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF n = { 0 }, ex = { 0 };

	WORKS(privkey_public(&pub, k, &e));
	WORKS(pubkey_rsa_ne(&n, &ex, &pub, &e));
	buf_printf(b, "{\"kid\":\"%s\",\"key_ops\":[\"%s\"],\"kty\":\"RSA\",\"e\":\"", kid, op);
	if (exponent)
		buf_puts(b, exponent);
	else
		b64url_encode(b, buf_view(&ex));
	buf_puts(b, "\",\"n\":\"");
	b64url_encode(b, buf_view(&n));
	buf_puts(b, "\"}");
}

static void put_keys(struct buf *b, const struct azure_make *m)
{
	buf_byte(b, '[');
	if (m->ak_last) {
		put_jwk(b, "HCLEkPub", "encrypt", NULL, azure_key(!m->machine));
		buf_byte(b, ',');
	}
	put_jwk(b, m->kid ? m->kid : "HCLAkPub", "sign", m->exponent, azure_key(m->machine));
	if (!m->ak_last) {
		buf_byte(b, ',');
		put_jwk(b, "HCLEkPub", "encrypt", NULL, azure_key(!m->machine));
	}
	buf_byte(b, ']');
}

void azure_claims_make(struct buf *ret, const struct azure_make *m)
{
	static const uint8_t none[64];

	if (m->claims.n) {
		buf_slice(ret, m->claims);
		return;
	}
	buf_printf(ret, "{%s\"keys\":", m->more ? m->more : "");
	if (m->keys)
		buf_puts(ret, m->keys);
	else
		put_keys(ret, m);
	buf_printf(ret, ",\"vm-configuration\":%s",
		   m->vm ? m->vm : "{\"console-enabled\":true,\"secure-boot\":true,\"tpm-enabled\":true,\"vmUniqueId\":\"0000-1\"}");
	if (!m->no_user_data) {
		buf_puts(ret, ",\"user-data\":\"");
		if (m->user_data_text)
			buf_puts(ret, m->user_data_text);
		else
			buf_hex(ret, slice_of(m->user_data ? m->user_data : none, 64));
		buf_byte(ret, '"');
	}
	buf_byte(ret, '}');
}

/* --- hardware ---------------------------------------------------------------------------------------------------- */

void azure_tdreport(uint8_t ret[static TDREPORT_SIZE], struct slice body)
{
	memset(ret, 0, TDREPORT_SIZE);
	ret[0] = 0x81;
	memset(ret + 16, 0x33, 16);		/* CPUSVN */
	memset(ret + 224, 0x44, 32);		/* MAC */
	memcpy(ret + 264, body.p, 120);		/* SVN, MRSEAM, signer, attributes */
	memcpy(ret + 512, body.p + 120, 400);
	memcpy(ret + 128, body.p + 520, 64);
	if (body.n >= 648) {
		memcpy(ret + 384, body.p + 584, 16);
		memcpy(ret + 912, body.p + 600, 48);
	}
	WORKS(hash_of(ret + 32, HASH_SHA384, slice_of(ret + 256, 239), &e));
	WORKS(hash_of(ret + 80, HASH_SHA384, slice_of(ret + 512, 512), &e));
}

static void make_snp(struct azure_parts *p, struct buf *room, const struct azure_make *m, const uint8_t rd[static 64])
{
	uint8_t raw[SNP_REPORT_SIZE];

	maker_roots();
	report_make(raw, &(const struct report_make){ .vmpl = m->vmpl, .debug = m->debug, .report_data = rd, .n = 64 });
	report_sign(raw);
	vek_make(&p->vcek, raw, &(const struct vek_make){ 0 });
	buf_put(room, raw, sizeof raw);
}

static void make_tdx(struct azure_parts *p, struct buf *room, const struct azure_make *m, const uint8_t rd[static 64])
{
	uint8_t report[TDREPORT_SIZE];
	struct tdx_quote q;

	tdx_quote_make(&p->td_quote, &(const struct tdx_make){ .report_data = rd, .n = 64, .attributes = m->debug ? 1 : 0 });
	WORKS(tdx_quote_parse(&q, buf_view(&p->td_quote), &e));
	azure_tdreport(report, q.body);
	buf_put(room, report, sizeof report);
	buf_fill(room, 0, HCL_HARDWARE_SIZE - sizeof report);
}

static uint32_t or_one(uint32_t v)
{
	return v ? v : 1;
}

static void make_hcl(struct azure_parts *p, const struct azure_make *m)
{
	static const enum hash hashes[] = { HASH_NONE, HASH_SHA256, HASH_SHA384, HASH_SHA512 };
	AUTO_BUF claims = { 0 }, room = { 0 };
	uint8_t rd[64] = { 0 };

	azure_claims_make(&claims, m);
	WORKS(hash_of(rd, hashes[or_one(m->hash_type)], buf_view(&claims), &e));
	rd[0] ^= m->unbound;
	if (m->tdx)
		make_tdx(p, &room, m, rd);
	else
		make_snp(p, &room, m, rd);
	buf_puts(&p->hcl, "HCLA");
	buf_le32(&p->hcl, or_one(m->hcl_version));
	buf_le32(&p->hcl, (uint32_t)(32 + 1184 + 20 + m->between + claims.n));
	buf_le32(&p->hcl, 2);
	buf_fill(&p->hcl, 0, 16);
	buf_slice(&p->hcl, buf_view(&room));
	buf_le32(&p->hcl, (uint32_t)(20 + m->between + claims.n));
	buf_le32(&p->hcl, or_one(m->data_version));
	buf_le32(&p->hcl, m->tdx ? HCL_TDX : HCL_SNP);
	buf_le32(&p->hcl, or_one(m->hash_type));
	buf_le32(&p->hcl, (uint32_t)claims.n);
	buf_fill(&p->hcl, 0x5a, m->between);
	buf_slice(&p->hcl, buf_view(&claims));
	if (p->hcl.n < (m->nv_size ? m->nv_size : 2600))
		buf_fill(&p->hcl, 0, (m->nv_size ? m->nv_size : 2600) - p->hcl.n);
}

/* --- quote --------------------------------------------------------------------------------------------------------- */

void azure_sign(struct azure_parts *p, int machine)
{
	buf_free(&p->signature);
	WORKS(sig_sign(&p->signature, azure_key(machine), SIG_RSA_PKCS1, HASH_SHA256, buf_view(&p->message), &e));
}

void azure_make(struct azure_parts *ret, const struct azure_make *m)
{
	struct attest_make q = m->quote;
	struct tpm_pcrs pcrs;

	*ret = (struct azure_parts){ .version = m->version ? m->version : 1 };
	make_hcl(ret, m);
	q.nonce = m->nonce;
	maker_pcrs(&pcrs, TPM_SHA256, q.mask ? q.mask : TPM_ALL_PCRS);
	if (q.pcrs)
		pcrs = *q.pcrs;
	attest_make(&ret->message, &q);
	azure_sign(ret, m->machine);
	for (unsigned i = 0; i < TPM_PCRS; i++)
		if (pcrs.mask >> i & 1)
			memcpy(ret->pcrs[ret->n_pcrs++], pcrs.v[i], 32);
}

void azure_text(struct buf *ret, const struct azure_parts *p)
{
	AUTO_JSON *j = NULL;

	WORKS(azure_parts_write(&j, p, &e));
	WORKS(json_write(ret, j, false, &e));
}

/* --- paravisor ------------------------------------------------------------------------------------------------------- */

static void new_report(struct paravisor *p)
{
	AUTO_AZURE_PARTS parts = { 0 };
	struct azure_make m = p->machine;

	m.user_data = p->user_data;
	azure_make(&parts, &m);
	if (p->torn && p->sim.nv[0].data.n) {	/* the new head, the old end */
		memcpy(parts.hcl.p + 1700, p->sim.nv[0].data.p + 1700, parts.hcl.n - 1700);
		p->torn = false;
		p->late = 1;
	}
	buf_move(&p->sim.nv[0].data, &parts.hcl);
}

void paravisor_init(struct paravisor *p, const struct azure_make *m)
{
	*p = (struct paravisor){ .machine = *m };
	tpm_sim_init(&p->sim);
	p->sim.persistent = 0x81000003;
	p->sim.only_rsa = true;
	p->sim.nv[0].index = 0x01400001;
	p->sim.nv[0].attributes = TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_WRITTEN;
	p->sim.n_nv = 1;
	new_report(p);
}

void paravisor_free(struct paravisor *p)
{
	tpm_sim_free(&p->sim);
}

static uint32_t define(struct paravisor *p, struct rd *r)
{
	uint32_t index;
	uint16_t size;

	rd_skip(r, 4 + 13 + 2 + 2);
	index = rd_be32(r);
	rd_skip(r, 2 + 4 + 2);
	size = rd_be16(r);
	if (r->bad || index != 0x01400002 || p->sim.n_nv != 1)
		return 0x14c;
	p->sim.nv[1].index = index;
	p->sim.nv[1].attributes = TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE;
	buf_fill(&p->sim.nv[1].data, 0, size);
	p->sim.n_nv = 2;
	p->defined++;
	return 0;
}

static uint32_t write_nv(struct paravisor *p, struct rd *r)
{
	uint32_t index;
	struct slice data;

	rd_skip(r, 4);
	index = rd_be32(r);
	rd_skip(r, 13);
	data = rd_take(r, rd_be16(r));
	if (r->bad || index != 0x01400002 || p->sim.n_nv != 2 || data.n != 64 || p->no_write)
		return 0x149;
	memcpy(p->user_data, data.p, 64);
	p->written++;
	if (!p->deaf && !p->late)
		new_report(p);
	return 0;
}

/* The first part of a reading of the report is where a late paravisor counts. */
static void count_reading(struct paravisor *p, struct rd *r)
{
	rd_skip(r, 4);
	if (rd_be32(r) == 0x01400001 && p->written && p->late && !--p->late)
		new_report(p);
}

static int transmit(struct tpm *t, struct buf *ret, struct slice command, struct err *e)
{
	struct paravisor *p = t->arg;
	struct rd r = rd_of(command);
	uint32_t code, rc;

	rd_skip(&r, 6);
	code = rd_be32(&r);
	if (code == 0x14e)
		count_reading(p, &r);
	if (code != 0x12a && code != 0x137) {
		tpm_sim_answer(&p->sim, ret, command);
		return buf_check(ret, e);
	}
	rc = code == 0x12a ? define(p, &r) : write_nv(p, &r);
	buf_be16(ret, rc ? 0x8001 : 0x8002);
	buf_be32(ret, rc ? 10 : 19);
	buf_be32(ret, rc);
	if (!rc)
		buf_put(ret, "\0\0\0\0\0\0\1\0\0", 9);
	return buf_check(ret, e);
}

void paravisor_attach(struct tpm *t, struct paravisor *p, const struct host *h)
{
	tpm_sim_attach(t, &p->sim, h);
	t->transmit = transmit;
	t->arg = p;
}
