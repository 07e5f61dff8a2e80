/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that evidence of NVIDIA devices says, decoded and not judged. */

#include "gpu/nvgpu_int.h"

static void add_word(struct json *to, const char *name, const char *value)
{
	if (value[0])
		json_add_str(to, name, value);
}

static bool is_text(struct slice s)
{
	while (s.n && s.p[s.n - 1] == 0)
		s.n--;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return s.n > 1;
}

static void add_counters(struct json *to, struct slice s)
{
	struct json *list = json_add_array(to, "value");

	for (size_t i = 0; i + 4 <= s.n; i += 4)
		json_add_u64(list, NULL, get_le32(s.p + i));
}

static void add_opaque(struct json *list, const struct opaque *o, const struct opaque_entry *x)
{
	struct json *to = json_add_object(list, NULL);
	const char *name = opaque_name(x->type);

	json_add_u64(to, "type", x->type);
	if (name)
		json_add_str(to, "name", name);
	if (o->versioned)
		json_add_fmt(to, "value_type", "0x%02x", x->value_type);
	if (x->type == OPAQUE_COUNTERS && x->data.n % 4 == 0)
		add_counters(to, x->data);
	else if (is_text(x->data))
		json_add_fmt(to, "value", "%.*s", (int)x->data.n, (const char *)x->data.p);
	else
		json_add_hex(to, "value", x->data);
}

static void add_measurements(struct json *to, const struct spdm_report *r)
{
	struct json *o = json_add_object(to, "measurements");

	for (size_t i = 0; i < SPDM_BLOCKS_MAX; i++) {
		char index[24];

		if (!r->block[i].present)
			continue;
		snprintf(index, sizeof index, "%zu", i);
		json_add_hex(o, index, r->block[i].value);
	}
}

static void add_chain(struct json *to, const struct cert_list *l)
{
	struct json *list = json_add_array(to, "certificates");
	AUTO_BUF model = { 0 }, ueid = { 0 };
	uint8_t pdi[8], fwid[48];

	for (size_t i = 0; i < l->n; i++) {
		AUTO_BUF name = { 0 };

		cert_name(&name, l->v[i].subject, NULL);
		json_add_str(list, NULL, buf_cstr(&name));
	}
	if (!nvchain_hwmodel(&model, &l->v[1], NULL))
		json_add_str(to, "hwmodel", buf_cstr(&model));
	if (!nvchain_ueid(&ueid, &l->v[0], NULL))
		json_add_str(to, "ueid", buf_cstr(&ueid));
	if (!nvchain_pdi(pdi, &l->v[1], NULL))
		json_add_hex(to, "pdi", slice_of(pdi, sizeof pdi));
	if (!nvchain_fwid(fwid, &l->v[0], NULL))
		json_add_hex(to, "fwid", slice_of(fwid, sizeof fwid));
}

static void add_names(struct json *to, const struct nv_device *d)
{
	json_add_str(to, "arch", nv_arch_word(d->arch));
	if (d->stated && d->stated != d->arch)
		json_add_str(to, "arch_stated", nv_arch_word(d->stated));
	add_word(to, "uuid", d->uuid);
	add_word(to, "bdf", d->bdf);
	add_word(to, "driver", d->driver);
	add_word(to, nv_is_switch(d) ? "bios" : "vbios", d->vbios);
	if (!nv_is_switch(d))
		json_add_str(to, "mode", nv_mode_words[nv_mode_of(d, NULL)]);
	add_word(to, "driver_rim", d->driver_rim);
	add_word(to, nv_is_switch(d) ? "bios_rim" : "vbios_rim", d->vbios_rim);
}

static void add_device(struct json *to, const struct nv_device *d)
{
	const struct opaque *o = &d->opaque;
	struct json *list;

	add_names(to, d);
	json_add_hex(to, "nonce", d->report.nonce);
	json_add_hex(to, "responder_nonce", d->report.responder_nonce);
	json_add_u64(to, "blocks", d->report.n_blocks);
	add_measurements(to, &d->report);
	if (o->versioned)
		json_add_fmt(to, "opaque_version", "%u.%u.%u", o->major, o->minor, o->patch);
	list = json_add_array(to, "opaque");
	for (size_t i = 0; i < o->n; i++)
		add_opaque(list, o, &o->v[i]);
	if (d->chain.n == NVCHAIN_CERTS)
		add_chain(to, &d->chain);
}

int nv_details(struct json *to, const void *parsed, struct err *e)
{
	const struct nv_parsed *p = parsed;

	(void)e;
	for (size_t i = 0; i < p->set.n; i++)
		add_device(json_add_object(to, p->set.v[i].label), &p->set.v[i]);
	return 0;
}
