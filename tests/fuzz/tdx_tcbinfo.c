/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's signed documents: reading does not ask for the signature, so everything behind it is reached.  What was cut out is found again, byte for
 * byte, in other surroundings; and the levels that were read give some verdict for any machine. */

#include <stdlib.h>

#include "tee/tdx_tcb.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void cut_again(struct slice body, const char *member, bool tcb)
{
	AUTO_BUF b = { 0 };
	struct tdx_tcb_info t = { 0 };
	struct tdx_qe_identity q = { 0 };
	struct err e = { 0 };

	buf_printf(&b, " {\"a\": \"\\\"%s\\\":{\\\\\", \"b\":[1,{\"%s\":[]},null], \"%s\"\t:\n", member, member, member);
	buf_slice(&b, body);
	buf_puts(&b, " ,\"signature\":\"");
	for (int i = 0; i < 64; i++)
		buf_puts(&b, "5a");
	buf_puts(&b, "\"} ");
	if (b.n > TCB_DOCUMENT_MAX)
		return;
	if (tcb ? tdx_tcb_info_parse(&t, buf_view(&b), &e) : tdx_qe_identity_parse(&q, buf_view(&b), &e))
		abort();
	if (!slice_eq(tcb ? t.doc.body : q.doc.body, body))
		abort();
	tdx_tcb_info_free(&t);
	tdx_qe_identity_free(&q);
}

static void judge(const struct tdx_tcb_info *t, const struct tdx_qe_identity *id, struct slice seed)
{
	struct tdx_pck pck = { 0 };
	uint8_t svn[16] = { 0 }, now[16] = { 0 };
	struct tcb_verdict v;

	for (size_t i = 0; i < 16 && seed.n >= 48; i++) {
		pck.component[i] = seed.p[seed.n - 1 - i];
		svn[i] = seed.p[seed.n - 17 - i];
		now[i] = seed.p[seed.n - 33 - i];
	}
	pck.pcesvn = pck.component[3];
	for (int two = 0; two < 2; two++) {
		tdx_tcb_appraise(&v, t, id, &pck, svn, two ? now : NULL, svn[5]);
		if (v.status == TCB_STATUS_NONE || v.status >= N_TCB_STATUS || !tcb_status_name(v.status) ||
		    (v.status == TCB_UP_TO_DATE && (!v.platform || (id && !v.qe))))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tdx_tcb_info t = { 0 };
	struct tdx_qe_identity q = { 0 };
	struct err e = { 0 };

	if (!tdx_tcb_info_parse(&t, slice_of(p, n), &e)) {
		for (size_t i = 1; i < t.n_levels; i++)
			if (memcmp(t.levels[i - 1].sgx, t.levels[i].sgx, 16) < 0)
				abort();
		judge(&t, NULL, slice_of(p, n));
		cut_again(t.doc.body, "tcbInfo", true);
	} else if (e.code != EC_FORMAT) {
		abort();
	}
	if (!tdx_qe_identity_parse(&q, slice_of(p, n), &e))
		cut_again(q.doc.body, "enclaveIdentity", false);
	tdx_tcb_info_free(&t);
	tdx_qe_identity_free(&q);
	return 0;
}
