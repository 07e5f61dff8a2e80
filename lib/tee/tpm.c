/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to a TPM 2.0 (Part 3): see tpm.h. */

#include "tee/tpm_int.h"

#include "codec/der.h"

enum {
	CC_NV_UNDEFINE = 0x122, CC_NV_DEFINE = 0x12a, CC_CREATE_PRIMARY = 0x131, CC_NV_WRITE = 0x137, CC_NV_READ = 0x14e,
	CC_QUOTE = 0x158, CC_FLUSH = 0x165, CC_NV_READ_PUBLIC = 0x169, CC_READ_PUBLIC = 0x173, CC_GET_CAPABILITY = 0x17a,
	CC_PCR_READ = 0x17e, CC_PCR_EXTEND = 0x182
};
enum { CAP_HANDLES = 1, CAP_PCRS = 5, CAP_PROPERTIES = 6 };
#define NV_CHUNK 1024			/* more in one command is refused by some */
#define NV_CHUNK_LESS 512		/* the announced maximum does not hold everywhere */
#define NV_CHUNK_MIN 64
#define RC_VALUE_1 0x1c4
#define RC_SIZE_1 0x1d5
#define NV_MAX 65535
#define ROUNDS 64			/* of one list that comes in parts; a TPM that gives nothing new is stopped */
#define CHANGES 5			/* PCRs that change while they are read */
#define DIGEST_IN_QUOTE 34		/* every TPM takes 2 + SHA-256 bytes of nonce; more only some do */

/* --- capabilities ------------------------------------------------------------------------------------------ */

/* ret: a cursor over the data, behind the capability. */
static int get_capability(struct tpm_call *c, bool *more, struct tpm *t, uint32_t cap, uint32_t property, uint32_t count, struct err *e)
{
	tpm_call_begin(c, "TPM2_GetCapability", CC_GET_CAPABILITY, false);
	buf_be32(&c->out, cap);
	buf_be32(&c->out, property);
	buf_be32(&c->out, count);
	if (tpm_call_run(c, t, e))
		return -1;
	*more = rd_u8(&c->r) != 0;
	return rd_be32(&c->r) != cap || c->r.bad ? tpm_call_short(c, e) : 0;
}

int tpm_property(uint32_t *ret, struct tpm *t, uint32_t property, struct err *e)
{
	AUTO_CALL c = { 0 };
	uint32_t n, got, value;
	bool more;

	if (get_capability(&c, &more, t, CAP_PROPERTIES, property, 1, e))
		return -1;
	n = rd_be32(&c.r);
	got = rd_be32(&c.r);
	value = rd_be32(&c.r);
	if (!c.r.bad && n && got == property) {
		*ret = value;
		return 0;
	}
	return n && c.r.bad ? tpm_call_short(&c, e) : err_set(e, EC_ABSENT, "the TPM has no property 0x%x", property);
}

/* TPML_PCR_SELECTION, its bitmaps cut to the PCRs of a PC client. */
static bool read_selection(struct tpm_bank *ret, size_t max, size_t *n, struct rd *r)
{
	const uint32_t count = rd_be32(r);

	if (r->bad || count > max)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const uint16_t bank = rd_be16(r);
		const struct slice bits = rd_take(r, rd_u8(r));

		ret[i] = (struct tpm_bank){ .bank = bank };
		for (size_t b = 0; b < bits.n && b < TPM_PCRS / 8; b++)
			ret[i].mask |= (uint32_t)bits.p[b] << (8 * b);
	}
	*n = count;
	return !r->bad;
}

int tpm_banks(struct tpm_bank *ret, size_t max, size_t *n, struct tpm *t, struct err *e)
{
	AUTO_CALL c = { 0 };
	struct tpm_bank banks[16];
	size_t got = 0;
	bool more;

	if (get_capability(&c, &more, t, CAP_PCRS, 0, 64, e))
		return -1;
	if (!read_selection(banks, sizeof banks / sizeof banks[0], &got, &c.r))
		return tpm_call_short(&c, e);
	*n = got < max ? got : max;
	memcpy(ret, banks, *n * sizeof *ret);
	return 0;
}

