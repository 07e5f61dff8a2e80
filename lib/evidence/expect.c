/* SPDX-License-Identifier: Apache-2.0 */
/* What a verifier expects: see expect.h. */

#include "evidence/expect.h"

const char *const log_form_names[N_LOGS] = { "ccel", "tcg", "aael", "ima" };
const char *const tcb_product_names[TCB_PRODUCTS] = { "", "Milan", "Genoa", "Turin" };
const char *const tcb_part_names[TCB_PARTS] = { "fmc", "bootloader", "tee", "snp", "microcode" };

bool texts_have(const struct texts *t, const char *s)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->v[i], s))
			return true;
	return false;
}

void texts_free(struct texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i]);
	free(t->v);
	*t = (struct texts){ 0 };
}

const char *const ocsp_class_names[] = { "none", "cached", "live", NULL };
const char *const gpu_tolerable[] = {
	"device.unknown", "device.hold", "driver-rim.expired", "driver-rim.unknown", "driver-rim.hold", "driver-rim.revoked", "vbios-rim.expired",
	"vbios-rim.unknown", "vbios-rim.hold", "vbios-rim.revoked", NULL
};

const struct limits limits_strict = {
	.source = "built-in policy", .min_report_version = 2, .gpu_ocsp = OCSP_CACHED,
	.min_tcb = { [0 ... TCB_WHICH - 1] = { [0 ... TCB_PRODUCTS - 1] = { [0 ... TCB_PARTS - 1] = -1 } } }
};

void limits_init(struct limits *l)
{
	*l = limits_strict;
}

void limits_free(struct limits *l)
{
	struct texts *const lists[] = {
		&l->kinds, &l->measurements, &l->init_data, &l->chip_ids, &l->host_data, &l->family_ids, &l->image_ids, &l->id_keys,
		&l->author_keys, &l->tcb_status, &l->advisories, &l->mr_seam, &l->mr_config_id, &l->mr_owner, &l->mr_owner_config,
		&l->fmspc, &l->ppid, &l->xfam, &l->ak_keys, &l->kernel_cmdlines, &l->boot_images, &l->implementation_ids,
		&l->instance_ids, &l->realm_pvs, &l->gpu_modes, &l->gpu_ueids, &l->gpu_drivers, &l->gpu_vbios, &l->switch_bios, &l->gpu_tolerate
	};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		texts_free(lists[i]);
	for (size_t i = 0; i < 4; i++) {
		texts_free(&l->rtmr[i]);
		texts_free(&l->rem[i]);
	}
	for (size_t i = 0; i < LIMIT_PCRS; i++)
		texts_free(&l->pcr[i]);
	for (size_t i = 0; i < LIMIT_GPU_INDEXES; i++)
		texts_free(&l->gpu_measurements[i]);
	json_free(l->gpu_claims);
	json_free(l->switch_claims);
	json_free(l->nras_claims);
}

const struct collateral_item *expect_collateral(const struct expect *x, enum collateral_type t, size_t i)
{
	const struct collateral *const from[] = { x->given, x->carried };

	for (size_t s = 0; s < 2; s++)
		for (size_t k = 0; from[s] && k < from[s]->n; k++)
			if (from[s]->v[k].type == t && i-- == 0)
				return &from[s]->v[k];
	return NULL;
}
