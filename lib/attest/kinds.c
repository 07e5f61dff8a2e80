/* SPDX-License-Identifier: Apache-2.0 */
/* The table of evidence kinds: see kinds.h. */

#include "attest/common.h"
#include "attest/kinds.h"
#include "gpu/nras.h"
#include "gpu/nvgpu.h"
#include "tee/azure.h"
#include "tee/cca.h"
#include "tee/eventlog.h"
#include "tee/sample.h"
#include "tee/snp.h"
#include "tee/tdx.h"
#include "tee/tpm_quote.h"

const struct evidence_kind *const kinds[] = { &evidence_snp, &evidence_tdx, &evidence_az_snp, &evidence_az_tdx, &evidence_cca,
					       &evidence_tpm, &evidence_sample, &evidence_nvgpu, &evidence_nvswitch };
const size_t n_kinds = sizeof kinds / sizeof kinds[0];

const struct evidence_kind *kind_by_name(const char *name)
{
	for (size_t i = 0; name && i < n_kinds; i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

static const struct evidence_kind *recognise_json(struct slice text)
{
	AUTO_JSON *j = NULL;
	struct err e = { 0 };

	if (json_parse(&j, text, EVIDENCE_MAX, &e))
		return NULL;
	for (size_t i = 0; i < n_kinds; i++)
		if (kinds[i]->recognise_json && kinds[i]->recognise_json(j))
			return kinds[i];
	return NULL;
}

const struct evidence_kind *kind_recognise(struct slice raw)
{
	const struct slice text = slice_trim(raw);

	if (text.n && (text.p[0] == '{' || text.p[0] == '['))
		return recognise_json(text);
	for (size_t i = 0; i < n_kinds; i++)
		if (kinds[i]->recognise && kinds[i]->recognise(raw))
			return kinds[i];
	return NULL;
}

const char *kind_foreign(const struct json *j)
{
	static const struct { const char *path, *name; } forms[] = {
		{ "/attestation_report/magic", "csv" },
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (json_path(j, forms[i].path))
			return forms[i].name;
	return NULL;
}

/* Lists that no kind names as its own, because several run them as a stage. */
static const struct {
	const struct check *v;
	const size_t *n;
	bool sometimes;		/* what they speak of need not be there: a policy that requires one by name requires it to be */
} shared_checks[] = { { common_checks, &n_common_checks }, { tpm_checks, &n_tpm_checks }, { eventlog_checks, &n_eventlog_checks, true },
		    { nvset_checks, &n_nvset_checks, true }, { nras_checks, &n_nras_checks, true } };
#define N_SHARED (sizeof shared_checks / sizeof shared_checks[0])

const struct check *check_at(size_t i, bool *sometimes)
{
	for (size_t t = 0; t < N_SHARED + n_kinds; t++) {
		const size_t n = t < N_SHARED ? *shared_checks[t].n : kinds[t - N_SHARED]->n_checks;

		*sometimes = t < N_SHARED && shared_checks[t].sometimes;
		if (i < n)
			return t < N_SHARED ? &shared_checks[t].v[i] : &kinds[t - N_SHARED]->checks[i];
		i -= n;
	}
	return NULL;
}

const struct check *check_by_id(const char *id)
{
	const struct check *c;
	bool sometimes;

	for (size_t i = 0; (c = check_at(i, &sometimes)); i++)
		if (!strcmp(c->id, id))
			return c;
	return NULL;
}

void kind_names(struct buf *ret)
{
	for (size_t i = 0; i < n_kinds; i++)
		buf_printf(ret, "%s%s", i ? ", " : "", kinds[i]->name);
}