int tpm_handles(uint32_t *ret, size_t max, size_t *n, struct tpm *t, uint32_t first, struct err *e)
{
	const uint32_t type = first >> 24;
	size_t have = 0;
	bool more = true;

	for (int round = 0; more && have < max && round < ROUNDS; round++) {
		AUTO_CALL c = { 0 };
		uint32_t count;

		if (get_capability(&c, &more, t, CAP_HANDLES, first, 64, e))
			return -1;
		count = rd_be32(&c.r);
		for (uint32_t i = 0; i < count && have < max; i++) {
			const uint32_t handle = rd_be32(&c.r);

			if (c.r.bad || handle < first)	/* ascending, as the specification says: so this ends */
				return tpm_call_short(&c, e);
			if (handle >> 24 != type) {
				more = false;
				break;
			}
			ret[have++] = handle;
			first = handle + 1;
		}
		if (!count)
			break;
	}
	*n = have;
	return 0;
}

/* --- NV ---------------------------------------------------------------------------------------------------- */

int tpm_nv_read_public(struct tpm_nv *ret, struct tpm *t, uint32_t index, struct err *e)
{
	AUTO_CALL c = { 0 };
	struct tpm_nv nv;
	struct rd r;

	tpm_call_begin(&c, "TPM2_NV_ReadPublic", CC_NV_READ_PUBLIC, false);
	buf_be32(&c.out, index);
	if (tpm_call_run(&c, t, e))
		return err_ctx(e, "NV index 0x%08x", index);
	r = rd_of(rd_take(&c.r, rd_be16(&c.r)));
	nv.index = rd_be32(&r);
	nv.name_alg = rd_be16(&r);
	nv.attributes = rd_be32(&r);
	rd_take(&r, rd_be16(&r));	/* policy */
	nv.size = rd_be16(&r);
	if (c.r.bad || r.bad || rd_left(&r) || nv.index != index)
		return tpm_call_short(&c, e);
	*ret = nv;
	return 0;
}

/* The largest piece of NV data this TPM moves at once. */
static uint32_t chunk_of(struct tpm *t)
{
	struct err ignored = { 0 };
	uint32_t max;

	if (!t->chunk) {
		t->chunk = NV_CHUNK;
		if (!tpm_property(&max, t, TPM_PT_NV_BUFFER_MAX, &ignored) && max < NV_CHUNK)
			t->chunk = max < NV_CHUNK_MIN ? NV_CHUNK_MIN : max;
	}
	return t->chunk;
}

static int read_part(struct buf *ret, struct tpm *t, uint32_t auth, uint32_t index, uint16_t size, uint16_t offset, struct err *e)
{
	AUTO_CALL c = { 0 };
	struct slice data;
	struct rd r;

	tpm_call_begin(&c, "TPM2_NV_Read", CC_NV_READ, true);
	buf_be32(&c.out, auth);
	buf_be32(&c.out, index);
	tpm_call_password(&c);
	buf_be16(&c.out, size);
	buf_be16(&c.out, offset);
	if (tpm_call_run(&c, t, e))
		return -1;
	r = tpm_call_params(&c);
	data = rd_take(&r, rd_be16(&r));
	if (r.bad || rd_left(&r) || data.n != size)
		return tpm_call_short(&c, e);
	buf_slice(ret, data);
	return buf_check(ret, e);
}

int tpm_nv_read(struct buf *ret, struct tpm *t, uint32_t index, struct err *e)
{
	AUTO_BUF all = { .max = NV_MAX };
	struct tpm_nv nv;
	uint32_t auth;

	if (tpm_nv_read_public(&nv, t, index, e))
		return -1;
	auth = nv.attributes & TPMA_NV_OWNERREAD || !(nv.attributes & TPMA_NV_AUTHREAD) ? TPM_RH_OWNER : index;
	while (all.n < nv.size) {
		const size_t left = nv.size - all.n, chunk = chunk_of(t);

		if (!read_part(&all, t, auth, index, (uint16_t)(left < chunk ? left : chunk), (uint16_t)all.n, e))
			continue;
		if (chunk > NV_CHUNK_LESS && (t->rc == RC_VALUE_1 || t->rc == RC_SIZE_1 || t->rc == TPM_RC_NV_RANGE)) {
			t->chunk = NV_CHUNK_LESS;
			continue;
		}
		return err_ctx(e, "NV index 0x%08x", index);
	}
	buf_slice(ret, buf_view(&all));
	return buf_check(ret, e);
}

