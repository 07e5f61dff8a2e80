/* SPDX-License-Identifier: Apache-2.0 */
/* PE images: Authenticode and the sections of a unified kernel image; and init data in all its wrappings. */
#include <stdlib.h>

#include "tee/measure_initdata.h"
#include "tee/measure_pcr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice data = slice_of(p, n);
	const struct source s = source_of(&data);
	AUTO_PCR_PLAN plan = { .alg = HASH_SHA256 };
	AUTO_PCR_PLAN kernel = { .alg = HASH_SHA384 };
	AUTO_JSON *shown = json_object();
	AUTO_JSON *policy = json_object();
	AUTO_INITDATA d = { 0 };

	measure_kernel(&kernel, &s, NULL);
	if (!measure_uki(&plan, &s, NULL)) {
		if (!is_uki(&s))
			abort();
		measure_initrd(&plan, &s, NULL);
		measure_cmdline(&plan, buf_view(&plan.cmdline), NULL);
		if (pcr_plan_json(shown, &plan, NULL) || pcr_plan_policy(policy, &plan, NULL))
			abort();
	}
	if (!initdata_read(&d, data, NULL) && initdata_json(shown, &d, NULL))
		abort();
	return 0;
}
