/* SPDX-License-Identifier: Apache-2.0 */
/* Azure's confidential VMs as two kinds of evidence: see azure.h.  Four stages: what only Azure has (below); the hardware report,
 * which has to carry the hash of the claims; the quote of the TPM whose key the claims name; the event logs that explain its PCRs. */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "crypto/hash.h"
#include "tee/azure.h"
#include "tee/eventlog.h"
#include "tee/snp_verify.h"
#include "tee/tdx_verify.h"
#include "tee/tpm_quote.h"

struct subject {
	bool tdx;
	struct azure_parts parts;
	struct hcl_report hcl;
	struct hcl_claims claims;
	struct buf ak_key;		/* DER of the claims' key; empty: they have none that can be used */
	struct snp_subject *snp;	/* SNP: the inner report */
	const struct snp_report *report;
	void *td;			/* TDX: the TD quote; NULL: none came along */
	bool has_quote;
	struct tpm_subject tpm;
	struct eventlog_subject *log;
	/* made by stages() */
	uint8_t bound[64];
	struct limits hardware_limits;	/* a shallow copy */
};

static void drop(void *p)
{
	struct subject *s = p;

	if (!s)
		return;
	eventlog_free(s->log);
	tpm_subject_free(&s->tpm);
	tdx_subject_drop(s->td);
	snp_subject_drop(s->snp);
	buf_free(&s->ak_key);
	hcl_claims_free(&s->claims);
	azure_parts_free(&s->parts);
	free(s);
}

/* --- the parts as subjects ---------------------------------------------------------------------------------------- */

static int open_snp(struct subject *s, struct err *e)
{
	if (snp_subject_parse(&s->snp, s->hcl.hardware, buf_view(&s->parts.vcek), e))
		return err_ctx(e, "SNP report inside the HCL report");
	s->report = snp_subject_report(s->snp);
	return 0;
}

static int open_tdx(struct subject *s, struct err *e)
{
	if (s->parts.td_quote.n == 0)
		return 0;
	return tdx_subject_parse(&s->td, buf_view(&s->parts.td_quote), e) ? err_ctx(e, "TD quote") : 0;
}

/* PCR values belong to the indices that the quote selects, in ascending order.  Where their number is another one, they are taken
 * as PCR 0, 1, .. and then do not match what was quoted. */
static void place_pcrs(struct tpm_pcrs *ret, const struct azure_parts *p)
{
	struct tpm_attest a;
	struct err e = { 0 };
	uint32_t mask = 0;
	size_t n = 0;

	if (!tpm_attest_parse(&a, buf_view(&p->message), &e) && a.n_selections == 1)
		mask = a.selection[0].mask;
	if ((size_t)__builtin_popcount(mask) != p->n_pcrs)
		mask = (uint32_t)((UINT64_C(1) << p->n_pcrs) - 1);
	ret->bank = TPM_SHA256;
	ret->mask = mask;
	for (unsigned i = 0; i < TPM_PCRS; i++)
		if (mask >> i & 1)
			memcpy(ret->v[i], p->pcrs[n++], sizeof p->pcrs[0]);
}

static int open_quote(struct subject *s, struct err *e)
{
	struct tpm_subject *t = &s->tpm;

	if (s->parts.message.n == 0 && s->parts.signature.n == 0)
		return 0;
	s->has_quote = true;
	t->attest = buf_view(&s->parts.message);
	t->signature = buf_view(&s->parts.signature);
	t->bare = true;
	t->ak_key = buf_view(&s->ak_key);
	t->vouched = "the claims that the hardware report binds";
	t->has_pcrs = s->parts.n_pcrs > 0;
	place_pcrs(&t->pcrs, &s->parts);
	return tpm_subject_ready(t, e) ? err_ctx(e, "TPM quote") : 0;
}

static int open_parts(struct subject *s, struct slice raw, struct err *e)
{
	if (azure_parts_read(&s->parts, raw, e) || hcl_parse(&s->hcl, buf_view(&s->parts.hcl), e))
		return -1;
	if (s->tdx != (s->hcl.type == HCL_TDX))
		return err_set(e, EC_REFUSED, "HCL report holds a report of type %s, wanted %s", hcl_type_name(s->hcl.type),
			       s->tdx ? "TDX" : "SNP");
	if (hcl_claims_parse(&s->claims, s->hcl.claims, e))
		return -1;
	if (s->claims.ak.type == KEY_RSA && pubkey_der(&s->ak_key, &s->claims.ak, e))
		return -1;
	return (s->tdx ? open_tdx(s, e) : open_snp(s, e)) || open_quote(s, e) ? -1 : 0;
}

