/* SPDX-License-Identifier: Apache-2.0 */
/* Is a report genuine, of this device, and what was expected?  The order is that of nvidia-gpu.md 2.  One list for GPUs and one for switches, of the
 * same checks. */

#include <strings.h>

#include "gpu/nvgpu_int.h"

/* --- the chain ------------------------------------------------------------------------------------------------------ */

static bool signs(const struct cert *c, const struct spdm_report *r)
{
	struct err e = { 0 };
	AUTO_PUBKEY k = { 0 };

	return !cert_public(&k, c, &e) && k.type == KEY_EC_P384 && !sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA384, r->signed_part, r->signature, &e);
}

static const struct cert *issuer_of(const struct cert *c, const struct cert_list *among)
{
	for (size_t i = 0; i < among->n; i++) {
		struct err e = { 0 };
		AUTO_PUBKEY k = { 0 };

		if (slice_eq(c->issuer, among->v[i].subject) && !cert_public(&k, &among->v[i], &e) && !cert_signed_by(c, &k, &e))
			return &among->v[i];
	}
	return NULL;
}

/* A report that came without a chain: the caller's certificates may hold it, among others. */
static void take_given(struct nv_subject *s, const struct cert_list *given)
{
	const struct cert *c = NULL;
	size_t n = 0;

	for (size_t i = 0; i < given->n && !c; i++)
		if (!given->v[i].is_ca && signs(&given->v[i], &s->d->report))
			c = &given->v[i];
	for (size_t i = 0; i < given->n && !c; i++)	/* of another device: the signature check is to say so */
		if (!given->v[i].is_ca)
			c = &given->v[i];
	while (c && n < NVCHAIN_CERTS) {
		s->given[n++] = *c;
		c = issuer_of(c, given);
	}
	s->chain = (struct cert_list){ s->given, n };
}

static void name_device(struct buf *ret, struct nv_subject *s)
{
	nvchain_hwmodel(&s->hwmodel, &s->chain.v[1], NULL);
	nvchain_ueid(&s->ueid, &s->chain.v[0], NULL);
	buf_printf(ret, "%s, device %s", buf_cstr(&s->hwmodel), buf_cstr(&s->ueid));
}

static NV_RUN(check_chain)
{
	struct err e = { 0 };

	s->chain = s->d->chain;
	if (!s->chain.n && x->given)
		take_given(s, &x->given->certs);
	buf_puts(&f->expected, "five certificates, from the device's to NVIDIA's device root");
	if (!s->chain.n) {
		buf_puts(&f->actual, "none came along");
		buf_puts(&f->hint, "give the chain with --certs");
		return FAILED;
	}
	s->issued = !nvchain_issued(&s->chain, x->nv_device_root, &e);
	s->dated = s->issued && !nvchain_dates(&s->chain, x->now, &e);
	if (!s->dated)
		return found(f, false, NULL, e.msg);
	name_device(&f->actual, s);
	return PASSED;
}

/* --- what it is a report of ------------------------------------------------------------------------------------------- */

static bool model_agrees(const struct nv_subject *s)
{
	static const char *const models[] = { [NV_UNKNOWN] = "?", [NV_HOPPER] = "GH100 ", [NV_BLACKWELL] = "GB1", [NV_LS10] = "LS_10 " };
	const char *wanted = nv_arch_number(s->d) == NV_WORD_BLACKWELL_2 ? "GB2" : models[s->d->arch];

	return !strncmp(buf_cstr(&s->hwmodel), wanted, strlen(wanted));
}

/* A switch names itself in its report, too. */
static bool pdi_agrees(const struct nv_subject *s)
{
	uint8_t own[8], certified[8];
	struct err e = { 0 };

	return !nv_is_switch(s->d) ||
	       (nv_pdi_of_switch(own, s->d) && !nvchain_pdi(certified, &s->chain.v[1], &e) && !memcmp(own, certified, sizeof own));
}

static NV_RUN(check_arch)
{
	const struct nv_device *d = s->d;
	const size_t blocks = d->arch == NV_LS10 ? NV_SWITCH_BLOCKS : NV_GPU_BLOCKS;

	(void)x;
	buf_printf(&f->expected, "%s in evidence, report and certificate", d->stated ? nv_arch_word(d->stated) : "one architecture");
	buf_printf(&f->actual, "report is of %s (%zu measurements", nv_arch_word(d->arch), d->report.n_blocks);
	if (nv_arch_number(d))
		buf_printf(&f->actual, ", architecture 0x%x", nv_arch_number(d));
	buf_printf(&f->actual, "), certificate of '%s'", buf_cstr(&s->hwmodel));
	if (d->arch == NV_UNKNOWN)
		buf_puts(&f->hint, "this version knows Hopper, Blackwell and the LS10 switch");
	if (!pdi_agrees(s)) {
		buf_puts(&f->actual, ", and the switch names itself otherwise than its certificate");
		return FAILED;
	}
	return d->arch && (!d->stated || d->stated == d->arch) && d->report.n_blocks == blocks && model_agrees(s) ? PASSED : FAILED;
}