int tpm_nv_write(struct tpm *t, uint32_t index, struct slice data, struct err *e)
{
	struct tpm_nv nv;
	size_t at = 0;

	if (data.n > NV_MAX)
		return err_set(e, EC_USAGE, "NV index 0x%08x: %zu bytes are more than any index holds", index, data.n);
	if (tpm_nv_read_public(&nv, t, index, e))
		return -1;
	while (at < data.n) {
		const size_t left = data.n - at, chunk = chunk_of(t), n = left < chunk ? left : chunk;
		AUTO_CALL c = { 0 };

		tpm_call_begin(&c, "TPM2_NV_Write", CC_NV_WRITE, true);
		buf_be32(&c.out, nv.attributes & TPMA_NV_OWNERWRITE || !(nv.attributes & TPMA_NV_AUTHWRITE) ? TPM_RH_OWNER : index);
		buf_be32(&c.out, index);
		tpm_call_password(&c);
		tpm_call_sized(&c, slice_of(data.p + at, n));
		buf_be16(&c.out, (uint16_t)at);
		if (tpm_call_run(&c, t, e))
			return err_ctx(e, "NV index 0x%08x", index);
		at += n;
	}
	return 0;
}

int tpm_nv_define(struct tpm *t, uint32_t index, uint32_t attributes, uint16_t size, struct err *e)
{
	AUTO_CALL c = { 0 };

	tpm_call_begin(&c, "TPM2_NV_DefineSpace", CC_NV_DEFINE, true);
	buf_be32(&c.out, TPM_RH_OWNER);
	tpm_call_password(&c);
	buf_be16(&c.out, 0);		/* no password of its own */
	buf_be16(&c.out, 14);
	buf_be32(&c.out, index);
	buf_be16(&c.out, TPM_SHA256);
	buf_be32(&c.out, attributes);
	buf_be16(&c.out, 0);		/* no policy */
	buf_be16(&c.out, size);
	return tpm_call_run(&c, t, e) ? err_ctx(e, "NV index 0x%08x", index) : 0;
}

int tpm_nv_undefine(struct tpm *t, uint32_t index, struct err *e)
{
	AUTO_CALL c = { 0 };

	tpm_call_begin(&c, "TPM2_NV_UndefineSpace", CC_NV_UNDEFINE, true);
	buf_be32(&c.out, TPM_RH_OWNER);
	buf_be32(&c.out, index);
	tpm_call_password(&c);
	return tpm_call_run(&c, t, e) ? err_ctx(e, "NV index 0x%08x", index) : 0;
}

int tpm_nv_cert(struct buf *ret, struct tpm *t, uint32_t index, struct err *e)
{
	AUTO_BUF all = { 0 };
	struct der d;
	struct rd r;

	if (tpm_nv_read(&all, t, index, e))
		return -1;
	r = rd_of(buf_view(&all));
	d = der_take(&r, DER_SEQUENCE);	/* padded to the size of the index */
	if (r.bad)
		return err_set(e, EC_FORMAT, "NV index 0x%08x holds no certificate", index);
	buf_slice(ret, d.all);
	return buf_check(ret, e);
}

/* --- keys -------------------------------------------------------------------------------------------------- */

/* restricted signing keys made in the TPM, userWithAuth, noDA: attributes 0x00050472 */
const struct slice tpm_template_ecc = { (const uint8_t *)"\x00\x23\x00\x0b\x00\x05\x04\x72\x00\x00\x00\x10\x00\x18\x00\x0b\x00\x03\x00\x10\x00\x00\x00\x00", 24 };
const struct slice tpm_template_rsa = { (const uint8_t *)"\x00\x01\x00\x0b\x00\x05\x04\x72\x00\x00\x00\x10\x00\x14\x00\x0b\x08\x00\x00\x00\x00\x00\x00\x00", 24 };

