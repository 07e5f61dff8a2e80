/* SPDX-License-Identifier: Apache-2.0 */
/* The two calls that fetch what a GPU signs.  An error inside them makes the driver tear down the confidential GPU's channels until it is loaded again
 * (spec 1.5), so each is made once, with arguments that are known to be right, and only where the driver said that a confidential mode is on.
 * "Busy" is no exception: what the driver had begun by then cannot be told from outside, and the next run asks afresh. */
#include "gpu/rm_int.h"

#include "codec/pem.h"

enum {	/* spec 1.5 */
	CMD_CERTIFICATE = 0xcb330109, CERTIFICATE_SIZE = 9228, CHAIN_AT = 4104, CHAIN_MAX = 5120, CHAIN_SIZE_AT = 9224,
	CMD_REPORT = 0xcb33010a, REPORT_PARAMS_SIZE = 12336, NONCE_AT = 4, REPORT_AT = 36, REPORT_MAX = 8192, REPORT_SIZE_AT = 8228
};
#define CERTIFICATE_NAME "CONF_COMPUTE_GET_GPU_CERTIFICATE"
#define REPORT_NAME "CONF_COMPUTE_GET_GPU_ATTESTATION_REPORT"
#define SPDM_REQUEST 37		/* what a report starts with: version 1.1, GET_MEASUREMENTS, parameters, nonce, slot (spec 2.1) */

void rm_evidence_free(struct rm_evidence *ev)
{
	buf_free(&ev->chain);
	buf_free(&ev->report);
}

/* Behind what the status itself asks for. */
static void say_not_again(struct err *e)
{
	const struct err was = e ? *e : (struct err){ 0 };

	if (e)
		e->hint[0] = '\0';
	err_hint(e, "%s%snot asked again, since an error here stops a confidential GPU: load the nvidia module afresh or reset the GPU before the next try",
		 was.hint, was.hint[0] ? "; " : "");
}

static int fetch(struct rm *rm, uint32_t cmd, uint8_t *p, size_t n, const char *name, struct err *e)
{
	uint32_t status;

	if (rm_control(&status, rm, rm->cc, cmd, p, n, true, name, e))
		return -1;
	if (status == ST_OK)
		return 0;
	rm_status_err(status, name, e);
	if (status == ST_BUSY_RETRY || status == ST_KEY_ROTATION)
		return -1;	/* its hint is to try again */
	say_not_again(e);
	return -1;
}

/* PEM text within its size, whole blocks of certificates. */
static int check_chain(struct slice text, struct err *e)
{
	struct rd r = rd_of(text);
	struct slice label, body;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] < ' ' && text.p[i] != '\n' && text.p[i] != '\r' && text.p[i] != '\t') || text.p[i] > '~')
			return err_set(e, EC_FORMAT, CERTIFICATE_NAME ": byte 0x%02x at %zu of the certificate chain is no text", text.p[i], i);
	while (pem_next(&r, &label, &body)) {
		if (!slice_eqs(label, "CERTIFICATE"))
			return err_set(e, EC_FORMAT, CERTIFICATE_NAME ": the certificate chain holds a block that is no certificate");
		n++;
	}
	if (r.bad || n == 0)
		return err_set(e, EC_FORMAT, CERTIFICATE_NAME ": the certificate chain of %zu bytes has %zu whole certificates%s", text.n, n,
			       r.bad ? " and one that is cut off" : "");
	return 0;
}

static int fetch_chain(struct buf *ret, struct rm *rm, uint32_t subdevice, struct err *e)
{
	uint8_t p[CERTIFICATE_SIZE] = { 0 };
	uint32_t n;

	rm_put32(p, subdevice);
	if (fetch(rm, CMD_CERTIFICATE, p, sizeof p, CERTIFICATE_NAME, e))
		return -1;
	n = get_le32(p + CHAIN_SIZE_AT);	/* the other chain and its size are filled with nothing of use (spec 1.5) */
	if (n == 0 || n > CHAIN_MAX)
		return err_set(e, EC_FORMAT, CERTIFICATE_NAME ": a certificate chain of %u bytes, wanted 1 to %d", (unsigned)n, CHAIN_MAX);
	while (n && !p[CHAIN_AT + n - 1])
		n--;
	if (check_chain(slice_of(p + CHAIN_AT, n), e))
		return -1;
	buf_put(ret, p + CHAIN_AT, n);
	return buf_check(ret, e);
}

/* A report of the layout that all drivers up to 595 use repeats the nonce; what else it may be is for a verifier to say. */
static int check_report(struct slice report, const uint8_t *nonce, struct err *e)
{
	if (report.n < SPDM_REQUEST)
		return err_set(e, EC_FORMAT, REPORT_NAME ": a report of %zu bytes, which is less than its request has", report.n);
	if (report.p[0] == 0x11 && report.p[1] == 0xe0 && memcmp(report.p + 4, nonce, 32) != 0)
		return err_set(e, EC_FORMAT, REPORT_NAME ": the report answers another nonce than it was asked with");
	return 0;
}

static int fetch_report(struct buf *ret, struct rm *rm, uint32_t subdevice, const uint8_t *nonce, struct err *e)
{
	uint8_t p[REPORT_PARAMS_SIZE] = { 0 };
	uint32_t n;

	rm_put32(p, subdevice);
	memcpy(p + NONCE_AT, nonce, 32);
	if (fetch(rm, CMD_REPORT, p, sizeof p, REPORT_NAME, e))
		return -1;
	n = get_le32(p + REPORT_SIZE_AT);
	if (n == 0 || n > REPORT_MAX)
		return err_set(e, EC_FORMAT, REPORT_NAME ": a report of %u bytes, wanted 1 to %d", (unsigned)n, REPORT_MAX);
	if (check_report(slice_of(p + REPORT_AT, n), nonce, e))
		return -1;
	buf_put(ret, p + REPORT_AT, n);
	return buf_check(ret, e);
}

static bool confidential(const struct rm_cc *c)
{
	return c->known && (c->feature != RM_CC_FEATURE_OFF || c->multi_gpu != RM_CC_MULTI_NONE);
}

int rm_evidence(struct rm_evidence *ret, struct rm *rm, const struct rm_gpu *g, const struct rm_cc *cc, const uint8_t nonce[static 32], struct err *e)
{
	struct rm_evidence ev = { .chain.max = CHAIN_MAX + 1, .report.max = REPORT_MAX + 1 };

	if (!confidential(cc) || !confidential(&rm->state) || !rm->cc) {
		err_set(e, EC_ABSENT, "confidential mode is off");
		return err_hint(e, "'cvmbox gpu-ccmode query' tells the mode");
	}
	if (fetch_chain(&ev.chain, rm, g->subdevice, e) || fetch_report(&ev.report, rm, g->subdevice, nonce, e)) {
		rm_evidence_free(&ev);
		return -1;
	}
	*ret = ev;
	return 0;
}
