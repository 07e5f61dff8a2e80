/* SPDX-License-Identifier: Apache-2.0 */
/* Reports from whichever interface there is: see report.h. */

#include "tee/azure.h"
#include "tee/qgs.h"
#include "tee/report.h"
#include "tee/sev_guest.h"
#include "tee/snp.h"
#include "tee/tdx.h"
#include "tee/tdx_guest.h"

static int by_sev_guest(struct tsm_report *ret, const struct host *h, const uint8_t in[static TSM_INBLOB],
			const struct collect_how *how, struct err *e)
{
	AUTO_TSM r = { 0 };

	if (how && how->svsm) {
		err_set(e, EC_ABSENT, "'" SEV_GUEST_NODE "' gives no manifest of SVSM services");
		return err_hint(e, "they come through configfs-tsm, which needs Linux 6.10");
	}
	buf_puts(&r.provider, "sev_guest");
	if (sev_guest_report(&r.out, &r.aux, h, in, how && how->has_vmpl ? how->vmpl : 0, e) || buf_check(&r.provider, e))
		return -1;
	*ret = r;
	r = (struct tsm_report){ 0 };
	return 0;
}

static int by_tdx_guest(struct tsm_report *ret, const struct host *h, const uint8_t in[static TSM_INBLOB], struct err *e)
{
	AUTO_TSM r = { 0 };
	uint8_t tdreport[TDREPORT_SIZE];
	struct tdx_quote q;
	uint32_t port;

	if (tdx_guest_report(tdreport, h, in, e))
		return -1;
	if (qgs_port(&port, h, e)) {
		err_ctx(e, "a TDREPORT alone proves nothing to others, and nobody here signs it");
		return err_hint(e, "use Linux 6.7 or later (configfs-tsm), or name the host's quote service in /etc/tdx-attest.conf: "
				   "port = 4050");
	}
	buf_puts(&r.provider, "tdx_guest");
	if (qgs_quote(&r.out, h, tdreport, e) || buf_check(&r.provider, e))
		return -1;
	if (tdx_quote_parse(&q, buf_view(&r.out), e) || tdreport_matches(slice_of(tdreport, sizeof tdreport), q.body, e))
		return err_ctx(e, "the quote service's quote");
	*ret = r;
	r = (struct tsm_report){ 0 };
	return 0;
}

/* Only where configfs can give none: one that was asked and failed is not asked again by another way, for a second request could
 * be the one too many. */
static bool configfs_has(const struct host *h)
{
	AUTO_TSM_FACTS f = { 0 };
	struct err e = { 0 };

	return host_exists(h, TSM_DIR) && (!tsm_look(&f, h, &e) || e.code != EC_ABSENT);
}

int report_get(struct tsm_report *ret, const struct host *h, const char *provider, const uint8_t in[static TSM_INBLOB],
	       const struct collect_how *how, struct err *e)
{
	const bool sev = !strcmp(provider, "sev_guest"), tdx = !strcmp(provider, "tdx_guest");
	const char *node = sev ? SEV_GUEST_NODE : TDX_GUEST_NODE;

	if (tdx && how && (how->has_vmpl || how->svsm))
		return err_set(e, EC_ABSENT, "TDX has no privilege levels and no SVSM: --vmpl and --svsm are for SEV-SNP");
	if ((!sev && !tdx) || !host_exists(h, node) || configfs_has(h))
		return tsm_ask(ret, h, provider, in, how, e);
	host_log(h, LOG_INFO, "no configfs-tsm here, asking '%s'", node);
	return sev ? by_sev_guest(ret, h, in, how, e) : by_tdx_guest(ret, h, in, e);
}

/* --- kinds ------------------------------------------------------------------------------------------------------ */

static int pad_report_data(uint8_t in[static TSM_INBLOB], struct slice rd, const char *what, struct err *e)
{
	if (rd.n > TSM_INBLOB)
		return err_set(e, EC_USAGE, "report data is %zu bytes, %s takes %d", rd.n, what, TSM_INBLOB);
	memset(in, 0, TSM_INBLOB);
	if (rd.n)
		memcpy(in, rd.p, rd.n);
	return 0;
}

int snp_collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_TSM t = { 0 };
	struct snp_report r;
	uint8_t in[TSM_INBLOB];

	if (pad_report_data(in, rd, "an SNP report", e) || report_get(&t, h, "sev_guest", in, ret->how, e))
		return -1;
	if (snp_report_parse(&r, buf_view(&t.out), e))
		return err_ctx(e, "the kernel's report");
	if (!slice_eq(snp_report_data(&r), slice_of(in, sizeof in)))
		return err_set(e, EC_IO, "the report holds other report data than was asked for");
	if (ret->how && ret->how->has_vmpl && r.vmpl != ret->how->vmpl)
		return err_set(e, EC_IO, "the report is for VMPL %u, asked was %u", r.vmpl, ret->how->vmpl);
	buf_move(&ret->raw, &t.out);
	buf_move(&ret->certs, &t.aux);
	buf_move(&ret->manifest, &t.manifest);
	return 0;
}

int tdx_collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	struct tdx_registers before, after;
	AUTO_TSM t = { 0 };
	struct tdx_quote q;
	uint8_t in[TSM_INBLOB];

	if (pad_report_data(in, rd, "a TDX quote", e))
		return -1;
	tdx_registers_read(&before, h);
	if (report_get(&t, h, "tdx_guest", in, ret->how, e))
		return -1;
	tdx_registers_read(&after, h);
	if (tdx_quote_parse(&q, buf_view(&t.out), e))
		return err_ctx(e, "the kernel's quote");
	if (!slice_eq(tdx_report_data(&q), slice_of(in, sizeof in)))
		return err_set(e, EC_IO, "the quote holds other report data than was asked for");
	if (tdx_registers_agree(&before, &after, q.body, e))
		return -1;
	buf_move(&ret->raw, &t.out);
	return 0;
}