int tpm_read_public(struct buf *ret_area, struct tpm *t, uint32_t handle, struct err *e)
{
	AUTO_CALL c = { 0 };
	struct slice area;

	tpm_call_begin(&c, "TPM2_ReadPublic", CC_READ_PUBLIC, false);
	buf_be32(&c.out, handle);
	if (tpm_call_run(&c, t, e))
		return err_ctx(e, "key 0x%08x", handle);
	area = rd_take(&c.r, rd_be16(&c.r));
	if (c.r.bad || area.n == 0)
		return tpm_call_short(&c, e);
	buf_slice(ret_area, area);
	return buf_check(ret_area, e);
}

int tpm_create_primary(uint32_t *ret, struct buf *ret_area, struct tpm *t, uint32_t hierarchy, struct slice template, struct err *e)
{
	AUTO_CALL c = { 0 };
	struct slice area;
	uint32_t handle;
	struct rd r;

	tpm_call_begin(&c, "TPM2_CreatePrimary", CC_CREATE_PRIMARY, true);
	buf_be32(&c.out, hierarchy);
	tpm_call_password(&c);
	buf_be16(&c.out, 4);		/* sensitive: no password, no data */
	buf_be32(&c.out, 0);
	tpm_call_sized(&c, template);
	buf_be16(&c.out, 0);		/* outside info */
	buf_be32(&c.out, 0);		/* creation PCRs */
	if (tpm_call_run(&c, t, e))
		return -1;
	handle = rd_be32(&c.r);
	r = tpm_call_params(&c);
	area = rd_take(&r, rd_be16(&r));
	if (r.bad || area.n == 0)
		return tpm_call_short(&c, e);
	buf_slice(ret_area, area);
	if (buf_check(ret_area, e))
		return -1;
	*ret = handle;
	return 0;
}

int tpm_flush(struct tpm *t, uint32_t handle, struct err *e)
{
	AUTO_CALL c = { 0 };

	tpm_call_begin(&c, "TPM2_FlushContext", CC_FLUSH, false);
	buf_be32(&c.out, handle);
	return tpm_call_run(&c, t, e);
}

/* --- PCRs -------------------------------------------------------------------------------------------------- */

static void put_selection(struct buf *b, uint16_t bank, uint32_t mask)
{
	buf_be32(b, 1);
	buf_be16(b, bank);
	buf_byte(b, TPM_PCRS / 8);
	for (int i = 0; i < TPM_PCRS / 8; i++)
		buf_byte(b, (uint8_t)(mask >> (8 * i)));
}

/* At most eight values come at once.  What came is set in ret->mask. */
static int read_some(struct tpm_pcrs *ret, uint32_t *counter, struct tpm *t, uint32_t want, struct err *e)
{
	const size_t size = hash_size(tpm_hash(ret->bank));
	struct tpm_bank got = { 0 };
	AUTO_CALL c = { 0 };
	uint32_t count;
	size_t n;

	tpm_call_begin(&c, "TPM2_PCR_Read", CC_PCR_READ, false);
	put_selection(&c.out, ret->bank, want);
	if (tpm_call_run(&c, t, e))
		return -1;
	*counter = rd_be32(&c.r);
	if (!read_selection(&got, 1, &n, &c.r))
		return tpm_call_short(&c, e);
	count = rd_be32(&c.r);
	if (n == 0 || got.mask == 0)
		return err_set(e, EC_ABSENT, "the TPM does not have all the PCRs that were asked for in its %s bank", tpm_alg_name(ret->bank));
	if (got.bank != ret->bank || got.mask & ~want)
		return tpm_call_short(&c, e);
	for (unsigned i = 0; i < TPM_PCRS; i++) {
		struct slice v;

		if (!(got.mask >> i & 1))
			continue;
		v = rd_take(&c.r, rd_be16(&c.r));
		if (c.r.bad || v.n != size || count-- == 0)
			return tpm_call_short(&c, e);
		memcpy(ret->v[i], v.p, size);
	}
	if (count || rd_left(&c.r))
		return tpm_call_short(&c, e);
	ret->mask |= got.mask;
	return 0;
}

