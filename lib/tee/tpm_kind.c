/* SPDX-License-Identifier: Apache-2.0 */
/* A TPM 2.0 as a kind of evidence: the state of a machine's boot, signed by a key that the verifier has to know.  It is no CPU TEE: it
 * says what was booted, and nothing about who can read the memory. */

#include "codec/hex64.h"
#include "tee/tpm.h"
#include "tee/tpm_quote.h"

#define WHAT "TPM evidence"
#define PART_MAX ((size_t)64 << 10)

struct subject {
	struct buf raw;			/* of a bundle of quote and values, whose parts point into it */
	struct buf signature, attest, ak_key, ak_area, ak_cert;
	struct tpm_subject q;
	struct eventlog_subject *log;
};

static void drop(void *p)
{
	struct subject *s = p;

	if (!s)
		return;
	tpm_subject_free(&s->q);
	eventlog_free(s->log);
	buf_free(&s->raw);
	buf_free(&s->signature);
	buf_free(&s->attest);
	buf_free(&s->ak_key);
	buf_free(&s->ak_area);
	buf_free(&s->ak_cert);
	free(s);
}

/* --- reading ------------------------------------------------------------------------------------------------ */

/* "pcrs": the value of PCR n at place n, null where the quote leaves it out.  All of one length, which names the bank. */
static int read_pcrs(struct tpm_pcrs *ret, const struct json *quote, struct err *e)
{
	const struct json *list;
	struct tpm_pcrs p = { 0 };
	unsigned n = 0;

	if (json_need_arr(&list, quote, "pcrs", WHAT, e))
		return -1;
	if (json_count(list) != TPM_PCRS)
		return err_set(e, EC_FORMAT, WHAT " has %zu PCR values, wanted %d (null for those that are not quoted)", json_count(list), TPM_PCRS);
	for (const struct json *v = json_first(list); v; v = json_next(v), n++) {
		const char *hex = json_string(v);
		const size_t size = hex ? strlen(hex) / 2 : 0;
		const uint16_t bank = size == 20 ? TPM_SHA1 : size == 32 ? TPM_SHA256 : size == 48 ? TPM_SHA384 : size == 64 ? TPM_SHA512 : 0;

		if (json_is_null(v))
			continue;
		if (!bank || (p.bank && p.bank != bank))
			return err_set(e, EC_FORMAT, WHAT ": value of PCR %u is no digest of the same kind as the others", n);
		if (hex_decode_n(p.v[n], size, hex, e))
			return err_ctx(e, WHAT ": PCR %u", n);
		p.bank = bank;
		p.mask |= UINT32_C(1) << n;
	}
	*ret = p;
	return 0;
}

static int read_optional(struct buf *ret, const struct json *j, const char *name, struct err *e)
{
	if (!json_get(j, name) || json_is_null(json_get(j, name)))
		return 0;
	return json_need_b64(ret, j, name, WHAT, e);
}

static int read_json(struct subject *s, struct slice text, struct err *e)
{
	const struct json *quote;
	AUTO_JSON *j = NULL;

	if (json_parse(&j, text, EVIDENCE_MAX, e))
		return -1;
	if (json_need_obj(&quote, j, "tpm_quote", WHAT, e) || json_need_b64(&s->signature, quote, "signature", WHAT, e) ||
	    json_need_b64(&s->attest, quote, "message", WHAT, e) || read_pcrs(&s->q.pcrs, quote, e) ||
	    read_optional(&s->ak_key, j, "ak_public", e) || read_optional(&s->ak_area, j, "ak_area", e) ||
	    read_optional(&s->ak_cert, j, "ak_cert", e))
		return -1;
	s->q.has_pcrs = s->q.pcrs.mask != 0;
	s->q.signature = buf_view(&s->signature);
	s->q.attest = buf_view(&s->attest);
	s->q.ak_key = buf_view(&s->ak_key);
	s->q.ak_area = buf_view(&s->ak_area);
	s->q.ak_cert = buf_view(&s->ak_cert);
	return 0;
}

