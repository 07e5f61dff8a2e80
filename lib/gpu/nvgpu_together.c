/* SPDX-License-Identifier: Apache-2.0 */
/* What has to hold about all devices of one capture together (nvidia-gpu.md 2.8). */

#include "gpu/nvgpu_int.h"

#define PPCIE_GPUS 8
#define PPCIE_SWITCHES 4

static size_t count(const struct nv_parsed *p, bool switches)
{
	size_t n = 0;

	for (size_t i = 0; i < p->set.n; i++)
		n += nv_is_switch(&p->set.v[i]) == switches;
	return n;
}

/* --- each only once -------------------------------------------------------------------------------------------------- */

static const char *shared(const struct nv_subject *a, const struct nv_subject *b)
{
	uint8_t ka[32], kb[32], pa[8], pb[8];
	struct err e = { 0 };

	if (slice_eq(buf_view(&a->d->raw), buf_view(&b->d->raw)))
		return "report";
	if (!a->chain.n || !b->chain.n)
		return NULL;		/* without a chain nothing is accepted anyway */
	if (slice_eq(a->chain.v[0].serial, b->chain.v[0].serial))
		return "serial number";
	if (cert_key_sha256(ka, &a->chain.v[0], &e) || cert_key_sha256(kb, &b->chain.v[0], &e) || mem_eq_ct(ka, kb, sizeof ka))
		return "key";
	if (a->chain.n < 2 || b->chain.n < 2 || nvchain_pdi(pa, &a->chain.v[1], &e) || nvchain_pdi(pb, &b->chain.v[1], &e))
		return NULL;
	return memcmp(pa, pb, sizeof pa) ? NULL : "identity (PDI)";
}

static enum outcome check_unique(struct nv_parsed *p, const struct expect *x, struct finding *f)
{
	(void)x;
	buf_puts(&f->expected, "each device once");
	for (size_t i = 0; i < p->set.n; i++)
		for (size_t k = i + 1; k < p->set.n; k++) {
			const char *what = shared(&p->v[i], &p->v[k]);

			if (!what)
				continue;
			buf_printf(&f->actual, "%s and %s have the same %s", p->set.v[i].label, p->set.v[k].label, what);
			buf_puts(&f->hint, "one device was shown as two");
			return FAILED;
		}
	buf_printf(&f->actual, "%zu device%s", p->set.n, p->set.n == 1 ? "" : "s");
	return PASSED;
}

static enum outcome check_nonce(struct nv_parsed *p, const struct expect *x, struct finding *f)
{
	const struct nv_device *first = &p->set.v[0];

	(void)x;
	buf_puts(&f->expected, "one nonce in all reports");
	for (size_t i = 1; i < p->set.n; i++)
		if (!mem_eq_ct(p->set.v[i].report.nonce.p, first->report.nonce.p, SPDM_NONCE)) {
			buf_printf(&f->actual, "%s has another nonce than %s", p->set.v[i].label, first->label);
			buf_puts(&f->hint, "these reports are not of one capture");
			return FAILED;
		}
	return found(f, true, NULL, "the same");
}

static enum outcome check_count(struct nv_parsed *p, const struct expect *x, struct finding *f)
{
	const uint32_t wanted = x->limits->gpu_count;

	if (!wanted)
		return NOT_ASKED;
	buf_printf(&f->expected, "%u GPU%s", wanted, wanted == 1 ? "" : "s");
	f->source = x->limits->source;
	return found_u64(f, count(p, false) == wanted, NULL, count(p, false));
}

static enum outcome check_mode(struct nv_parsed *p, const struct expect *x, struct finding *f)
{
	const struct nv_device *first = NULL;

	(void)x;
	buf_puts(&f->expected, "one mode for all GPUs");
	for (size_t i = 0; i < p->set.n; i++) {
		const struct nv_device *d = &p->set.v[i];

		if (nv_is_switch(d))
			continue;
		if (!first)
			first = d;
		if (nv_mode_of(d, NULL) == nv_mode_of(first, NULL))
			continue;
		buf_printf(&f->actual, "%s is in mode '%s', %s in '%s'", first->label, nv_mode_words[nv_mode_of(first, NULL)], d->label,
			   nv_mode_words[nv_mode_of(d, NULL)]);
		buf_puts(&f->hint, "switch all GPUs of a machine to the same mode, then reset them together");
		return FAILED;
	}
	if (!first)
		return NOT_ASKED;
	return found(f, true, NULL, nv_mode_words[nv_mode_of(first, NULL)]);
}

/* --- topology of protected PCIe --------------------------------------------------------------------------------------------- */

struct view {			/* what certificates say, and what one device says of its neighbours */
	struct nv_pdis gpus, switches;
};

/* Of attested devices: who they are is certified. */
static bool certified(struct view *ret, const struct nv_parsed *p)
{
	*ret = (struct view){ 0 };
	for (size_t i = 0; i < p->set.n; i++) {
		const struct nv_subject *s = &p->v[i];
		uint8_t pdi[8];
		struct err e = { 0 };

		if (s->chain.n != NVCHAIN_CERTS || nvchain_pdi(pdi, &s->chain.v[1], &e))
			return false;
		nv_pdi_add(nv_is_switch(s->d) ? &ret->switches : &ret->gpus, pdi);
	}
	return true;
}

