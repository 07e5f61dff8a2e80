/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting on Azure (cpu-tee.md 2.6): the report data goes to the paravisor, which makes a new HCL report of it, and into the
 * quote of the virtual TPM; the host's instance metadata service has what endorses the hardware report. */

#include <poll.h>

#include "codec/hex64.h"
#include "crypto/x509.h"
#include "net/http.h"
#include "tee/azure.h"
#include "tee/eventlog.h"
#include "tee/snp.h"
#include "tee/tdx.h"
#include "tee/tpm.h"

enum { NV_REPORT = 0x01400001, NV_USER_DATA = 0x01400002 };
#define AK_HANDLE UINT32_C(0x81000003)
#define POLL_MS 250
#define POLL_WHOLE_MS 10000
#define METADATA "http://169.254.169.254"	/* link-local, on every machine of Azure */
#define METADATA_TRIES 3
#define METADATA_MS 10000

struct work {
	const struct host *h;
	struct tpm *tpm;
	bool tdx;
	uint8_t user_data[AZURE_USER_DATA];	/* the report data, zero padded */
	struct slice rd;
	struct azure_parts parts;
	struct hcl_report hcl;
	struct hcl_claims claims;
};

static void work_free(struct work *w)
{
	hcl_claims_free(&w->claims);
	azure_parts_free(&w->parts);
}

/* --- HCL report ------------------------------------------------------------------------------------------------- */

static int read_report(struct work *w, struct err *e)
{
	buf_free(&w->parts.hcl);
	hcl_claims_free(&w->claims);
	w->parts.hcl = (struct buf){ .max = HCL_MAX };
	if (tpm_nv_read(&w->parts.hcl, w->tpm, NV_REPORT, e)) {
		if (e->code == EC_ABSENT)
			err_hint(e, "there is no HCL report at NV index 0x01400001: this is no confidential VM of Azure");
		return err_ctx(e, "HCL report");
	}
	return hcl_parse(&w->hcl, buf_view(&w->parts.hcl), e) || hcl_claims_parse(&w->claims, w->hcl.claims, e) ? -1 : 0;
}

static int check_type(const struct work *w, struct err *e)
{
	if (w->tdx == (w->hcl.type == HCL_TDX))
		return 0;
	err_set(e, EC_ABSENT, "this machine's HCL report is of type %s, wanted %s", hcl_type_name(w->hcl.type), w->tdx ? "TDX" : "SNP");
	return err_hint(e, "take --tee %s", w->tdx ? evidence_az_snp.name : evidence_az_tdx.name);
}

/* The guest has to make the index itself. */
static int put_user_data(struct work *w, struct err *e)
{
	struct tpm_nv nv;
	struct err why = { 0 };

	if (tpm_nv_read_public(&nv, w->tpm, NV_USER_DATA, &why)) {
		if (why.code != EC_ABSENT) {
			*e = why;
			return -1;
		}
		if (tpm_nv_define(w->tpm, NV_USER_DATA, TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD, AZURE_USER_DATA, e))
			return -1;
	} else if (nv.size != AZURE_USER_DATA) {
		return err_set(e, EC_IO, "NV index 0x01400002 has %u bytes, wanted %d: something else made it", nv.size, AZURE_USER_DATA);
	}
	return tpm_nv_write(w->tpm, NV_USER_DATA, slice_of(w->user_data, sizeof w->user_data), e);
}

/* Whole and new: an index that is written while it is read gives parts of two reports. */
static bool report_is_there(const struct work *w)
{
	uint8_t bound[64];
	struct err e = { 0 };

	return w->claims.has_user_data && !memcmp(w->claims.user_data, w->user_data, sizeof w->user_data) &&
	       !hcl_binding(bound, &w->hcl, &e) && slice_eq(hcl_report_data(&w->hcl), slice_of(bound, sizeof bound));
}

/* The paravisor makes the new report in its own time. */
static int await_report(struct work *w, struct err *e)
{
	const int64_t until = host_mono_ms() + POLL_WHOLE_MS;

	for (;;) {
		int64_t left;
		struct err why = { 0 };

		if (!read_report(w, &why) && report_is_there(w))
			return 0;
		if (why.code != EC_OK && why.code != EC_FORMAT) {
			*e = why;
			return -1;
		}
		left = until - host_mono_ms();
		left = host_left_ms(w->h, left > 0 ? left : 0);
		if (left <= POLL_MS)	/* behind the pause there would be no time to read */
			break;
		host_log(w->h, LOG_DEBUG, "waiting for the paravisor's new report");
		poll(NULL, 0, POLL_MS);
	}
	err_set(e, EC_IO, "the paravisor made no HCL report with this user-data, waited %d s or up to the time limit", POLL_WHOLE_MS / 1000);
	return err_hint(e, "is another program writing NV index 0x01400002?  Try again");
}

