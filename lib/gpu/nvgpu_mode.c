/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of mode, versions and neighbours (nvidia-gpu.md 2.2, 2.8). */

#include "gpu/nvgpu_int.h"

#define ON 0xaa
#define OFF 0x55

const char *const nv_mode_words[] = { "", "spt", "mpt", "ppcie" };

/* --- mode ------------------------------------------------------------------------------------------------------ */

/* Little-endian, up to 8 bytes. */
static uint64_t number(struct slice s)
{
	uint64_t v = 0;

	for (size_t i = s.n < 8 ? s.n : 8; i-- > 0;)
		v = v << 8 | s.p[i];
	return v;
}

static enum nv_mode_word say(struct buf *why, const char *what, unsigned long long v)
{
	if (why)
		buf_printf(why, "%s is %llu, which is not known", what, v);
	return NV_MODE_BAD;
}

enum nv_mode_word nv_mode_of(const struct nv_device *d, struct buf *why)
{
	const struct opaque_entry *status = opaque_find(&d->opaque, OPAQUE_PPCIE), *flag = opaque_find(&d->opaque, OPAQUE_FEATURE);
	const uint64_t on = status ? number(status->data) : OFF, feature = flag ? number(flag->data) : 0;

	if (status && on != ON && on != OFF)
		return say(why, "protected PCIe status", on);
	if (flag && feature > 2)
		return say(why, "feature flag", feature);
	if (status && flag && (on == ON) != (feature == 2)) {
		if (why)
			buf_printf(why, "protected PCIe status says %s, feature flag says %s", on == ON ? "on" : "off", nv_mode_words[feature + 1]);
		return NV_MODE_BAD;
	}
	if (flag)
		return (enum nv_mode_word)(NV_MODE_SPT + feature);
	return on == ON ? NV_MODE_PPCIE : NV_MODE_SPT;
}

/* --- versions ---------------------------------------------------------------------------------------------------- */

/* The next part, up to a dot or the end; -1: none. */
static int64_t part(const char **p, int base)
{
	static const char digits[] = "0123456789abcdef";
	int64_t v = -1;

	for (; **p && **p != '.'; (*p)++) {
		const char c = **p >= 'A' && **p <= 'F' ? (char)(**p - 'A' + 'a') : **p;
		const char *at = memchr(digits, c, (size_t)base);

		if (!at || v > INT32_MAX)
			return -1;
		v = (v < 0 ? 0 : v) * base + (at - digits);
	}
	if (**p == '.')
		(*p)++;
	return v;
}

int nv_version_compare(const char *a, const char *b, int base)
{
	if (!*a || !*b)
		return 2;
	while (*a || *b) {
		const int64_t x = *a ? part(&a, base) : 0, y = *b ? part(&b, base) : 0;

		if (x < 0 || y < 0)
			return 2;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

bool nv_driver_before(const struct nv_device *d, unsigned branch)
{
	char text[16];

	snprintf(text, sizeof text, "%u", branch);
	return nv_version_compare(d->driver, text, 10) == -1;
}

/* --- PDIs --------------------------------------------------------------------------------------------------------- */

static bool has(const struct nv_pdis *l, const uint8_t pdi[static 8])
{
	for (size_t i = 0; i < l->n; i++)
		if (!memcmp(l->v[i], pdi, 8))
			return true;
	return false;
}

void nv_pdi_add(struct nv_pdis *to, const uint8_t pdi[static 8])
{
	if (to->n < NV_PDIS_MAX && !has(to, pdi))
		memcpy(to->v[to->n++], pdi, 8);
}

bool nv_pdis_same(const struct nv_pdis *a, const struct nv_pdis *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!has(b, a->v[i]))
			return false;
	return a->n == b->n;
}

/* 18 links, each to a switch; unused ones are zero.  The bytes of each stand the other way round there. */
bool nv_pdis_of_gpu(struct nv_pdis *ret, const struct nv_device *d)
{
	static const uint8_t none[8];
	const struct opaque_entry *x = opaque_find(&d->opaque, OPAQUE_PDIS);

	*ret = (struct nv_pdis){ 0 };
	if (!x || x->data.n % 8 || x->data.n / 8 > NV_PDIS_MAX)
		return false;
	for (size_t i = 0; i < x->data.n; i += 8) {
		uint8_t pdi[8];

		for (size_t b = 0; b < 8; b++)
			pdi[b] = x->data.p[i + 7 - b];
		if (memcmp(pdi, none, 8))
			nv_pdi_add(ret, pdi);
	}
	return true;
}

bool nv_pdi_of_switch(uint8_t ret[static 8], const struct nv_device *d)
{
	const struct opaque_entry *x = opaque_find(&d->opaque, OPAQUE_PDIS);

	if (!x || x->data.n != 8)
		return false;
	memcpy(ret, x->data.p, 8);
	return true;
}

/* Eight PDIs, then 64 bytes that say which of them each port leads to. */
bool nv_gpus_of_switch(struct nv_pdis *ret, const struct nv_device *d)
{
	static const uint8_t unused[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct opaque_entry *x = opaque_find(&d->opaque, OPAQUE_SWITCH_GPU_PDIS);

	*ret = (struct nv_pdis){ 0 };
	if (!x || x->data.n < 64)
		return false;
	for (size_t i = 0; i < 64; i += 8)
		if (memcmp(x->data.p + i, unused, 8))
			nv_pdi_add(ret, x->data.p + i);
	return true;
}