/* What one device says of the others; NULL: it agrees. */
static const char *disagrees(const struct nv_device *d, const struct view *all)
{
	struct nv_pdis list;
	struct nv_pdis own = { .n = 1 };

	if (!nv_is_switch(d)) {
		if (!nv_pdis_of_gpu(&list, d))
			return "lists no switches";
		if (list.n != PPCIE_SWITCHES)
			return "does not list 4 switches";
		return nv_pdis_same(&list, &all->switches) ? NULL : "lists other switches than those attested here";
	}
	if (!nv_pdi_of_switch(own.v[0], d))
		return "does not name itself";
	list = all->switches;
	nv_pdi_add(&list, own.v[0]);
	if (list.n != all->switches.n)
		return "names itself otherwise than any certificate";
	if (!nv_gpus_of_switch(&list, d))
		return "lists no GPUs";
	if (list.n != PPCIE_GPUS)
		return "does not list 8 GPUs";
	return nv_pdis_same(&list, &all->gpus) ? NULL : "lists other GPUs than those attested here";
}

static enum outcome judge_topology(struct nv_parsed *p, struct finding *f)
{
	struct view all;

	if (!certified(&all, p))
		return found(f, false, NULL, "a device without a certified identity (PDI)");
	for (size_t i = 0; i < p->set.n; i++) {
		const struct nv_device *d = &p->set.v[i];
		const char *what;

		if (!nv_is_switch(d) && nv_mode_of(d, NULL) != NV_MODE_PPCIE) {
			buf_printf(&f->actual, "%s is not in protected PCIe mode", d->label);
			return FAILED;
		}
		what = disagrees(d, &all);
		if (what) {
			buf_printf(&f->actual, "%s %s", d->label, what);
			return FAILED;
		}
	}
	return found(f, true, NULL, "all lists and certificates agree");
}

/* Switches without any GPU: those that they serve may have been taken out of the evidence. */
static enum outcome say_served(const struct nv_parsed *p, struct finding *f)
{
	for (size_t i = 0; i < p->set.n; i++) {
		struct nv_pdis gpus;

		if (!nv_gpus_of_switch(&gpus, &p->set.v[i]) || !gpus.n)
			continue;
		buf_printf(&f->expected, "evidence of the GPUs that the switches serve");
		buf_printf(&f->actual, "%s serves %zu GPUs, and none is here", p->set.v[i].label, gpus.n);
		buf_puts(&f->hint, "switches alone say nothing of what runs on their GPUs");
		return WARNED;
	}
	return NOT_ASKED;
}

static enum outcome check_topology(struct nv_parsed *p, const struct expect *x, struct finding *f)
{
	const size_t gpus = count(p, false), switches = count(p, true);
	bool ppcie = false;

	(void)x;
	for (size_t i = 0; i < p->set.n; i++)
		ppcie |= !nv_is_switch(&p->set.v[i]) && nv_mode_of(&p->set.v[i], NULL) == NV_MODE_PPCIE;
	if (!ppcie && !gpus)
		return say_served(p, f);
	if (!ppcie && !switches)
		return NOT_ASKED;
	buf_puts(&f->expected, "8 GPUs in protected PCIe mode and 4 switches that name each other and nobody else");
	if (!ppcie) {
		buf_puts(&f->actual, "switches beside GPUs of which none is in protected PCIe mode");
		buf_puts(&f->hint, "the switches protect nothing here: appraise the GPUs alone, or were these captured at different times?");
		return FAILED;
	}
	if (gpus != PPCIE_GPUS || switches != PPCIE_SWITCHES) {
		buf_printf(&f->actual, "%zu GPUs and %zu switches", gpus, switches);
		if (!switches)
			buf_puts(&f->hint, "switches give evidence by NVIDIA's NSCQ library only: collect with --nvswitch-evidence FILE");
		return FAILED;
	}
	return judge_topology(p, f);
}

/* --- the list ------------------------------------------------------------------------------------------------------------------ */

#define REMEMBER(name, at) static enum outcome run_##name(void *v, const struct expect *x, struct finding *f) \
	{ struct nv_parsed *p = v; return p->outcome[at] = name(p, x, f); }
REMEMBER(check_unique, NVSET_UNIQUE)
REMEMBER(check_nonce, NVSET_NONCE)
REMEMBER(check_count, NVSET_COUNT)
REMEMBER(check_mode, NVSET_MODE)
REMEMBER(check_topology, NVSET_TOPOLOGY)

const struct check nvset_checks[] = {
	{ "nvset.unique", 0, CHECK_BASE, run_check_unique },
	{ "nvset.nonce", 0, CHECK_BASE, run_check_nonce },
	{ "nvset.count", 0, CHECK_WHERE_ASKED, run_check_count },
	{ "nvset.mode", 0, CHECK_PLAIN, run_check_mode },
	{ "nvset.topology", 0, CHECK_PLAIN, run_check_topology },
};
const size_t n_nvset_checks = sizeof nvset_checks / sizeof nvset_checks[0];
