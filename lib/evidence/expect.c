/* SPDX-License-Identifier: Apache-2.0 */
/* What a verifier expects: see expect.h. */

#include "evidence/expect.h"

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

void limits_init(struct limits *l)
{
	*l = (struct limits){ .source = "built-in policy", .min_report_version = 2 };
	for (size_t i = 0; i < TCB_PARTS; i++)
		l->min_tcb[i] = -1;
}

void limits_free(struct limits *l)
{
	texts_free(&l->kinds);
	texts_free(&l->measurements);
	texts_free(&l->chip_ids);
	texts_free(&l->host_data);
}