static NV_RUN(check_signature)
{
	struct err e = { 0 };
	AUTO_PUBKEY k = { 0 };

	(void)x;
	buf_puts(&f->expected, "a signature over the report by the device's key");
	if (cert_public(&k, &s->chain.v[0], &e) ||
	    sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA384, s->d->report.signed_part, s->d->report.signature, &e)) {
		buf_puts(&f->hint, "the report was changed, or belongs to another device than the chain");
		return found(f, false, NULL, e.msg);
	}
	return found(f, true, NULL, "it holds");
}

static NV_RUN(check_nonce)
{
	uint8_t want[32];

	buf_hex(&f->actual, s->d->report.nonce);
	if (x->report_data.n == 0) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "without one the report may be an old one: give --nonce, or --insecure-no-nonce");
		return x->no_freshness ? WARNED : FAILED;
	}
	nv_nonce_of(want, x->report_data);
	buf_hex(&f->expected, slice_of(want, sizeof want));
	s->nonce_same = mem_eq_ct(want, s->d->report.nonce.p, sizeof want);
	if (!s->nonce_same) {
		buf_puts(&f->hint, "the report was made for another nonce: is it an old one?");
		return FAILED;
	}
	return x->no_freshness ? WARNED : PASSED;
}

static NV_RUN(check_fwid)
{
	const struct opaque_entry *in = opaque_find(&s->d->opaque, OPAQUE_FWID);
	uint8_t fwid[48];
	struct err e = { 0 };

	(void)x;
	if (nvchain_fwid(fwid, &s->chain.v[0], &e))
		return found(f, false, "a firmware digest (FWID) in the device's certificate", e.msg);
	buf_hex(&f->expected, slice_of(fwid, sizeof fwid));
	if (!in) {
		buf_puts(&f->actual, "no firmware digest in the report");
		if (nv_is_switch(s->d) || nv_driver_before(s->d, 550)) {
			buf_puts(&f->hint, "switches and drivers before 550 give none: whether firmware and certificate belong together is not known");
			return NOT_ASKED;
		}
		return FAILED;
	}
	s->fwid_known = true;
	s->fwid_same = in->data.n == sizeof fwid && !memcmp(in->data.p, fwid, sizeof fwid);
	buf_hex(&f->actual, in->data);
	if (!s->fwid_same)
		buf_puts(&f->hint, "the device runs other firmware than its certificate was issued for");
	return s->fwid_same ? PASSED : FAILED;
}

static NV_RUN(check_mode)
{
	const struct texts *list = &x->limits->gpu_modes;
	AUTO_BUF why = { 0 };
	const enum nv_mode_word m = nv_mode_of(s->d, &why);

	if (m == NV_MODE_BAD)
		return found(f, false, "spt, mpt or ppcie, told without contradiction", buf_cstr(&why));
	buf_puts(&f->actual, nv_mode_words[m]);
	if (!list->n)
		return PASSED;
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&f->expected, "%s%s", i ? " or " : "", list->v[i]);
	f->source = x->limits->source;
	return texts_have(list, nv_mode_words[m]) ? PASSED : FAILED;
}

/* --- what a policy wants of it ---------------------------------------------------------------------------------------------- */

static bool one_of(const struct texts *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcasecmp(list->v[i], s))
			return true;
	return false;
}

static void also(struct buf *b)
{
	if (b->n)
		buf_puts(b, ", ");
}

/* False: asked and not so. */
static bool version_listed(struct finding *f, const char *what, const char *is, const struct texts *list, bool *asked)
{
	if (!list->n)
		return true;
	*asked = true;
	also(&f->expected);
	buf_printf(&f->expected, "%s ", what);
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&f->expected, "%s%s", i ? " or " : "", list->v[i]);
	return one_of(list, is);
}

static bool version_at_least(struct finding *f, const char *what, const char *is, const char *min, int base, bool *asked)
{
	const int order = nv_version_compare(is, min, base);

	if (!min[0])
		return true;
	*asked = true;
	also(&f->expected);
	buf_printf(&f->expected, "%s at least %s", what, min);
	return order == 0 || order == 1;
}

