/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements against reference values (nvidia-gpu.md 2.6, 3.5). */

#include "codec/hex64.h"
#include "gpu/nvgpu_int.h"

#define NVDEC0_INDEX 35
#define NVDEC0_ON 0xaa
#define NVDEC0_OFF 0x55
#define SVN_VALUE 0x87		/* raw security version number (DSP0274) */
#define SHOWN 4			/* mismatches with their values; the others by index */

static const char *const which_words[] = { "driver", "VBIOS" };

bool nv_equals_golden(const struct spdm_block *b, const struct rim_golden *g)
{
	for (size_t i = 0; b->present && b->value.n == 48 && i < g->n; i++)
		if (!memcmp(b->value.p, g->hash[i], 48))
			return true;
	return false;
}

static bool listed(const struct nv_subject *s, const struct expect *x, size_t i)
{
	const struct spdm_block *b = &s->d->report.block[i];
	const struct texts *list = &x->limits->gpu_measurements[i];
	AUTO_BUF hex = { 0 };

	if (nv_is_switch(s->d) || !b->present || list->n == 0)
		return false;
	buf_hex(&hex, b->value);
	return !hex.bad && texts_have(list, buf_cstr(&hex));
}

static bool all_zero(struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i])
			return false;
	return true;
}

static bool demanded(const struct nv_subject *s, size_t i)
{
	for (size_t w = 0; w < NV_MANIFESTS; w++)
		if (s->rim[w] && s->rim[w]->rim.golden[i].active)
			return true;
	return false;
}

bool nv_pins_cover(const struct nv_subject *s, const struct expect *x)
{
	size_t pinned = 0;

	if (nv_is_switch(s->d))
		return false;
	for (size_t i = 0; i < SPDM_BLOCKS_MAX; i++) {
		const struct spdm_block *b = &s->d->report.block[i];

		pinned += x->limits->gpu_measurements[i].n > 0;
		if (b->present && !all_zero(b->value) && !x->limits->gpu_measurements[i].n && !demanded(s, i))
			return false;
	}
	return pinned > 0;
}

/* --- contradictions ------------------------------------------------------------------------------------------------- */

static bool svn_clash(const struct rim_svn *a, const struct rim_svn *b)
{
	return a->active && b->active && (a->opaque_type == b->opaque_type || !strcmp(a->name, b->name));
}

NV_RUN(check_conflict)
{
	const struct rim *driver = s->rim[NV_DRIVER] ? &s->rim[NV_DRIVER]->rim : NULL, *vbios = s->rim[NV_VBIOS] ? &s->rim[NV_VBIOS]->rim : NULL;

	(void)x;
	if (!driver || !vbios) {
		buf_puts(&f->hint, "needs both manifests");
		return NOT_ASKED;
	}
	buf_puts(&f->expected, "no measurement that both manifests demand");
	for (size_t i = 0; i < RIM_INDEXES; i++)
		if (driver->golden[i].active && vbios->golden[i].active)
			buf_printf(&f->actual, "%sindex %zu", f->actual.n ? ", " : "both demand ", i);
	for (size_t i = 0; i < driver->n_svn; i++)
		for (size_t k = 0; k < vbios->n_svn; k++)
			if (svn_clash(&driver->svn[i], &vbios->svn[k]))
				buf_printf(&f->actual, "%ssecurity version '%s'", f->actual.n ? ", " : "both demand ", driver->svn[i].name);
	if (!f->actual.n)
		return found(f, true, NULL, "none");
	buf_puts(&f->hint, "manifests of one device never overlap: fetch both again");
	return FAILED;
}

/* --- measurements ------------------------------------------------------------------------------------------------------ */

static enum nv_verdict compare(const struct nv_subject *s, const struct rim_golden *g, size_t i, const struct expect *x)
{
	if (nv_equals_golden(&s->d->report.block[i], g))
		return NV_SAME;
	if (listed(s, x, i) || (!nv_is_switch(s->d) && i < 64 && x->limits->gpu_mismatch >> i & 1))
		return NV_TOLERATED;
	return NV_DIFFERENT;
}

static void compare_with(struct nv_subject *s, enum nv_which w, bool without_nvdec0, const struct expect *x)
{
	for (size_t i = 0; s->rim[w] && i < RIM_INDEXES; i++) {
		const struct rim_golden *g = &s->rim[w]->rim.golden[i];

		if (!g->active || (without_nvdec0 && i == NVDEC0_INDEX) || s->measure[i].verdict == NV_DIFFERENT)
			continue;
		s->measure[i] = (struct nv_measure){ compare(s, g, i, x), w, g };
	}
}