static int parse(void **ret, bool tdx, struct slice raw, struct err *e)
{
	struct subject *s = calloc(1, sizeof *s);

	if (!s)
		return err_oom(e);
	s->tdx = tdx;
	if (open_parts(s, raw, e)) {
		drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static int parse_snp(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	(void)certs;		/* no certificate table goes with it */
	return parse(ret, false, raw, e);
}

static int parse_tdx(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	(void)certs;
	return parse(ret, true, raw, e);
}

/* --- recognising -------------------------------------------------------------------------------------------------- */

static uint32_t type_of(struct slice raw)
{
	struct hcl_report h;
	struct err e = { 0 };

	return hcl_parse(&h, raw, &e) ? HCL_INVALID : h.type;
}

static bool recognise_snp(struct slice raw)	/* cut ones too, so that parse says what is wrong */
{
	return hcl_looks_like(raw) && type_of(raw) != HCL_TDX;
}

static bool recognise_tdx(struct slice raw)
{
	return hcl_looks_like(raw) && type_of(raw) == HCL_TDX;
}

static bool json_is_tdx(const struct json *in)
{
	const char *text = json_string(json_get(in, "hcl_report"));
	AUTO_BUF hcl = { .max = HCL_MAX };
	struct err e = { 0 };

	return json_get(in, "hcl_report") && (json_get(in, "td_quote") || (text && !b64_decode_lax(&hcl, slice_str(text), &e) &&
									      type_of(buf_view(&hcl)) == HCL_TDX));
}

static const struct json *inner(const struct json *j)
{
	return json_is_object(json_get(j, "evidence")) ? json_get(j, "evidence") : j;
}

static bool recognise_json_tdx(const struct json *j)
{
	return json_is_tdx(inner(j));
}

static bool recognise_json_snp(const struct json *j)
{
	const struct json *in = inner(j);

	return !json_is_tdx(in) && (json_get(in, "hcl_report") || (json_get(in, "quote") && json_get(in, "report") && json_get(in, "vcek")));
}

/* --- checks ---------------------------------------------------------------------------------------------------------- */

static enum outcome check_parts(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const bool hardware = s->tdx ? s->td != NULL : s->snp != NULL, whole = s->has_quote && hardware;

	(void)x;
	if (!s->has_quote)
		buf_puts(&f->hint, "the TPM quote alone proves freshness and what was booted: collect again with 'attest collect'");
	else if (!hardware)
		buf_puts(&f->hint, "a TDREPORT can be checked on its own machine only: collect again with 'attest collect'");
	return found(f, whole, s->tdx ? "HCL report, TD quote and TPM quote" : "HCL report and TPM quote",
		     whole ? "all there" : s->has_quote ? "no TD quote" : hardware ? "no TPM quote" : "an HCL report alone");
}

static enum outcome check_hcl(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const struct hcl_report *h = &s->hcl;
	const uint64_t size = (uint64_t)(h->claims.p - h->raw.p) + h->claims.n;
	struct slice pad = { 0 };
	size_t k;

	(void)x;
	if (s->tdx)
		pad = slice_of(h->hardware.p + TDREPORT_SIZE, HCL_HARDWARE_SIZE - TDREPORT_SIZE);
	if (h->report_size != size) {
		buf_printf(&f->expected, "%llu bytes, by its parts", (unsigned long long)size);
		buf_printf(&f->actual, "%u bytes, by its header", h->report_size);
		return FAILED;
	}
	if (h->status) {
		buf_printf(&f->actual, "status %u", h->status);
		return found(f, false, "status 0", NULL);
	}
	for (k = 0; k < pad.n && !pad.p[k]; k++)
		;
	if (k < pad.n)
		return found(f, false, "zeros behind the TDREPORT", "other bytes");
	for (k = 0; k < h->fill.n && !h->fill.p[k]; k++)
		;
	if (k < h->fill.n)
		return found(f, false, "zeros behind the claims", "other bytes");
	buf_printf(&f->actual, "version %u, %s", h->version, hcl_type_name(h->type));
	if (h->version > 2 || h->data_version > 2) {
		buf_puts(&f->hint, "newer than this program, and read like version 2");
		return WARNED;
	}
	return PASSED;
}

static enum outcome check_binding(void *p, const struct expect *x, struct finding *f)
{
	struct subject *s = p;
	uint8_t want[64];
	struct err e = { 0 };

	(void)x;
	if (hcl_binding(want, &s->hcl, &e))
		return found(f, false, "a hash of the claims", e.msg);
	buf_hex(&f->expected, slice_of(want, sizeof want));
	buf_hex(&f->actual, hcl_report_data(&s->hcl));
	if (slice_eq(hcl_report_data(&s->hcl), slice_of(want, sizeof want)))
		return PASSED;
	buf_puts(&f->hint, "the claims, with the TPM's key in them, are not those that the hardware vouches for");
	return FAILED;
}

static enum outcome check_tdreport(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	struct err e = { 0 };

	(void)x;
	buf_puts(&f->expected, "the TDREPORT says what the TD quote says");
	if (s->td && !tdreport_matches(s->hcl.hardware, tdx_subject_quote(s->td)->body, &e))
		return found(f, true, NULL, "it does");
	return found(f, false, NULL, s->td ? e.msg : "no TD quote");
}

static enum outcome check_ak(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const struct hcl_claims *c = &s->claims;

	(void)x;
	buf_puts(&f->expected, "one key HCLAkPub, RSA of 2048 bits or more, exponent 65537");
	if (c->ak.type != KEY_RSA)
		return found(f, false, NULL, c->ak_trouble.msg);
	buf_printf(&f->actual, "RSA of %u bits, exponent %llu", c->ak.bits, (unsigned long long)c->ak_exponent);
	return c->n_ak == 1 && c->ak.bits >= 2048 && c->ak_exponent == 65537 ? PASSED : FAILED;
}

/* The nonce went to the paravisor too, which had the hardware sign it.  The quote's own nonce does not rest on this. */
static enum outcome check_user_data(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	uint8_t want[AZURE_USER_DATA] = { 0 };

	if (x->report_data.n == 0 || x->report_data.n > sizeof want) {
		buf_puts(&f->hint, "there is no nonce to compare with");
		return NOT_ASKED;
	}
	memcpy(want, x->report_data.p, x->report_data.n);
	if (!hcl_user_data_set(&s->claims) && s->parts.version < 2) {
		buf_puts(&f->hint, s->claims.has_user_data ? "it was not set: the nonce is in the TPM quote"
							   : "an old paravisor without user-data: the nonce is in the TPM quote");
		return NOT_ASKED;
	}
	buf_hex(&f->expected, slice_of(want, sizeof want));
	if (!s->claims.has_user_data)
		return found(f, false, NULL, "no user-data, which evidence of version 2 has");
	buf_hex(&f->actual, slice_of(s->claims.user_data, sizeof want));
	if (!memcmp(want, s->claims.user_data, sizeof want))
		return PASSED;
	buf_puts(&f->hint, "the HCL report was made for another nonce: is it an old one?");
	return FAILED;
}

static enum outcome check_vm_config(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const struct json *j = json_get(s->claims.vm, "secure-boot");

	if (!x->limits->want_secure_boot) {
		buf_puts(&f->hint, "the policy asks for nothing");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	return found(f, json_true(j), "secure-boot true", !j ? "not said" : json_true(j) ? "true" : "false");
}

/* Above the guest there is nobody but the paravisor, and it runs at level 0: a report of another level was asked for by the guest
 * itself, or by the host, and binds what those like. */
static enum outcome check_vmpl(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;

	(void)x;
	if (s->report->vmpl == SNP_VMPL_HOST)
		return found(f, false, "0, the paravisor", "requested by the host");
	return found_u64(f, s->report->vmpl == 0, "0, the paravisor", s->report->vmpl);
}

static const struct check snp_list[] = {
	{ "azure.parts", 0, CHECK_BASE, check_parts },
	{ "azure.hcl", 0, CHECK_BASE, check_hcl },
	{ "azure.binding", 0, CHECK_BASE, check_binding },
	{ "azure.ak", 0, CHECK_BASE, check_ak },
	{ "azure.user_data", 0, CHECK_WHERE_ASKED, check_user_data },
	{ "azure.vm_config", 0, CHECK_WHERE_ASKED, check_vm_config },
	{ "azure.vmpl", 0, CHECK_BASE, check_vmpl },
};

/* For the list of check ids, where the others are already: what runs is what stages() gives. */
static const struct check tdx_own[] = {
	{ "azure.tdreport", 0, CHECK_BASE, check_tdreport },
};

static const struct check tdx_list[] = {
	{ "azure.parts", 0, CHECK_BASE, check_parts },
	{ "azure.hcl", 0, CHECK_BASE, check_hcl },
	{ "azure.binding", 0, CHECK_BASE, check_binding },
	{ "azure.tdreport", NEEDS(0), CHECK_BASE, check_tdreport },
	{ "azure.ak", 0, CHECK_BASE, check_ak },
	{ "azure.user_data", 0, CHECK_WHERE_ASKED, check_user_data },
	{ "azure.vm_config", 0, CHECK_WHERE_ASKED, check_vm_config },
};

/* --- stages ---------------------------------------------------------------------------------------------------------- */

static void stage_add(struct stages *to, const struct check *c, size_t n, void *subject, const struct expect *x)
{
	to->v[to->n++] = (struct stage){ .checks = c, .n_checks = n, .subject = subject, .x = *x };
}

/* The hardware report is held to the claims' hash whatever was waived: this is binding, not freshness.  Init data is in PCR 8 here,
 * and the logs speak of PCRs. */
static void hardware_stage(struct stages *to, struct subject *s, const struct expect *x)
{
	struct expect hx = *x;
	struct err e = { 0 };

	if (s->tdx && !s->td)
		return;		/* azure.parts fails */
	if (hcl_binding(s->bound, &s->hcl, &e))
		memset(s->bound, 0xff, sizeof s->bound);	/* azure.binding fails */
	s->hardware_limits = *x->limits;
	s->hardware_limits.init_data = (struct texts){ 0 };
	hx.limits = &s->hardware_limits;
	hx.report_data = slice_of(s->bound, sizeof s->bound);
	hx.no_freshness = false;
	memset(hx.logs, 0, sizeof hx.logs);
	if (s->tdx)
		stage_add(to, tdx_checks, N_TDX_CHECKS, s->td, &hx);
	else
		stage_add(to, snp_checks, N_SNP_CHECKS, s->snp, &hx);
}

static int stages(struct stages *ret, void *p, const struct expect *x, struct err *e)
{
	struct subject *s = p;
	struct registers regs = { 0 };
	struct stages st = { 0 };

	if (s->tdx)
		stage_add(&st, tdx_list, sizeof tdx_list / sizeof tdx_list[0], s, x);
	else
		stage_add(&st, snp_list, sizeof snp_list / sizeof snp_list[0], s, x);
	hardware_stage(&st, s, x);
	if (s->has_quote) {
		stage_add(&st, tpm_checks, n_tpm_checks, &s->tpm, x);
		tpm_registers(&regs, &s->tpm);
		if (eventlog_stage(&st.v[st.n], &s->log, &regs, x, e))
			return -1;
		st.n++;
	}
	*ret = st;
	return 0;
}

/* --- claims ---------------------------------------------------------------------------------------------------------- */

/* As Trustee has them for this kind: everything is text, the measurement is base64, and no chip id. */
static int snp_as_text(struct json *to, const struct subject *s, struct err *e)
{
	AUTO_JSON *typed = json_object();

	if (!typed || snp_claims(typed, s->report, e))
		return typed ? -1 : err_oom(e);
	for (const struct json *j = json_first(typed); j; j = json_next(j)) {
		const char *name = json_name(j);
		uint64_t v;

		if (!strcmp(name, "chip_id"))
			continue;
		if (!strcmp(name, "measurement"))
			json_add_b64(to, name, snp_measurement(s->report));
		else if (json_is_bool(j))
			json_add_str(to, name, json_true(j) ? "true" : "false");
		else if (json_u64(j, &v))
			json_add_fmt(to, name, "%llu", (unsigned long long)v);
		else
			json_add_str(to, name, json_string(j));
	}
	return 0;
}

/* What the log proves; names that are there already stay as they are. */
static int add_log(struct json *to, const struct subject *s, struct err *e)
{
	AUTO_JSON *log = json_object();

	if (!log)
		return err_oom(e);
	if (eventlog_claims(log, s->log, e))
		return -1;
	for (const struct json *j = json_first(log); j; j = json_next(j))
		if (!json_get(to, json_name(j)))
			json_add_copy(to, json_name(j), j);
	return 0;
}

static int add_azure(struct json *to, const struct subject *s, struct err *e)
{
	uint8_t id[32];

	if (!s->tdx)
		json_add_hex(to, "measurement", snp_measurement(s->report));
	if (s->ak_key.n) {
		if (hash_of(id, HASH_SHA256, buf_view(&s->ak_key), e))
			return -1;
		json_add_hex(to, "ak_sha256", slice_of(id, sizeof id));
	}
	if (s->claims.vm)
		json_add_copy(to, "vm_configuration", s->claims.vm);
	if (s->claims.has_user_data)
		json_add_hex(to, "user_data", slice_of(s->claims.user_data, sizeof s->claims.user_data));
	return 0;
}

static int claims(struct json *to, const void *p, struct err *e)
{
	const struct subject *s = p;
	struct slice pcr8 = { 0 };

	if (s->tdx ? s->td && tdx_subject_claims(to, s->td, e) : snp_as_text(to, s, e))
		return -1;
	if (s->has_quote) {
		json_remove(to, "report_data");
		json_remove(to, "init_data");
		json_add_hex(to, "report_data", s->tpm.a.extra);
		if (s->tpm.pcrs.mask >> 8 & 1)
			pcr8 = tpm_pcr(&s->tpm.pcrs, 8);
		json_add_hex(to, "init_data", pcr8);
		tpm_pcr_claims(json_add_object(to, "tpm"), &s->tpm);
	}
	if (add_log(to, s, e))
		return -1;
	return add_azure(json_add_object(to, "azure"), s, e);
}

static int details(struct json *to, const void *p, struct err *e)
{
	const struct subject *s = p;
	struct json *o;

	if (s->parts.version)
		json_add_u64(to, "evidence_version", s->parts.version);
	if (hcl_details(json_add_object(to, "hcl_report"), &s->hcl, &s->claims, e))
		return -1;
	if (!s->tdx && snp_subject_details(json_add_object(to, "snp_report"), s->snp, e))
		return -1;
	if (s->tdx) {
		o = json_add_object(to, "tdreport");
		json_add_hex(o, "mr_td", slice_of(s->hcl.hardware.p + 528, 48));
		json_add_hex(o, "td_attributes", slice_of(s->hcl.hardware.p + 512, 8));
		json_add_hex(o, "report_data", hcl_report_data(&s->hcl));
	}
	if (s->td && tdx_subject_details(json_add_object(to, "td_quote"), s->td, e))
		return -1;
	if (s->has_quote)
		return tpm_quote_details(json_add_object(to, "tpm_quote"), &s->tpm, e);
	json_add_str(to, "tpm_quote", "none: this is no evidence, only a part of it");
	return 0;
}

/* --- collecting -------------------------------------------------------------------------------------------------------- */

static int collect_snp(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	return azure_collect(ret, h, false, rd, e);
}

static int collect_tdx(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	return azure_collect(ret, h, true, rd, e);
}

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	AUTO_JSON *j = NULL;

	if (json_parse(&j, buf_view(&ev->raw), EVIDENCE_MAX, e))
		return -1;
	if (!json_get(j, "vcek") && !json_get(j, "td_quote")) {
		err_set(e, EC_ABSENT, "there is no VCEK certificate, which Trustee's form needs");
		return err_hint(e, "the metadata service at 169.254.169.254 has it");
	}
	*ret = j;
	j = NULL;
	return 0;
}

const struct evidence_kind evidence_az_snp = {
	.name = "az-snp-vtpm",
	.title = "Azure vTPM on AMD SEV-SNP",
	.collect = collect_snp, .to_trustee = to_trustee,
	.recognise = recognise_snp, .recognise_json = recognise_json_snp, .parse = parse_snp, .drop = drop, .claims = claims, .details = details,
	.measured = "/azure/measurement", .values = OF_SNP | OF_TPM, .has_log = true, .checks = snp_list, .n_checks = sizeof snp_list / sizeof snp_list[0], .stages = stages,
};

const struct evidence_kind evidence_az_tdx = {
	.name = "az-tdx-vtpm",
	.title = "Azure vTPM on Intel TDX",
	.collect = collect_tdx, .to_trustee = to_trustee,
	.recognise = recognise_tdx, .recognise_json = recognise_json_tdx, .parse = parse_tdx, .drop = drop, .claims = claims, .details = details,
	.measured = "/quote/body/mr_td", .values = OF_TDX | OF_TPM, .has_log = true, .checks = tdx_own, .n_checks = sizeof tdx_own / sizeof tdx_own[0], .stages = stages,
};