static int read_bincode(struct subject *s, struct slice raw, struct err *e)
{
	buf_slice(&s->raw, raw);
	if (buf_check(&s->raw, e) || tpm_bincode_parse(&s->q.signature, &s->q.attest, &s->q.pcrs, buf_view(&s->raw), e))
		return -1;
	s->q.bare = true;
	s->q.has_pcrs = s->q.pcrs.mask != 0;
	return 0;
}

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	const struct slice text = slice_trim(raw);
	struct subject *s = calloc(1, sizeof *s);

	(void)certs;
	if (!s)
		return err_oom(e);
	s->raw.max = s->signature.max = s->attest.max = s->ak_key.max = s->ak_area.max = s->ak_cert.max = PART_MAX;
	if ((text.n && text.p[0] == '{' ? read_json(s, text, e) : read_bincode(s, raw, e)) || tpm_subject_ready(&s->q, e)) {
		drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static bool recognise(struct slice raw)
{
	struct slice signature, attest;
	struct tpm_pcrs pcrs;
	struct err e = { 0 };

	return !tpm_bincode_parse(&signature, &attest, &pcrs, raw, &e) && attest.n > 6 && !memcmp(attest.p, "\xff\x54\x43\x47\x80\x18", 6);
}

/* --- judging and showing ------------------------------------------------------------------------------------ */

static int stages(struct stages *ret, void *p, const struct expect *x, struct err *e)
{
	struct subject *s = p;
	struct registers regs;

	tpm_registers(&regs, &s->q);
	ret->v[0] = (struct stage){ .checks = tpm_checks, .n_checks = n_tpm_checks, .subject = &s->q, .x = *x };
	if (eventlog_stage(&ret->v[1], &s->log, &regs, x, e))
		return -1;
	ret->n = 2;
	return 0;
}

/* Trustee's names; init_data is PCR 8 there. */
static int claims(struct json *to, const void *p, struct err *e)
{
	const struct subject *s = p;
	AUTO_BUF der = { 0 };

	tpm_pcr_claims(to, &s->q);
	if (s->q.has_pcrs && tpm_pcr(&s->q.pcrs, 8).n)
		json_add_hex(to, "init_data", tpm_pcr(&s->q.pcrs, 8));
	json_add_hex(to, "report_data", s->q.a.extra);
	if (s->q.ak.type != KEY_NONE) {
		if (pubkey_der(&der, &s->q.ak, e))
			return -1;
		json_add_b64(to, "ak_public", buf_view(&der));
	}
	return s->log ? eventlog_claims(to, s->log, e) : 0;
}

static int details(struct json *to, const void *p, struct err *e)
{
	return tpm_quote_details(to, &((const struct subject *)p)->q, e);
}

/* --- collecting --------------------------------------------------------------------------------------------- */

struct ak {
	uint32_t handle;
	bool ours;			/* made for this call, and flushed */
	struct buf area, cert;
};

static void ak_free(struct ak *k)
{
	buf_free(&k->area);
	buf_free(&k->cert);
}

static bool attests(const struct ak *k)
{
	struct tpm_public p;
	struct err e = { 0 };

	return !tpm_public_parse(&p, buf_view(&k->area), &e) && !tpm_public_attests(&p, &e);
}

/* Some other key's certificate would only make the evidence contradict itself. */
static void take_cert(struct ak *k, struct tpm *t, uint32_t index)
{
	AUTO_BUF der = { 0 };
	AUTO_CERTS certs = { 0 };
	AUTO_PUBKEY a = { 0 }, b = { 0 };
	AUTO_BUF x = { 0 }, y = { 0 };
	struct tpm_public p;
	struct err e = { 0 };

	if (tpm_nv_cert(&der, t, index, &e) || certs_parse(&certs, buf_view(&der), &e) || cert_public(&a, &certs.v[0], &e) ||
	    tpm_public_parse(&p, buf_view(&k->area), &e) || tpm_public_key(&b, &p, &e) || pubkey_der(&x, &a, &e) || pubkey_der(&y, &b, &e))
		host_log(t->h, LOG_INFO, "no certificate of the attestation key: %s", e.msg);
	else if (!slice_eq(buf_view(&x), buf_view(&y)))
		host_log(t->h, LOG_INFO, "the certificate in NV index 0x%08x is for another key", index);
	else
		buf_move(&k->cert, &der);
}

static int make_key(struct ak *k, struct tpm *t, uint32_t hierarchy, struct slice template, struct err *e)
{
	struct err ignored = { 0 };

	buf_reset(&k->area);
	if (tpm_create_primary(&k->handle, &k->area, t, hierarchy, template, e))
		return -1;
	k->ours = true;
	if (attests(k))
		return 0;
	tpm_flush(t, k->handle, &ignored);
	k->ours = false;
	return err_set(e, EC_ABSENT, "the TPM made a key that is no attestation key");
}

/* Google's virtual TPM: templates and certificates in NV, keys of the endorsement hierarchy. */
static bool find_templated(struct ak *k, struct tpm *t)
{
	static const struct { uint32_t template, cert; } at[] = { { 0x01c10003, 0x01c10002 }, { 0x01c10001, 0x01c10000 } };

	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		AUTO_BUF template = { 0 };
		struct err e = { 0 };

		if (tpm_nv_read(&template, t, at[i].template, &e))
			continue;
		if (!make_key(k, t, TPM_RH_ENDORSEMENT, buf_view(&template), &e)) {
			take_cert(k, t, at[i].cert);
			return true;
		}
		host_log(t->h, LOG_INFO, "no key by the template in NV index 0x%08x: %s", at[i].template, e.msg);
	}
	return false;
}

/* Keys that somebody left there: Azure's, and the one of Trustee's attester. */
static bool find_persistent(struct ak *k, struct tpm *t)
{
	static const struct { uint32_t handle, cert; } at[] = { { 0x81000003, 0x01c101d0 }, { 0x81010002, 0 } };

	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct err e = { 0 };

		buf_reset(&k->area);
		if (tpm_read_public(&k->area, t, at[i].handle, &e) || !attests(k))
			continue;
		k->handle = at[i].handle;
		if (at[i].cert)
			take_cert(k, t, at[i].cert);
		return true;
	}
	return false;
}

