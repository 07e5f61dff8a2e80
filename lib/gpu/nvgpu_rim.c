/* SPDX-License-Identifier: Apache-2.0 */
/* Which reference manifests belong to a device, and may they be believed (nvidia-gpu.md 3)?  Manifests are found by what they say and what is
 * signed, never by a file's name. */

#include <strings.h>

#include "gpu/nv_roots.h"
#include "gpu/nvgpu_int.h"

/* --- those at hand -------------------------------------------------------------------------------------------------- */

static void open_one(struct nv_manifest *m, const struct collateral_item *it)
{
	struct err e = { 0 };

	m->source = it->source;
	m->readable = !rim_parse(&m->rim, buf_view(&it->data), &e);
	snprintf(m->trouble, sizeof m->trouble, "%.255s", e.msg);
}

int nv_manifests_open(struct nv_parsed *p, const struct expect *x, struct err *e)
{
	size_t n = 0;

	while (expect_collateral(x, COLLATERAL_RIM, n))
		n++;
	if (certs_parse(&p->rim_root, slice_str(nv_rim_root_pem), e))
		return -1;
	p->rims = calloc(n + 1, sizeof *p->rims);
	if (!p->rims)
		return err_oom(e);
	for (; p->n_rims < n; p->n_rims++)
		open_one(&p->rims[p->n_rims], expect_collateral(x, COLLATERAL_RIM, p->n_rims));
	return 0;
}

/* --- which one belongs to a device ------------------------------------------------------------------------------------ */

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool of_product(const struct rim *r, const struct nv_device *d)
{
	static const char *const products[] = { [NV_UNKNOWN] = "?", [NV_HOPPER] = "GH100", [NV_BLACKWELL] = "GB", [NV_LS10] = "LS10" };
	const char *wanted = products[d->arch];

	return begins(r->name, wanted) && begins(r->product, wanted) && !strcasecmp(r->edition, d->arch == NV_LS10 ? "SWITCH" : "GPU");
}

static bool fits(const struct nv_manifest *m, const struct nv_device *d, enum nv_which w)
{
	const char *version = w == NV_DRIVER ? d->driver : d->vbios;

	return m->readable && version[0] && of_product(&m->rim, d) && !strcasecmp(m->rim.version, version);
}

static void judge(struct nv_manifest *m, const struct expect *x)
{
	struct err e = { 0 };

	if (m->judged)
		return;
	m->judged = true;
	m->trusted = !rim_chain(&m->rim, x->nv_rim_root, &e) && !rim_signed(&m->rim, &e);
	snprintf(m->trouble, sizeof m->trouble, "%.255s", e.msg);
}

static size_t differences(const struct rim *r, const struct nv_device *d)
{
	size_t n = 0;

	for (size_t i = 0; i < RIM_INDEXES && i < SPDM_BLOCKS_MAX; i++)
		n += r->golden[i].active && !nv_equals_golden(&d->report.block[i], &r->golden[i]);
	return n;
}

/* The certificates of a manifest, signer first, with a root at the end. */
struct nv_rim_line {
	struct cert v[CERTS_MAX + 1];
	struct cert_list l;
};

static struct nv_line line_of(struct nv_rim_line *ret, const struct nv_parsed *p, const struct nv_manifest *m)
{
	const struct cert_list *c = &m->rim.sig.certs;

	memcpy(ret->v, c->v, c->n * sizeof *c->v);
	ret->l = (struct cert_list){ ret->v, c->n };
	if (c->n && !slice_eq(c->v[c->n - 1].issuer, c->v[c->n - 1].subject))
		ret->v[ret->l.n++] = p->rim_root.v[0];
	return (struct nv_line){ &ret->l, 0, ret->l.n ? ret->l.n - 1 : 0 };
}

static bool revoked(struct nv_parsed *p, const struct nv_manifest *m, const struct expect *x)
{
	struct nv_rim_line store;
	const struct nv_line line = line_of(&store, p, m);

	return nv_line_revoked(p, &line, x);
}

/* The higher the better: signed, not revoked, valid now, then the one that differs least.  All of them speak for the same product and
 * version under the same root, and NVIDIA publishes one for each board. */
static unsigned rank(struct nv_parsed *p, struct nv_manifest *m, const struct nv_device *d, const struct expect *x)
{
	struct err e = { 0 };

	judge(m, x);
	if (!m->trusted)
		return 0;
	return 1024 + (revoked(p, m, x) ? 0 : 512) + (rim_dates(&m->rim, x->now, &e) ? 0 : 256) + (RIM_INDEXES - (unsigned)differences(&m->rim, d));
}

static void choose(struct nv_subject *s, enum nv_which w, const struct expect *x)
{
	unsigned best = 0;

	for (size_t i = 0; i < s->all->n_rims; i++) {
		struct nv_manifest *m = &s->all->rims[i];
		unsigned r;

		if (!fits(m, s->d, w))
			continue;
		r = rank(s->all, m, s->d, x);
		if (!s->seen[w] || r > best)
			s->seen[w] = m;
		if (r > best)
			best = r;
	}
	s->rim[w] = best ? s->seen[w] : NULL;
}