static int take_report(struct work *w, struct err *e)
{
	struct err why = { 0 };

	if (read_report(w, e) || check_type(w, e))
		return -1;
	w->parts.version = 1;
	if (!w->claims.has_user_data) {
		host_log(w->h, LOG_WARN, "this paravisor knows no user-data: the report data is in the TPM quote only");
		return 0;
	}
	if (put_user_data(w, &why)) {
		if (hcl_user_data_set(&w->claims)) {	/* of an earlier collection: evidence with it would be taken for an old one */
			*e = why;
			return err_ctx(e, "cannot set user-data");
		}
		host_log(w->h, LOG_WARN, "cannot set user-data (%s): the report data is in the TPM quote only", why.msg);
		return 0;
	}
	if (await_report(w, e) || check_type(w, e))
		return -1;
	if (!w->tdx)		/* Trustee has version 1 only for TDX */
		w->parts.version = 2;
	return 0;
}

/* --- quote -------------------------------------------------------------------------------------------------------- */

static int same_key(const struct work *w, struct slice area, struct err *e)
{
	AUTO_PUBKEY k = { 0 };
	AUTO_BUF a = { 0 }, b = { 0 };
	struct tpm_public p;

	if (w->claims.ak.type != KEY_RSA)
		return err_set(e, EC_IO, "attestation key in the HCL report: %s", w->claims.ak_trouble.msg);
	if (tpm_public_parse(&p, area, e) || tpm_public_key(&k, &p, e) || pubkey_der(&a, &k, e) || pubkey_der(&b, &w->claims.ak, e))
		return -1;
	if (!slice_eq(buf_view(&a), buf_view(&b)))
		return err_set(e, EC_IO, "the TPM's key at 0x81000003 is not the HCLAkPub of the HCL report");
	return 0;
}

static int take_quote(struct work *w, struct err *e)
{
	AUTO_TPM_QUOTED q = { 0 };
	struct tpm_signature sig;

	if (tpm_quote_all(&q, w->tpm, AK_HANDLE, w->rd, TPM_SHA256, TPM_ALL_PCRS, e))
		return err_ctx(e, "TPM quote by the key at 0x81000003");
	if (same_key(w, buf_view(&q.ak), e) || tpm_signature_parse(&sig, buf_view(&q.signature), e))
		return -1;
	if (sig.alg != TPM_RSASSA || sig.hash != TPM_SHA256)
		return err_set(e, EC_IO, "the quote is signed by %s with %s, wanted rsassa with sha256", tpm_alg_name(sig.alg),
			       tpm_alg_name(sig.hash));
	buf_slice(&w->parts.signature, sig.r);
	buf_slice(&w->parts.message, buf_view(&q.attest));
	for (unsigned i = 0; i < TPM_PCRS; i++)
		memcpy(w->parts.pcrs[i], q.pcrs.v[i], sizeof w->parts.pcrs[i]);
	w->parts.n_pcrs = TPM_PCRS;
	return buf_check(&w->parts.signature, e) || buf_check(&w->parts.message, e) ? -1 : 0;
}

/* --- the host's metadata service ----------------------------------------------------------------------------------- */

static bool busy(long status)
{
	return status == 410 || status == 429 || status >= 500;
}

/* No proxy has this address. */
static int ask_metadata(struct json **ret, const struct host *h, const char *method, const char *url, struct slice body, struct err *e)
{
	static const char *const headers[] = { "Metadata: true", "Content-Type: application/json", "Accept: application/json", NULL };
	struct host direct = *h;
	AUTO_HTTP r = { 0 };

	direct.proxy = "";
	for (int i = 0;; i++) {
		http_free(&r);
		r = (struct http_response){ 0 };
		if (http_do(&r, &direct, &(const struct http_request){ .method = method, .url = url, .headers = headers, .body = body,
								       .max_body = EVIDENCE_MAX, .timeout_ms = METADATA_MS,
								       .allow_plain = true }, e)) {
			e->hint[0] = 0;
			return -1;
		}
		if (!busy(r.status) || i + 1 == METADATA_TRIES || host_left_ms(h, 1000) < 1000)
			break;
		poll(NULL, 0, 1000);
	}
	if (r.status != 200)
		return err_set(e, EC_IO, "'%s' answered %ld, wanted 200", url, r.status);
	return json_parse(ret, slice_trim(buf_view(&r.body)), EVIDENCE_MAX, e) ? err_ctx(e, "answer of '%s'", url) : 0;
}

