/* SPDX-License-Identifier: Apache-2.0 */
/* Claims by NVIDIA's names (nvidia-gpu.md 4.3), version 3.0 with what 4.0 adds: what was established, and nothing else. */

#include "gpu/nvgpu_int.h"

static bool held(const struct nv_subject *s, enum nv_check c)
{
	return s->outcome[c] == PASSED || s->outcome[c] == WARNED;
}

static const char *family(const struct nv_subject *s)
{
	return nv_is_switch(s->d) ? "switch" : "gpu";
}

struct claim_name {
	char text[96];
};
static struct claim_name named(const struct nv_subject *s, const char *what)
{
	struct claim_name n;

	snprintf(n.text, sizeof n.text, "x-nvidia-%s-%s", family(s), what);
	return n;
}
#define NAMED(what) (named(s, what).text)

/* --- chains --------------------------------------------------------------------------------------------------------- */

static void add_status(struct json *to, const struct nv_status *st)
{
	if (!st->ran || !st->any || (!st->known && st->worst != OCSP_REVOKED))
		return;
	json_add_str(to, "x-nvidia-cert-ocsp-status", ocsp_status_word(st->worst));
	if (st->worst == OCSP_REVOKED)
		json_add_str(to, "x-nvidia-cert-revocation-reason", st->has_reason ? ocsp_reason_word(st->reason) : NULL);
	json_add_bool(to, "x-nvidia-cert-ocsp-nonce-matches", st->freshness == OCSP_LIVE);
	json_add_bool(to, "x-nvidia-cert-ocsp-response-valid", true);
}

static void add_chain(struct json *to, const char *name, bool proved, bool dated, int64_t until, const struct nv_status *st)
{
	struct json *c = json_add_object(to, name);
	const bool revoked = st->ran && st->any && st->worst == OCSP_REVOKED;

	if (proved)
		json_add_time(c, "x-nvidia-cert-expiration-date", until);
	json_add_str(c, "x-nvidia-cert-status", !proved ? "invalid" : revoked ? "revoked" : dated ? "valid" : "expired");
	add_status(c, st);
}

static int64_t end_of(const struct cert_list *l)
{
	int64_t t = INT64_MAX;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].not_after < t)
			t = l->v[i].not_after;
	return t;
}

static void add_report(struct json *to, const struct nv_subject *s)
{
	const bool genuine = held(s, NV_C_SIGNATURE);

	json_add_bool(to, NAMED("attestation-report-parsed"), true);
	add_chain(to, NAMED("attestation-report-cert-chain"), s->issued, s->dated, end_of(&s->chain), &s->status[NV_CHAIN_DEVICE]);
	if (s->fwid_known || !genuine)
		json_add_bool(to, NAMED("attestation-report-cert-chain-fwid-match"), genuine && s->fwid_same);
	json_add_bool(to, NAMED("attestation-report-signature-verified"), genuine);
	json_add_bool(to, NAMED("attestation-report-nonce-match"), genuine && s->nonce_same);
	if (genuine)
		json_add_hex(to, "eat_nonce", s->d->report.nonce);
}

/* --- manifests -------------------------------------------------------------------------------------------------------- */

static void add_manifest(struct json *to, const struct nv_subject *s, enum nv_which w)
{
	const char *kind = w == NV_DRIVER ? "driver-rim" : nv_is_switch(s->d) ? "bios-rim" : "vbios-rim";
	const struct nv_manifest *m = s->rim[w];
	int64_t from, until = 0;
	char name[64];

#define RIM_CLAIM(what) (snprintf(name, sizeof name, "%s-%s", kind, what), NAMED(name))
	json_add_bool(to, RIM_CLAIM("fetched"), s->seen[w] != NULL);
	json_add_bool(to, RIM_CLAIM("schema-validated"), s->seen[w] != NULL);
	json_add_bool(to, RIM_CLAIM("signature-verified"), m != NULL);
	json_add_bool(to, RIM_CLAIM("version-match"), m != NULL);
	json_add_bool(to, RIM_CLAIM("measurements-available"), m && m->rim.n_active);
	if (!s->seen[w])
		return;
	if (m)
		rim_window(&from, &until, &m->rim);
	add_chain(to, RIM_CLAIM("cert-chain"), m != NULL, s->rim_dated[w], until, &s->status[NV_CHAIN_DRIVER + w]);
#undef RIM_CLAIM
}