/* Both at once: what one of them lacks may be there in the other. */
static void choose_both(struct nv_subject *s, const struct expect *x)
{
	if (s->chosen)
		return;
	s->chosen = true;
	if (!nv_is_switch(s->d))
		choose(s, NV_DRIVER, x);
	choose(s, NV_VBIOS, x);
}

/* --- found and signed --------------------------------------------------------------------------------------------------- */

static const char *what(const struct nv_device *d, enum nv_which w)
{
	return w == NV_DRIVER ? "driver" : nv_is_switch(d) ? "BIOS" : "VBIOS";
}

static const char *unreadable(const struct nv_parsed *p)
{
	for (size_t i = 0; i < p->n_rims; i++)
		if (!p->rims[i].readable)
			return p->rims[i].trouble;
	return NULL;
}

static enum outcome say_absent(struct nv_subject *s, enum nv_which w, const struct expect *x, struct finding *f)
{
	const char *id = w == NV_DRIVER ? s->d->driver_rim : s->d->vbios_rim, *trouble = unreadable(s->all);

	buf_printf(&f->actual, "no RIM for this %s at hand: id %s", what(s->d, w), id[0] ? id : "not known");
	if (trouble)
		buf_printf(&f->actual, " (one that is at hand cannot be read: %s)", trouble);
	if (nv_pins_cover(s, x)) {
		buf_puts(&f->hint, "the policy pins the measured values instead (gpu_measurements)");
		f->source = x->limits->source;
		return WARNED;
	}
	buf_puts(&f->hint, "'cvmbox attest collateral' fetches it where NVIDIA has published it, --collateral takes a folder with it");
	if (!nv_is_switch(s->d))
		buf_puts(&f->hint, "; where there is none, a policy can pin the measured values (gpu_measurements)");
	s->waived |= x->no_collateral;
	return x->no_collateral ? WARNED : FAILED;
}

static enum outcome check_found(struct nv_subject *s, enum nv_which w, const struct expect *x, struct finding *f)
{
	const char *version = w == NV_DRIVER ? s->d->driver : s->d->vbios;

	choose_both(s, x);
	buf_printf(&f->expected, "NVIDIA's reference values of %s %s, signed under its root", what(s->d, w), version[0] ? version : "(none named)");
	if (!s->seen[w])
		return say_absent(s, w, x, f);
	f->source = s->seen[w]->source[0] ? s->seen[w]->source : NULL;
	if (!s->rim[w]) {
		buf_printf(&f->actual, "%s", s->seen[w]->trouble);
		return FAILED;
	}
	buf_printf(&f->actual, "%zu reference values of %s %s", s->rim[w]->rim.n_active, s->rim[w]->rim.product, s->rim[w]->rim.version);
	if (!s->rim[w]->rim.newer)
		return PASSED;
	buf_puts(&f->hint, "the manifest holds records that this version does not know and did not judge");
	return WARNED;
}

NV_RUN(check_driver)
{
	return check_found(s, NV_DRIVER, x, f);
}

NV_RUN(check_vbios)
{
	return check_found(s, NV_VBIOS, x, f);
}

/* --- its dates, its status ------------------------------------------------------------------------------------------------ */

static enum outcome none_at_hand(struct finding *f)
{
	buf_puts(&f->hint, "there is no manifest to look at");
	return NOT_ASKED;
}

static enum outcome check_dates(struct nv_subject *s, enum nv_which w, const struct expect *x, struct finding *f)
{
	const struct nv_manifest *m = s->rim[w];
	const char *chain = nv_chain_words[NV_CHAIN_DRIVER + w];
	int64_t from, until;
	struct err e = { 0 };

	if (!m)
		return none_at_hand(f);
	buf_puts(&f->expected, "signed under certificates that are valid now");
	f->source = m->source[0] ? m->source : NULL;
	if (!rim_dates(&m->rim, x->now, &e)) {
		s->rim_dated[w] = true;
		return found(f, true, NULL, "valid");
	}
	buf_printf(&f->actual, "%s", e.msg);
	rim_window(&from, &until, &m->rim);
	if (x->now > until && x->now >= from && nv_tolerated(x, chain, "expired")) {
		buf_printf(&f->hint, "the policy tolerates %s.expired", chain);
		f->source = x->limits->source;
		return WARNED;
	}
	buf_printf(&f->hint, "NVIDIA's signers live one or two years: fetch the manifest again%s", x->now < from ? ", and check the clock" : "");
	if (x->now > until)
		buf_printf(&f->hint, "; a policy may tolerate %s.expired", chain);
	return FAILED;
}

NV_RUN(check_driver_dates)
{
	return check_dates(s, NV_DRIVER, x, f);
}

NV_RUN(check_vbios_dates)
{
	return check_dates(s, NV_VBIOS, x, f);
}

static enum outcome check_status(struct nv_subject *s, enum nv_which w, const struct expect *x, struct finding *f)
{
	struct nv_rim_line store;
	struct nv_line line;

	if (!s->rim[w])
		return none_at_hand(f);
	line = line_of(&store, s->all, s->rim[w]);
	return nv_judge_status(s, NV_CHAIN_DRIVER + w, &line, x, f);
}

NV_RUN(check_driver_ocsp)
{
	return check_status(s, NV_DRIVER, x, f);
}

NV_RUN(check_vbios_ocsp)
{
	return check_status(s, NV_VBIOS, x, f);
}