static size_t count(const struct nv_subject *s, enum nv_verdict v)
{
	size_t n = 0;

	for (size_t i = 0; i < SPDM_BLOCKS_MAX; i++)
		n += s->measure[i].verdict == v;
	return n;
}

static void put_golden(struct buf *to, const struct rim_golden *g)
{
	buf_hex(to, slice_of(g->hash[0], 48));
	if (g->n > 1)
		buf_printf(to, " or one of %zu others", g->n - 1);
}

static void put_runtime(struct buf *to, const struct spdm_block *b)
{
	if (b->present)
		buf_hex(to, b->value);
	else
		buf_puts(to, "not there");
}

static void say_one(struct finding *f, const struct nv_subject *s, size_t i)
{
	const struct nv_measure *m = &s->measure[i];
	const struct nv_manifest *from = s->rim[m->from];

	buf_printf(&f->expected, "%sindex %zu%s%s%s (%s manifest%s%s): ", f->expected.n ? "; " : "", i, m->golden->name[0] ? " '" : "", m->golden->name,
		   m->golden->name[0] ? "'" : "", nv_is_switch(s->d) ? "BIOS" : which_words[m->from], from->source[0] ? " " : "", from->source);
	put_golden(&f->expected, m->golden);
	buf_printf(&f->actual, "%sindex %zu: ", f->actual.n ? "; " : "", i);
	put_runtime(&f->actual, &s->d->report.block[i]);
}

static void say_differences(struct finding *f, const struct nv_subject *s, enum nv_verdict v)
{
	size_t n = 0;

	for (size_t i = 0; i < SPDM_BLOCKS_MAX; i++) {
		if (s->measure[i].verdict != v)
			continue;
		if (n++ < SHOWN)
			say_one(f, s, i);
		else
			buf_printf(&f->actual, "%sindex %zu", n == SHOWN + 1 ? "; and differs at " : ", ", i);
	}
}

static bool differs(const struct nv_subject *s, size_t i)
{
	return s->measure[i].verdict == NV_DIFFERENT;
}

/* What operators found behind mismatches (nvidia-gpu.md 2.6, 6). */
static void say_remedy(struct finding *f, const struct nv_subject *s)
{
	const size_t n = count(s, NV_DIFFERENT);

	if (differs(s, 9) || differs(s, 36))
		buf_puts(&f->hint, "index 9 and 36 are configuration: devtools mode, ECC, MIG or fuses; 'cvmbox gpu-ccmode query' shows the mode; ");
	if (differs(s, 52))
		buf_puts(&f->hint, "index 52 is known to stay wrong after a change of mode until the host is powered off and on; ");
	if (n > SHOWN)
		buf_puts(&f->hint, "so many differ in devtools mode, where they never match, and with a manifest of another board; ");
	buf_puts(&f->hint, "otherwise firmware or driver are not what NVIDIA published for these versions: install them again, reset the device");
	if (!nv_is_switch(s->d))
		buf_puts(&f->hint, ", or let the policy accept it (gpu_accepted_mismatches, gpu_measurements)");
}

static bool missing(const struct nv_subject *s, enum nv_which w)
{
	return !s->rim[w] && !(w == NV_DRIVER && nv_is_switch(s->d));
}

/* One is at hand and bad: nobody waived that. */
static bool untrusted(const struct nv_subject *s, enum nv_which w)
{
	return s->seen[w] && !s->rim[w];
}

/* Nothing differs, but something could not be compared. */
static enum outcome say_incomplete(struct nv_subject *s, const struct expect *x, struct finding *f)
{
	const bool both = missing(s, NV_DRIVER) && missing(s, NV_VBIOS);

	buf_printf(&f->expected, "every measurement as the manifests say");
	if (count(s, NV_SAME))
		buf_printf(&f->actual, "%zu compared and as they should be; ", count(s, NV_SAME));
	else
		buf_puts(&f->actual, "nothing could be compared: ");
	buf_printf(&f->actual, "%s%s%s", missing(s, NV_DRIVER) ? "driver" : "",
		   both ? " and " : "", missing(s, NV_VBIOS) ? nv_is_switch(s->d) ? "BIOS" : "VBIOS" : "");
	buf_puts(&f->actual, " without reference values");
	if (nv_pins_cover(s, x)) {
		buf_puts(&f->hint, "the policy pins the others (gpu_measurements)");
		return WARNED;
	}
	buf_puts(&f->hint, "what the device runs is not known to be NVIDIA's");
	s->waived |= x->no_collateral;
	return x->no_collateral && !untrusted(s, NV_DRIVER) && !untrusted(s, NV_VBIOS) ? WARNED : FAILED;
}

static enum outcome judge(struct nv_subject *s, const struct expect *x, struct finding *f)
{
	const size_t different = count(s, NV_DIFFERENT), tolerated = count(s, NV_TOLERATED);