static NV_RUN(check_versions)
{
	const struct limits *l = x->limits;
	const struct nv_device *d = s->d;
	bool asked = false, good = true;

	if (nv_is_switch(d)) {
		good = version_listed(f, "BIOS", d->vbios, &l->switch_bios, &asked);
	} else {
		good &= version_listed(f, "driver", d->driver, &l->gpu_drivers, &asked);
		good &= version_at_least(f, "driver", d->driver, l->min_gpu_driver, 10, &asked);
		good &= version_listed(f, "VBIOS", d->vbios, &l->gpu_vbios, &asked);
		good &= version_at_least(f, "VBIOS", d->vbios, l->min_gpu_vbios, 16, &asked);
	}
	if (!asked)
		return NOT_ASKED;
	if (nv_is_switch(d))
		buf_printf(&f->actual, "BIOS %s", d->vbios);
	else
		buf_printf(&f->actual, "driver %s, VBIOS %s", d->driver, d->vbios);
	f->source = l->source;
	return good ? PASSED : FAILED;
}

static NV_RUN(check_id)
{
	const struct texts *list = &x->limits->gpu_ueids;

	if (!list->n)
		return NOT_ASKED;
	buf_printf(&f->expected, "one of %zu devices that the policy lists", list->n);
	f->source = x->limits->source;
	return found(f, s->ueid.n && texts_have(list, buf_cstr(&s->ueid)), NULL, buf_cstr(&s->ueid));
}

/* The first wanted member that is not there, by name. */
static void say_member(struct finding *f, const struct json *wanted, const struct json *seen)
{
	for (const struct json *m = json_first(wanted); m; m = json_next(m)) {
		const struct json *is = json_get(seen, json_name(m));

		if (json_holds(m, is))
			continue;
		buf_printf(&f->expected, "'%s' to be ", json_name(m));
		json_write(&f->expected, m, false, NULL);
		if (is)
			json_write(&f->actual, is, false, NULL);
		else
			buf_puts(&f->actual, "not there");
		return;
	}
}

static NV_RUN(check_claims)
{
	const struct json *wanted = nv_is_switch(s->d) ? x->limits->switch_claims : x->limits->gpu_claims;
	AUTO_JSON *seen = NULL;

	if (!wanted)
		return NOT_ASKED;
	f->source = x->limits->source;
	seen = json_object();
	nv_claims_of(seen, s);
	if (seen && json_holds(wanted, seen))
		return found(f, true, "the claims that the policy lists", "as listed");
	say_member(f, wanted, seen);
	return FAILED;
}

/* --- the lists ----------------------------------------------------------------------------------------------------------------- */

/* Claims tell of what the checks before them found. */
#define REMEMBER(name, at) static enum outcome run_##name(void *p, const struct expect *x, struct finding *f) \
	{ struct nv_subject *s = p; return s->outcome[at] = name(s, x, f); }
REMEMBER(nv_check_chain, NV_C_CHAIN)
REMEMBER(nv_check_arch, NV_C_ARCH)
REMEMBER(nv_check_signature, NV_C_SIGNATURE)
REMEMBER(nv_check_nonce, NV_C_NONCE)
REMEMBER(nv_check_fwid, NV_C_FWID)
REMEMBER(nv_check_mode, NV_C_MODE)
REMEMBER(nv_check_ocsp, NV_C_OCSP)
REMEMBER(nv_check_driver, NV_C_DRIVER)
REMEMBER(nv_check_driver_dates, NV_C_DRIVER_DATES)
REMEMBER(nv_check_driver_ocsp, NV_C_DRIVER_OCSP)
REMEMBER(nv_check_vbios, NV_C_VBIOS)
REMEMBER(nv_check_vbios_dates, NV_C_VBIOS_DATES)
REMEMBER(nv_check_vbios_ocsp, NV_C_VBIOS_OCSP)
REMEMBER(nv_check_conflict, NV_C_CONFLICT)
REMEMBER(nv_check_measurements, NV_C_MEASUREMENTS)
REMEMBER(nv_check_svn, NV_C_SVN)
REMEMBER(nv_check_pinned, NV_C_PINNED)
REMEMBER(nv_check_versions, NV_C_VERSIONS)
REMEMBER(nv_check_id, NV_C_ID)
REMEMBER(nv_check_claims, NV_C_CLAIMS)