int tpm_pcr_read(struct tpm_pcrs *ret, struct tpm *t, uint16_t bank, uint32_t mask, struct err *e)
{
	if (hash_size(tpm_hash(bank)) == 0 || mask == 0 || mask & ~TPM_ALL_PCRS)
		return err_set(e, EC_USAGE, "PCRs 0x%x of bank 0x%04x are none that can be read", mask, bank);
	for (int change = 0; change < CHANGES; change++) {
		struct tpm_pcrs p = { .bank = bank };
		uint32_t first = 0, counter = 0;
		bool began = false;

		while (p.mask != mask) {
			if (read_some(&p, &counter, t, mask & ~p.mask, e))
				return -1;
			if (began && counter != first)
				break;
			began = true;
			first = counter;
		}
		if (p.mask == mask && counter == first) {
			*ret = p;
			return 0;
		}
	}
	err_set(e, EC_IO, "PCRs changed %d times while they were read", CHANGES);
	return err_hint(e, "something is measuring right now: try again");
}

int tpm_pcr_extend(struct tpm *t, unsigned pcr, uint16_t bank, struct slice digest, struct err *e)
{
	AUTO_CALL c = { 0 };

	if (pcr >= TPM_PCRS || digest.n == 0 || digest.n != hash_size(tpm_hash(bank)))
		return err_set(e, EC_USAGE, "cannot extend PCR %u of bank 0x%04x by %zu bytes", pcr, bank, digest.n);
	tpm_call_begin(&c, "TPM2_PCR_Extend", CC_PCR_EXTEND, true);
	buf_be32(&c.out, pcr);
	tpm_call_password(&c);
	buf_be32(&c.out, 1);
	buf_be16(&c.out, bank);
	buf_slice(&c.out, digest);
	return tpm_call_run(&c, t, e) ? err_ctx(e, "PCR %u", pcr) : 0;
}

/* --- quotes ------------------------------------------------------------------------------------------------ */

int tpm_quote(struct buf *ret_attest, struct buf *ret_signature, struct tpm *t, uint32_t key, uint16_t scheme, struct slice nonce,
	      uint16_t bank, uint32_t mask, struct err *e)
{
	AUTO_CALL c = { 0 };
	struct slice attest;
	struct rd r;

	tpm_call_begin(&c, "TPM2_Quote", CC_QUOTE, true);
	buf_be32(&c.out, key);
	tpm_call_password(&c);
	tpm_call_sized(&c, nonce);
	buf_be16(&c.out, scheme);
	if (scheme != TPM_NULL)
		buf_be16(&c.out, TPM_SHA256);
	put_selection(&c.out, bank, mask);
	if (tpm_call_run(&c, t, e))
		return -1;
	r = tpm_call_params(&c);
	attest = rd_take(&r, rd_be16(&r));
	if (r.bad || attest.n == 0 || rd_left(&r) == 0)
		return tpm_call_short(&c, e);
	buf_slice(ret_attest, attest);
	buf_slice(ret_signature, rd_rest(&r));
	return buf_check(ret_attest, e) || buf_check(ret_signature, e) ? -1 : 0;
}

void tpm_quoted_free(struct tpm_quoted *q)
{
	buf_free(&q->attest);
	buf_free(&q->signature);
	buf_free(&q->ak);
	buf_free(&q->ak_cert);
}