	s->compared = !missing(s, NV_DRIVER) && !missing(s, NV_VBIOS);
	s->all_same = s->compared && !different && !tolerated;
	if (different) {
		say_differences(f, s, NV_DIFFERENT);
		say_remedy(f, s);
		return FAILED;
	}
	if (!s->compared)
		return say_incomplete(s, x, f);
	if (tolerated) {
		say_differences(f, s, NV_TOLERATED);
		buf_puts(&f->hint, "the policy accepts this (gpu_accepted_mismatches or gpu_measurements)");
		f->source = x->limits->source;
		return WARNED;
	}
	buf_printf(&f->expected, "every measurement as the manifests say");
	buf_printf(&f->actual, "%zu of %zu are", count(s, NV_SAME), count(s, NV_SAME));
	return count(s, NV_SAME) ? PASSED : FAILED;
}

NV_RUN(check_measurements)
{
	const struct opaque_entry *nvdec0 = opaque_find(&s->d->opaque, OPAQUE_NVDEC0);
	const int status = nvdec0 ? nvdec0->data.n == 1 ? nvdec0->data.p[0] : -1 : NVDEC0_ON;

	if (status != NVDEC0_ON && status != NVDEC0_OFF) {
		buf_puts(&f->actual, "another value");
		return found(f, false, "an NVDEC0 status of 0xaa (on) or 0x55 (off)", NULL);
	}
	compare_with(s, NV_DRIVER, status == NVDEC0_OFF, x);
	compare_with(s, NV_VBIOS, status == NVDEC0_OFF, x);
	return judge(s, x, f);
}

/* --- security version numbers ------------------------------------------------------------------------------------------------ */

bool nv_svn_of(uint32_t *ret, const struct nv_device *d, uint16_t type)
{
	const struct opaque_entry *x = opaque_find(&d->opaque, (enum opaque_type)type);

	if (!x || !d->opaque.versioned || x->value_type != SVN_VALUE || x->data.n != 2)
		return false;
	*ret = get_le16(x->data.p);
	return true;
}

static void judge_svn(struct finding *f, const struct nv_device *d, const struct rim_svn *r, bool *good)
{
	uint32_t v;

	buf_printf(&f->expected, "%s%s at least %u", f->expected.n ? ", " : "", r->name, r->min);
	if (!nv_svn_of(&v, d, r->opaque_type)) {
		buf_printf(&f->actual, "%s%s is not in the report", f->actual.n ? ", " : "", r->name);
		*good = false;
		return;
	}
	buf_printf(&f->actual, "%s%s %u", f->actual.n ? ", " : "", r->name, v);
	*good &= v >= r->min;
}

NV_RUN(check_svn)
{
	bool good = true;
	size_t n = 0;

	(void)x;
	for (size_t w = 0; w < NV_MANIFESTS; w++)
		for (size_t i = 0; s->rim[w] && i < s->rim[w]->rim.n_svn; i++)
			if (s->rim[w]->rim.svn[i].active) {
				judge_svn(f, s->d, &s->rim[w]->rim.svn[i], &good);
				n++;
			}
	if (!n) {
		buf_puts(&f->hint, "no manifest demands one");
		return NOT_ASKED;
	}
	if (!good)
		buf_puts(&f->hint, "firmware is older than NVIDIA still accepts: update it");
	return good ? PASSED : FAILED;
}

/* --- pinned by the policy ------------------------------------------------------------------------------------------------------ */

static bool golden_holds(const struct nv_subject *s, size_t i)
{
	for (size_t w = 0; w < NV_MANIFESTS; w++) {
		const struct rim_golden *g = s->rim[w] ? &s->rim[w]->rim.golden[i] : NULL;

		if (g && g->active && nv_equals_golden(&s->d->report.block[i], g))
			return true;
	}
	return false;
}

NV_RUN(check_pinned)
{
	size_t n = 0;

	for (size_t i = 0; i < LIMIT_GPU_INDEXES && !nv_is_switch(s->d); i++) {
		const struct texts *list = &x->limits->gpu_measurements[i];

		if (!list->n)
			continue;
		n++;
		if (listed(s, x, i) || golden_holds(s, i))
			continue;
		buf_printf(&f->actual, "%sindex %zu: ", f->actual.n ? "; " : "", i);
		put_runtime(&f->actual, &s->d->report.block[i]);
	}
	if (!n)
		return NOT_ASKED;
	f->source = x->limits->source;
	buf_printf(&f->expected, "%zu measurement%s as the policy lists them", n, n == 1 ? "" : "s");
	return f->actual.n ? FAILED : PASSED;
}