enum { G_CHAIN, G_ARCH, G_SIGNATURE, G_NONCE, G_FWID, G_MODE, G_OCSP, G_DRIVER, G_DRIVER_DATES, G_DRIVER_OCSP, G_VBIOS };
#define G_REPORT (NEEDS(G_CHAIN) | NEEDS(G_ARCH) | NEEDS(G_SIGNATURE))
const struct check nv_gpu_checks[NV_GPU_CHECKS] = {
	{ "nvgpu.chain", 0, CHECK_BASE, run_nv_check_chain },
	{ "nvgpu.arch", NEEDS(G_CHAIN), CHECK_BASE, run_nv_check_arch },
	{ "nvgpu.signature", NEEDS(G_CHAIN), CHECK_BASE, run_nv_check_signature },
	{ "nvgpu.nonce", NEEDS(G_SIGNATURE), CHECK_BASE, run_nv_check_nonce },
	{ "nvgpu.fwid", G_REPORT, CHECK_WHERE_THERE, run_nv_check_fwid },
	{ "nvgpu.mode", G_REPORT, CHECK_PLAIN, run_nv_check_mode },
	{ "nvgpu.ocsp", NEEDS(G_CHAIN), CHECK_WHERE_THERE, run_nv_check_ocsp },
	{ "nvgpu.rim.driver", G_REPORT, CHECK_PLAIN, run_nv_check_driver },
	{ "nvgpu.rim.driver.dates", NEEDS(G_DRIVER), CHECK_WHERE_THERE, run_nv_check_driver_dates },
	{ "nvgpu.rim.driver.ocsp", NEEDS(G_DRIVER), CHECK_WHERE_THERE, run_nv_check_driver_ocsp },
	{ "nvgpu.rim.vbios", G_REPORT, CHECK_PLAIN, run_nv_check_vbios },
	{ "nvgpu.rim.vbios.dates", NEEDS(G_VBIOS), CHECK_WHERE_THERE, run_nv_check_vbios_dates },
	{ "nvgpu.rim.vbios.ocsp", NEEDS(G_VBIOS), CHECK_WHERE_THERE, run_nv_check_vbios_ocsp },
	{ "nvgpu.conflict", G_REPORT, CHECK_WHERE_THERE, run_nv_check_conflict },
	{ "nvgpu.measurements", G_REPORT, CHECK_PLAIN, run_nv_check_measurements },
	{ "nvgpu.svn", G_REPORT, CHECK_WHERE_THERE, run_nv_check_svn },
	{ "nvgpu.pinned", G_REPORT, CHECK_WHERE_ASKED, run_nv_check_pinned },
	{ "nvgpu.versions", G_REPORT, CHECK_WHERE_ASKED, run_nv_check_versions },
	{ "nvgpu.id", NEEDS(G_CHAIN), CHECK_WHERE_ASKED, run_nv_check_id },
	{ "nvgpu.claims", G_REPORT, CHECK_WHERE_ASKED, run_nv_check_claims },
};

enum { S_CHAIN, S_ARCH, S_SIGNATURE, S_NONCE, S_FWID, S_OCSP, S_BIOS };
#define S_REPORT (NEEDS(S_CHAIN) | NEEDS(S_ARCH) | NEEDS(S_SIGNATURE))
const struct check nv_switch_checks[NV_SWITCH_CHECKS] = {
	{ "nvswitch.chain", 0, CHECK_BASE, run_nv_check_chain },
	{ "nvswitch.arch", NEEDS(S_CHAIN), CHECK_BASE, run_nv_check_arch },
	{ "nvswitch.signature", NEEDS(S_CHAIN), CHECK_BASE, run_nv_check_signature },
	{ "nvswitch.nonce", NEEDS(S_SIGNATURE), CHECK_BASE, run_nv_check_nonce },
	{ "nvswitch.fwid", S_REPORT, CHECK_WHERE_THERE, run_nv_check_fwid },
	{ "nvswitch.ocsp", NEEDS(S_CHAIN), CHECK_WHERE_THERE, run_nv_check_ocsp },
	{ "nvswitch.rim.bios", S_REPORT, CHECK_PLAIN, run_nv_check_vbios },
	{ "nvswitch.rim.bios.dates", NEEDS(S_BIOS), CHECK_WHERE_THERE, run_nv_check_vbios_dates },
	{ "nvswitch.rim.bios.ocsp", NEEDS(S_BIOS), CHECK_WHERE_THERE, run_nv_check_vbios_ocsp },
	{ "nvswitch.measurements", S_REPORT, CHECK_PLAIN, run_nv_check_measurements },
	{ "nvswitch.svn", S_REPORT, CHECK_WHERE_THERE, run_nv_check_svn },
	{ "nvswitch.versions", S_REPORT, CHECK_WHERE_ASKED, run_nv_check_versions },
	{ "nvswitch.id", NEEDS(S_CHAIN), CHECK_WHERE_ASKED, run_nv_check_id },
	{ "nvswitch.claims", S_REPORT, CHECK_WHERE_ASKED, run_nv_check_claims },
};