static void add_mismatches(struct json *to, const struct nv_subject *s)
{
	struct json *list = NULL;

	for (size_t i = 0; i < SPDM_BLOCKS_MAX; i++) {
		const struct nv_measure *m = &s->measure[i];
		const struct spdm_block *b = &s->d->report.block[i];
		struct json *o;

		if (m->verdict != NV_DIFFERENT && m->verdict != NV_TOLERATED)
			continue;
		if (!list)
			list = json_add_array(to, "x-nvidia-mismatch-measurement-records");
		o = json_add_object(list, NULL);
		json_add_u64(o, "index", i);
		json_add_str(o, "measurementSource", m->from == NV_DRIVER ? "driver" : nv_is_switch(s->d) ? "bios" : "vbios");
		json_add_u64(o, "goldenSize", 48);
		json_add_hex(o, "goldenValue", slice_of(m->golden->hash[0], 48));
		json_add_u64(o, "runtimeSize", b->present ? b->value.n : 0);
		json_add_hex(o, "runtimeValue", b->present ? b->value : (struct slice){ 0 });
	}
}

static void add_svn(struct json **published, struct json **missed, struct json *to, const struct nv_subject *s, const struct rim_svn *r)
{
	uint32_t v = 0;
	const bool there = nv_svn_of(&v, s->d, r->opaque_type);
	struct json *o;

	if (there && r->publish) {
		if (!*published)
			*published = json_add_object(to, "x-nvidia-attester-claims");
		json_add_u64(*published, r->name, v);
	}
	if (there && v >= r->min)
		return;
	if (!*missed)
		*missed = json_add_array(to, "x-nvidia-mismatch-opaque-data-records");
	o = json_add_object(*missed, NULL);
	json_add_u64(o, "id", r->opaque_type);
	json_add_str(o, "name", r->name);
	json_add_str(o, "goldenType", "MIN_SVN");
	json_add_u64(o, "goldenValue", r->min);
	json_add_str(o, "runtimeType", there ? "SVN" : NULL);
	if (there)
		json_add_u64(o, "runtimeValue", v);
	else
		json_add_null(o, "runtimeValue");
}

static void add_svns(struct json *to, const struct nv_subject *s)
{
	struct json *published = NULL, *missed = NULL;

	for (size_t w = 0; w < NV_MANIFESTS; w++)
		for (size_t i = 0; s->rim[w] && i < s->rim[w]->rim.n_svn; i++)
			if (s->rim[w]->rim.svn[i].active)
				add_svn(&published, &missed, to, s, &s->rim[w]->rim.svn[i]);
}

/* Everything that manifests demand was compared and is as they say. */
static bool all_match(const struct nv_subject *s)
{
	return s->all_same && held(s, NV_C_MEASUREMENTS) && s->outcome[NV_C_SVN] >= WARNED &&
	       (nv_is_switch(s->d) || held(s, NV_C_CONFLICT));
}

static void add_result(struct json *to, const struct nv_subject *s)
{
	bool failed = s->compared || s->outcome[NV_C_SVN] == FAILED || s->outcome[NV_C_CONFLICT] == FAILED;

	for (size_t i = 0; i < SPDM_BLOCKS_MAX; i++)
		failed |= s->measure[i].verdict >= NV_TOLERATED;

	if (all_match(s)) {
		json_add_str(to, "measres", "success");
		json_add_bool(to, "secboot", true);
		json_add_str(to, "dbgstat", "disabled");
		return;
	}
	json_add_str(to, "measres", failed ? "fail" : "not-run");
	json_add_bool(to, "secboot", false);
}

/* --- one device ----------------------------------------------------------------------------------------------------------- */

static void add_pdis(struct json *to, const char *name, const struct nv_pdis *l)
{
	struct json *list = json_add_array(to, name);

	for (size_t i = 0; i < l->n; i++)
		json_add_hex(list, NULL, slice_of(l->v[i], 8));
}

/* Only what is signed. */
static void add_words(struct json *to, const struct nv_subject *s)
{
	const struct nv_device *d = s->d;
	struct nv_pdis list;
	uint8_t own[8];

	if (nv_is_switch(d)) {
		json_add_str(to, "x-nvidia-switch-bios-version", d->vbios);
		if (nv_pdi_of_switch(own, d))
			json_add_hex(to, "x-nvidia-switch-pdi", slice_of(own, 8));
		if (nv_gpus_of_switch(&list, d))
			add_pdis(to, "x-nvidia-switch-gpu-pdis", &list);
		return;
	}
	json_add_str(to, "x-nvidia-gpu-driver-version", d->driver);
	json_add_str(to, "x-nvidia-gpu-vbios-version", d->vbios);
	if (nv_mode_of(d, NULL) != NV_MODE_BAD)
		json_add_str(to, "mode", nv_mode_words[nv_mode_of(d, NULL)]);
	if (nv_pdis_of_gpu(&list, d))
		add_pdis(to, "x-nvidia-gpu-switch-pdis", &list);
}