int tpm_pick_bank(uint16_t *ret, uint32_t *mask, struct tpm *t, struct err *e)
{
	static const uint16_t wanted[] = { TPM_SHA256, TPM_SHA384 };
	struct tpm_bank banks[16];
	size_t n;

	if (tpm_banks(banks, sizeof banks / sizeof banks[0], &n, t, e))
		return -1;
	for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++)
		for (size_t i = 0; i < n; i++)
			if (banks[i].bank == wanted[w] && banks[i].mask) {
				*ret = wanted[w];
				*mask = banks[i].mask;
				return 0;
			}
	err_set(e, EC_ABSENT, "the TPM has neither a SHA-256 nor a SHA-384 bank of PCRs");
	return err_hint(e, "the firmware's setup switches banks on");
}

/* The key's own scheme says by what the digest was made. */
static int matches(bool *ret, const struct tpm_quoted *q, struct slice nonce, struct err *e)
{
	struct tpm_signature s;
	struct tpm_attest a;
	uint8_t digest[HASH_MAX];

	if (tpm_attest_parse(&a, buf_view(&q->attest), e) || tpm_signature_parse(&s, buf_view(&q->signature), e))
		return -1;
	if (a.magic != TPM_MAGIC || a.type != TPM_ST_QUOTE || !slice_eq(a.extra, nonce))
		return err_set(e, EC_IO, "the TPM's quote is not the one that was asked for");
	if (tpm_hash(s.hash) == HASH_NONE)
		return err_set(e, EC_FORMAT, "the TPM signs by hash 0x%04x, which is not known here", s.hash);
	if (tpm_pcr_digest(digest, tpm_hash(s.hash), &q->pcrs, e))
		return -1;
	*ret = slice_eq(a.digest, slice_of(digest, hash_size(tpm_hash(s.hash))));
	return 0;
}

static int quote_once(struct tpm_quoted *q, struct tpm *t, uint32_t key, uint16_t scheme, struct slice *nonce, uint8_t hashed[static 32],
		      struct err *e)
{
	const size_t n = nonce->n;

	buf_reset(&q->attest);
	buf_reset(&q->signature);
	if (!tpm_quote(&q->attest, &q->signature, t, key, scheme, *nonce, q->pcrs.bank, q->pcrs.mask, e))
		return 0;
	if (t->rc != RC_SIZE_1 || n <= DIGEST_IN_QUOTE)
		return -1;
	host_log(t->h, LOG_INFO, "the TPM takes no nonce of %zu bytes: its SHA-256 goes in", n);
	if (hash_of(hashed, HASH_SHA256, *nonce, e))
		return -1;
	*nonce = slice_of(hashed, 32);
	return tpm_quote(&q->attest, &q->signature, t, key, scheme, *nonce, q->pcrs.bank, q->pcrs.mask, e);
}

/* A key without a scheme of its own is told one. */
static int scheme_for(uint16_t *ret, struct buf *area, struct tpm *t, uint32_t key, struct err *e)
{
	struct tpm_public p;

	if (area->n == 0 && tpm_read_public(area, t, key, e))
		return -1;
	if (tpm_public_parse(&p, buf_view(area), e))
		return err_ctx(e, "key 0x%08x", key);
	*ret = p.scheme != TPM_NULL ? TPM_NULL : p.type == TPM_RSA ? TPM_RSASSA : TPM_ECDSA;
	return 0;
}

int tpm_quote_all(struct tpm_quoted *ret, struct tpm *t, uint32_t key, struct slice nonce, uint16_t bank, uint32_t mask, struct err *e)
{
	AUTO_TPM_QUOTED q = { 0 };
	uint8_t hashed[32];
	uint16_t scheme = TPM_NULL;

	if (scheme_for(&scheme, &ret->ak, t, key, e))
		return -1;
	for (int i = 0; i < CHANGES; i++) {
		bool same = false;

		if (tpm_pcr_read(&q.pcrs, t, bank, mask, e) || quote_once(&q, t, key, scheme, &nonce, hashed, e) || matches(&same, &q, nonce, e))
			return -1;
		if (same) {
			buf_move(&ret->attest, &q.attest);
			buf_move(&ret->signature, &q.signature);
			ret->pcrs = q.pcrs;
			return 0;
		}
	}
	err_set(e, EC_IO, "PCRs changed %d times between being read and being quoted", CHANGES);
	return err_hint(e, "something is measuring right now: try again");
}
