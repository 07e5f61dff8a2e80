/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of devices: see collect_gpu.h. */

#include "attest/collect_gpu.h"
#include "gpu/nvgpu.h"
#include "gpu/port.h"

bool gpus_none(const char *gpus)
{
	return gpus && !strcmp(gpus, "none");
}

static bool is_auto(const char *gpus)
{
	return !gpus || !strcmp(gpus, "auto");
}

/* Sysfs shows one, or hides all of them and the driver's node is there. */
static int any_there(bool *ret, const struct host *h, struct err *e)
{
	AUTO_GPU_LIST l = { 0 };
	char path[32];

	if (gpu_list(&l, h, e))
		return -1;
	rm_node_path(path, RM_CTL_MINOR);
	*ret = l.no_pci && host_exists(h, path);
	for (size_t i = 0; i < l.n; i++)
		*ret |= !l.v[i].is_switch;
	return 0;
}

/* What the reports say of themselves; a verifier judges it. */
static void describe(struct json *facts, struct slice raw, int64_t ms)
{
	struct json *list = json_add_array(facts, "gpus");
	struct nv_set s = { 0 };
	struct err why = { 0 };

	json_add_real(facts, "gpu_seconds", (double)ms / 1000);
	if (nv_set_parse(&s, raw, &why))
		return;
	for (size_t i = 0; i < s.n; i++) {
		const struct nv_device *d = &s.v[i];
		struct json *o = json_add_object(list, NULL);

		json_add_str(o, "bdf", d->bdf);
		json_add_str(o, "uuid", d->uuid[0] ? d->uuid : NULL);
		json_add_str(o, "architecture", nv_arch_word(d->arch));
		json_add_str(o, "driver_version", d->driver);
		json_add_str(o, "vbios_version", d->vbios);
		json_add_u64(o, "report_bytes", d->raw.n);
		json_add_u64(o, "certificate_bytes", d->chain_text.n);
	}
	nv_set_free(&s);
}

int gpus_collect(struct buf *ret, struct nv_party **keep, const struct host *h, const char *gpus, bool has_switches, struct slice rd,
		 struct json *facts, struct err *e)
{
	const bool named = !is_auto(gpus) && strcmp(gpus, "all");
	const struct collect_how how = { .gpus = named ? gpus : NULL, .has_switches = has_switches };
	const int64_t start = host_mono_ms();
	AUTO_EVIDENCE ev = { .how = &how };
	bool there = true;

	if (gpus_none(gpus) || (is_auto(gpus) && any_there(&there, h, e)))
		return gpus_none(gpus) ? 0 : -1;
	if (!there)
		return 0;
	host_log(h, LOG_INFO, "collecting evidence of GPUs");
	if (nv_collect_keep(keep, &ev, h, rd, e))
		return -1;
	if (facts)
		describe(facts, buf_view(&ev.raw), host_mono_ms() - start);
	buf_slice(ret, buf_view(&ev.raw));
	return buf_check(ret, e);
}

static int check_switch(const struct nv_device *d, const uint8_t *nonce, struct err *e)
{
	AUTO_BUF has = { 0 }, wanted = { 0 };

	if (d->arch != NV_LS10)
		return err_set(e, EC_REFUSED, "the evidence of NVSwitches holds %s, which is none", d->label);
	if (d->report.nonce.n == 32 && !memcmp(d->report.nonce.p, nonce, 32))
		return 0;
	buf_hex(&has, d->report.nonce);
	buf_hex(&wanted, slice_of(nonce, 32));
	err_set(e, EC_REFUSED, "the report of %s answers nonce %s, this capture's is %s", d->label, buf_cstr(&has), buf_cstr(&wanted));
	return err_hint(e, "make it with 'nvattest collect-evidence --device nvswitch --nonce %s', and collect with the same --nonce and --runtime-data",
			buf_cstr(&wanted));
}

int switches_check(struct slice raw, const uint8_t nonce[static 32], struct err *e)
{
	struct nv_set s = { 0 };
	int rc = 0;

	if (nv_set_parse(&s, raw, e))
		return err_ctx(e, "cannot read the evidence of NVSwitches");
	for (size_t i = 0; !rc && i < s.n; i++)
		rc = check_switch(&s.v[i], nonce, e);
	nv_set_free(&s);
	return rc;
}