static const char *oemid(const struct nv_subject *s)
{
	for (size_t w = 0; w < NV_MANIFESTS; w++)
		if (s->rim[w] && s->rim[w]->rim.oemid[0])
			return s->rim[w]->rim.oemid;
	return NULL;
}

void nv_claims_of(struct json *to, const struct nv_subject *s)
{
	json_add_str(to, "x-nvidia-device-type", nv_is_switch(s->d) ? "nvswitch" : "gpu");
	json_add_str(to, nv_is_switch(s->d) ? "x-nvidia-version" : "x-nvidia-gpu-claims-version", "3.0");
	add_result(to, s);
	json_add_bool(to, NAMED("arch-check"), held(s, NV_C_ARCH) && held(s, NV_C_SIGNATURE));
	if (held(s, NV_C_CHAIN)) {
		json_add_str(to, "hwmodel", buf_cstr(&s->hwmodel));
		json_add_str(to, "ueid", buf_cstr(&s->ueid));
	}
	if (held(s, NV_C_SIGNATURE))
		add_words(to, s);
	if (oemid(s))
		json_add_str(to, "oemid", oemid(s));
	add_report(to, s);
	if (!nv_is_switch(s->d))
		add_manifest(to, s, NV_DRIVER);
	add_manifest(to, s, NV_VBIOS);
	if (!nv_is_switch(s->d))
		json_add_bool(to, "x-nvidia-gpu-vbios-index-no-conflict", held(s, NV_C_CONFLICT));
	add_mismatches(to, s);
	add_svns(to, s);
}

/* --- all of them ------------------------------------------------------------------------------------------------------------ */

/* By what the list of this device has; one that a policy ignored did not run. */
static bool all_held(const struct nv_subject *s)
{
	static const bool not_of_switches[NV_CHECKS] = { [NV_C_MODE] = true, [NV_C_DRIVER] = true, [NV_C_DRIVER_DATES] = true,
							 [NV_C_DRIVER_OCSP] = true, [NV_C_CONFLICT] = true, [NV_C_PINNED] = true };

	for (size_t i = 0; i < NV_CHECKS; i++)
		if (s->outcome[i] < WARNED && !(nv_is_switch(s->d) && not_of_switches[i]))
			return false;
	return s->nonce_same && !s->waived;
}

static bool overall(const struct nv_parsed *p)
{
	for (size_t i = 0; i < p->set.n; i++)
		if (!all_held(&p->v[i]))
			return false;
	for (size_t i = 0; i < NVSET_CHECKS; i++)
		if (p->outcome[i] < WARNED)
			return false;
	return true;
}

/* The least fresh of all that was asked. */
static void add_freshness(struct json *to, const struct nv_parsed *p)
{
	struct json *o = json_add_object(to, "ocsp");
	enum ocsp_class least = OCSP_LIVE;
	int64_t oldest = INT64_MAX;
	bool any = false;

	for (size_t i = 0; i < p->set.n; i++)
		for (size_t c = 0; c < NV_CHAINS; c++) {
			const struct nv_status *st = &p->v[i].status[c];

			if (!st->ran)
				continue;
			any = true;
			if (st->freshness < least)
				least = st->freshness;
			if (st->any && st->oldest < oldest)
				oldest = st->oldest;
		}
	json_add_str(o, "class", ocsp_class_names[any ? least : OCSP_NONE]);
	if (any && oldest != INT64_MAX) {
		json_add_time(o, "oldest", oldest);
		json_add_i64(o, "age_s", p->now > oldest ? p->now - oldest : 0);
	}
}

/* What the collector called it: signed by nobody, so no policy's claims are held against it. */
static void add_names(struct json *to, const struct nv_device *d)
{
	if (d->uuid[0])
		json_add_str(to, "uuid", d->uuid);
	if (d->bdf[0])
		json_add_str(to, "bdf", d->bdf);
}

int nv_claims(struct json *to, const void *parsed, struct err *e)
{
	const struct nv_parsed *p = parsed;

	(void)e;
	json_add_bool(to, "x-nvidia-overall-att-result", overall(p));
	json_add_str(to, "x-nvidia-ver", "3.0");
	add_freshness(to, p);
	json_add_str(to, "colocation", "not-proven");	/* no signature says in which machine a device is */
	for (size_t i = 0; i < p->set.n; i++) {
		struct json *o = json_add_object(to, p->set.v[i].label);

		nv_claims_of(o, &p->v[i]);
		add_names(o, &p->set.v[i]);
	}
	return 0;
}