static int ask_vcek(struct work *w, struct err *e)
{
	AUTO_JSON *j = NULL;
	AUTO_CERTS l = { 0 };
	const char *pem;

	if (ask_metadata(&j, w->h, "GET", METADATA "/metadata/THIM/amd/certification", (struct slice){ 0 }, e) ||
	    json_need_str(&pem, j, "vcekCert", "the answer of the metadata service", e) || certs_parse(&l, slice_str(pem), e))
		return -1;
	buf_slice(&w->parts.vcek, l.v[0].der);
	return buf_check(&w->parts.vcek, e);
}

static int take_vcek(struct work *w, struct err *e)
{
	struct err why = { 0 };

	if (!ask_vcek(w, &why))
		return buf_check(&w->parts.vcek, e);
	buf_reset(&w->parts.vcek);
	host_log(w->h, LOG_WARN, "collected without the VCEK certificate: %s; 'attest collateral' can add it later", why.msg);
	return 0;
}

static int write_request(struct buf *ret, struct slice tdreport, struct err *e)
{
	AUTO_JSON *j = json_object();

	if (!j)
		return err_oom(e);
	json_add_b64url(j, "report", tdreport);
	return json_write(ret, j, false, e);
}

static int ask_td_quote(struct work *w, struct err *e)
{
	AUTO_JSON *j = NULL;
	AUTO_BUF body = { 0 };
	struct tdx_quote q;
	const char *text;

	w->parts.td_quote.max = EVIDENCE_MAX;
	if (write_request(&body, w->hcl.hardware, e) || ask_metadata(&j, w->h, "POST", METADATA "/acc/tdquote", buf_view(&body), e) ||
	    json_need_str(&text, j, "quote", "the answer of the metadata service", e) ||
	    b64_decode_lax(&w->parts.td_quote, slice_str(text), e) || tdx_quote_parse(&q, buf_view(&w->parts.td_quote), e))
		return -1;
	if (!slice_eq(tdx_report_data(&q), hcl_report_data(&w->hcl)))
		return err_set(e, EC_IO, "the TD quote is of another TDREPORT than was sent");
	return 0;
}

static int take_td_quote(struct work *w, struct err *e)
{
	if (!ask_td_quote(w, e))
		return 0;
	err_ctx(e, "TD quote");
	return err_hint(e, "the host's service at 169.254.169.254 makes the quote, and without one nothing can be verified elsewhere");
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

static int write_evidence(struct evidence *ret, const struct work *w, struct err *e)
{
	AUTO_JSON *j = NULL;

	return azure_parts_write(&j, &w->parts, e) || json_write(&ret->raw, j, false, e) ? -1 : 0;
}

static int take_all(struct evidence *ret, struct work *w, struct err *e)
{
	if (take_report(w, e) || take_quote(w, e))
		return -1;
	if (w->tdx ? take_td_quote(w, e) : take_vcek(w, e))
		return -1;
	return write_evidence(ret, w, e) || eventlog_collect(ret->logs, w->h, e) ? -1 : 0;
}

int azure_collect_with(struct evidence *ret, struct tpm *t, const struct host *h, bool tdx, struct slice rd, struct err *e)
{
	struct work w = { .h = h, .tpm = t, .tdx = tdx, .rd = rd };
	int rc;

	if (rd.n > sizeof w.user_data)
		return err_set(e, EC_USAGE, "report data is %zu bytes, user-data takes %zu", rd.n, sizeof w.user_data);
	if (rd.n)
		memcpy(w.user_data, rd.p, rd.n);
	rc = take_all(ret, &w, e);
	work_free(&w);
	return rc;
}

int azure_collect(struct evidence *ret, const struct host *h, bool tdx, struct slice rd, struct err *e)
{
	AUTO_TPM t = TPM_INIT;

	return tpm_open(&t, h, e) || azure_collect_with(ret, &t, h, tdx, rd, e) ? -1 : 0;
}
