/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds nvgpu and nvswitch: see nvgpu.h. */

#include <strings.h>

#include "codec/hex64.h"
#include "gpu/nvcollect.h"
#include "gpu/nvgpu_int.h"

/* --- what is judged ------------------------------------------------------------------------------------------------- */

static void forget_device(struct nv_subject *s)
{
	buf_free(&s->hwmodel);
	buf_free(&s->ueid);
	*s = (struct nv_subject){ .all = s->all, .d = s->d };
}

/* What an appraisal found; the set stays. */
static void forget(struct nv_parsed *p)
{
	for (size_t i = 0; i < p->set.n; i++)
		forget_device(&p->v[i]);
	for (size_t i = 0; i < p->n_rims; i++)
		rim_free(&p->rims[i].rim);
	free(p->rims);
	certs_free(&p->rim_root);
	free(p->answers);
	free(p->asked);
	*p = (struct nv_parsed){ .set = p->set, .v = p->v };
}

static void drop(void *v)
{
	struct nv_parsed *p = v;

	if (!p)
		return;
	if (p->v)
		forget(p);
	free(p->v);
	nv_set_free(&p->set);
	free(p);
}

static int fill(struct nv_parsed *p, struct slice raw, struct slice certs, bool switches, struct err *e)
{
	if (nv_set_parse(&p->set, raw, e))
		return -1;
	if (nv_is_switch(&p->set.v[0]) != switches)
		return err_set(e, EC_REFUSED, "evidence is of kind '%s', wanted '%s'", switches ? "nvgpu" : "nvswitch", switches ? "nvswitch" : "nvgpu");
	if (certs.n && p->set.n == 1 && !p->set.v[0].chain.n && nvchain_parse(&p->set.v[0].chain, certs, e))
		return -1;
	p->v = calloc(p->set.n, sizeof *p->v);
	if (!p->v)
		return err_oom(e);
	for (size_t i = 0; i < p->set.n; i++) {
		p->v[i].all = p;
		p->v[i].d = &p->set.v[i];
	}
	return 0;
}

static int parse(void **ret, struct slice raw, struct slice certs, bool switches, struct err *e)
{
	struct nv_parsed *p = calloc(1, sizeof *p);

	if (!p)
		return err_oom(e);
	if (fill(p, raw, certs, switches, e)) {
		drop(p);
		return -1;
	}
	*ret = p;
	return 0;
}

static int parse_gpu(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	return parse(ret, raw, certs, false, e);
}

static int parse_switch(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	return parse(ret, raw, certs, true, e);
}

static int stages(struct stages *ret, void *parsed, const struct expect *x, struct err *e)
{
	struct nv_parsed *p = parsed;

	forget(p);
	p->now = x->now;
	if (nv_manifests_open(p, x, e))
		return -1;
	for (size_t i = 0; i < p->set.n; i++) {
		const bool is_switch = nv_is_switch(&p->set.v[i]);

		ret->v[i] = (struct stage){ .checks = is_switch ? nv_switch_checks : nv_gpu_checks,
					    .n_checks = is_switch ? NV_SWITCH_CHECKS : NV_GPU_CHECKS, .subject = &p->v[i], .x = *x,
					    .object = p->set.v[i].label };
	}
	ret->v[p->set.n] = (struct stage){ .checks = nvset_checks, .n_checks = n_nvset_checks, .subject = p, .x = *x };
	ret->n = p->set.n + 1;
	return 0;
}

/* --- is it one ------------------------------------------------------------------------------------------------------------ */

static bool report_of_switch(struct slice raw)
{
	return raw.n > 41 && raw.p[0] == 0x11 && raw.p[41] == NV_SWITCH_BLOCKS;
}

static bool recognise(struct slice raw, bool switches)
{
	const struct slice text = slice_trim(raw);
	const size_t n = text.n < 88 ? text.n & ~(size_t)1 : 88;
	AUTO_BUF head = { 0 };

	if (n >= 8 && hex_is(slice_of(text.p, n)) && !hex_decode(&head, slice_of(text.p, n), NULL))
		raw = buf_view(&head);
	return spdm_recognise(raw) && report_of_switch(raw) == switches;
}

static bool recognise_gpu(struct slice raw)
{
	return recognise(raw, false);
}

static bool recognise_switch(struct slice raw)
{
	return recognise(raw, true);
}

/* By the word of the file, else by the report. */
static bool first_is_switch(const struct json *dev)
{
	const char *arch = json_string(json_get(dev, "arch")), *text = json_string(json_get(dev, "evidence"));
	AUTO_BUF raw = { .max = SPDM_REPORT_MAX };

	if (arch)
		return !strcasecmp(arch, "LS10");
	return text && !(hex_is(slice_str(text)) ? hex_decode(&raw, slice_str(text), NULL) : b64_decode_lax(&raw, slice_str(text), NULL)) &&
	       report_of_switch(buf_view(&raw));
}

/* An empty list, and forms that are not supported, are taken for GPUs: parse says what is wrong with them. */
static bool recognise_form(const struct json *j, bool switches)
{
	const struct json *list = nv_device_list(j), *dev = json_first(list);

	if (json_get(j, "__cmwc_t"))
		return !switches;
	if (!json_is_array(list) || (json_is_array(j) && !json_get(dev, "evidence")))
		return false;
	return first_is_switch(dev) == switches;
}

static bool recognise_json_gpu(const struct json *j)
{
	return recognise_form(j, false);
}

static bool recognise_json_switch(const struct json *j)
{
	return recognise_form(j, true);
}

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	return nv_to_trustee(ret, buf_view(&ev->raw), e);
}

const struct evidence_kind evidence_nvgpu = {
	.name = "nvgpu",
	.title = "NVIDIA GPU",
	.collect = nv_collect, .to_trustee = to_trustee,
	.recognise = recognise_gpu, .recognise_json = recognise_json_gpu, .parse = parse_gpu, .drop = drop, .claims = nv_claims, .details = nv_details,
	.values = OF_NV, .join = nv_join, .checks = nv_gpu_checks, .n_checks = NV_GPU_CHECKS, .stages = stages,
};

const struct evidence_kind evidence_nvswitch = {
	.name = "nvswitch",
	.title = "NVIDIA NVSwitch",
	.to_trustee = to_trustee,
	.recognise = recognise_switch, .recognise_json = recognise_json_switch, .parse = parse_switch, .drop = drop, .claims = nv_claims,
	.details = nv_details,
	.values = OF_NV, .join = nv_join, .checks = nv_switch_checks, .n_checks = NV_SWITCH_CHECKS, .stages = stages,
};