/* The same seed and template give the same key, until the TPM is cleared: so it can be pinned. */
static int make_any(struct ak *k, struct tpm *t, struct err *e)
{
	static const uint32_t hierarchies[] = { TPM_RH_ENDORSEMENT, TPM_RH_OWNER };
	struct err first = { 0 };

	for (size_t i = 0; i < sizeof hierarchies / sizeof hierarchies[0]; i++)
		for (int rsa = 0; rsa < 2; rsa++) {
			struct err why = { 0 };

			if (!make_key(k, t, hierarchies[i], rsa ? tpm_template_rsa : tpm_template_ecc, &why))
				return 0;
			if (!first.msg[0])
				first = why;
		}
	if (e)
		*e = first;
	err_ctx(e, "cannot make an attestation key");
	return err_hint(e, "the hierarchies may have passwords: leave a restricted signing key at 0x81010002, which is then used");
}

/* The caller's choice, or all PCRs of the first bank that is good enough. */
static int pick_pcrs(uint16_t *bank, uint32_t *mask, struct tpm *t, const struct collect_how *how, struct err *e)
{
	struct tpm_bank banks[16];
	size_t n;

	if (!how || !how->pcr_bank) {
		if (tpm_pick_bank(bank, mask, t, e))
			return -1;
		if (how && how->pcrs)
			*mask = how->pcrs;
		return 0;
	}
	*bank = tpm_hash_alg(hash_by_name(how->pcr_bank));
	if (tpm_banks(banks, sizeof banks / sizeof banks[0], &n, t, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (banks[i].bank == *bank && banks[i].mask) {
			*mask = how->pcrs ? how->pcrs : banks[i].mask;
			return 0;
		}
	return err_set(e, EC_ABSENT, "the TPM has no %s bank of PCRs", how->pcr_bank);
}

static int quote(struct tpm_quoted *q, struct tpm *t, const struct collect_how *how, struct slice rd, struct err *e)
{
	__attribute__((cleanup(ak_free))) struct ak k = { 0 };
	struct err ignored = { 0 };
	uint32_t mask = 0;
	uint16_t bank = 0;
	int rc;

	if (pick_pcrs(&bank, &mask, t, how, e) || (!find_templated(&k, t) && !find_persistent(&k, t) && make_any(&k, t, e)))
		return -1;
	host_log(t->h, LOG_INFO, "attestation key 0x%08x%s", k.handle, k.cert.n ? ", with a certificate" : "");
	buf_move(&q->ak, &k.area);
	buf_move(&q->ak_cert, &k.cert);
	rc = tpm_quote_all(q, t, k.handle, rd, bank, mask, e);
	if (k.ours)
		tpm_flush(t, k.handle, &ignored);
	return rc;
}

/* Trustee's form (key-broker.md 2.7); ak_area and ak_cert are ours, and left out by those who do not know them. */
static int write_json(struct buf *ret, const struct tpm_quoted *q, struct err *e)
{
	AUTO_JSON *j = json_object();
	AUTO_PUBKEY key = { 0 };
	AUTO_BUF der = { 0 };
	struct json *o, *pcrs;
	struct tpm_public p;

	if (tpm_public_parse(&p, buf_view(&q->ak), e) || tpm_public_key(&key, &p, e) || pubkey_der(&der, &key, e))
		return err_ctx(e, "attestation key");
	o = json_add_object(j, "tpm_quote");
	json_add_b64(o, "signature", buf_view(&q->signature));
	json_add_b64(o, "message", buf_view(&q->attest));
	pcrs = json_add_array(o, "pcrs");
	for (unsigned n = 0; n < TPM_PCRS; n++) {
		if (tpm_pcr(&q->pcrs, n).n)
			json_add_hex(pcrs, NULL, tpm_pcr(&q->pcrs, n));
		else
			json_add_null(pcrs, NULL);
	}
	json_add_b64(j, "ak_public", buf_view(&der));
	json_add_b64(j, "ak_area", buf_view(&q->ak));
	if (q->ak_cert.n)
		json_add_b64(j, "ak_cert", buf_view(&q->ak_cert));
	return json_write(ret, j, false, e);
}

static int collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_TPM t = TPM_INIT;
	AUTO_TPM_QUOTED q = { 0 };

	return tpm_open(&t, h, e) || quote(&q, &t, ret->how, rd, e) || write_json(&ret->raw, &q, e) ? -1 : 0;
}

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	return json_parse(ret, buf_view(&ev->raw), EVIDENCE_MAX, e);
}

static bool recognise_json(const struct json *j)
{
	return json_get(j, "tpm_quote") && !json_get(j, "hcl_report");
}

const struct evidence_kind evidence_tpm = {
	.name = "tpm",
	.title = "TPM 2.0 (not a CPU TEE)",
	.collect = collect, .to_trustee = to_trustee,
	.recognise = recognise, .recognise_json = recognise_json, .parse = parse, .drop = drop, .claims = claims, .details = details,
	.values = OF_TPM, .has_log = true, .checks = tpm_checks, .n_checks = TPM_CHECKS, .stages = stages,
};
