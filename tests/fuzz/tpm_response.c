/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a TPM may answer: every command, each answer taken from the input; with the header put right, so that what is behind it is
 * reached. */
#include "base/cursor.h"
#include "tee/tpm.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct feed {
	struct rd r;
	bool honest;
};

static int answer(struct tpm *t, struct buf *ret, struct slice command, struct err *e)
{
	struct feed *f = t->arg;
	const size_t n = rd_u8(&f->r) | (size_t)(rd_u8(&f->r) & 3) << 8;
	const struct slice s = rd_take(&f->r, n < rd_left(&f->r) ? n : rd_left(&f->r));

	if (rd_left(&f->r) == 0 && s.n == 0)
		return err_set(e, EC_IO, "no more input");
	if (f->honest) {
		buf_put(ret, command.p, 2);
		buf_be32(ret, (uint32_t)(10 + s.n));
		buf_be32(ret, 0);
	}
	buf_slice(ret, s);
	if (ret->n >= 10 && ret->p[8] == 9)	/* "try again" takes time */
		ret->p[8] = 1;
	return buf_check(ret, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct host h;
	struct feed f = { .r = rd_of(slice_of(p, n)) };
	struct tpm t = { .h = &h, .transmit = answer, .arg = &f, .where = "fuzz", .fd = -1 };
	AUTO_TPM_QUOTED q = { 0 };
	AUTO_BUF b = { 0 };
	struct tpm_bank banks[4];
	struct tpm_pcrs pcrs;
	struct err e = { 0 };
	uint32_t v, handles[8];
	uint16_t bank;
	size_t got;
	const uint8_t which = rd_u8(&f.r);

	host_init(&h);
	f.honest = which & 0x80;
	switch (which & 0xf) {
	case 0: tpm_property(&v, &t, TPM_PT_MANUFACTURER, &e); break;
	case 1: tpm_banks(banks, 4, &got, &t, &e); break;
	case 2:
		if (!tpm_handles(handles, 8, &got, &t, 0x81000000, &e) && got > 8)
			abort();
		break;
	case 3: tpm_nv_read(&b, &t, 0x01400001, &e); break;
	case 4: tpm_nv_cert(&b, &t, 0x01400001, &e); break;
	case 5: tpm_nv_write(&t, 0x01400002, slice_of(p, n < 3000 ? n : 3000), &e); break;
	case 6: tpm_read_public(&b, &t, 0x81000003, &e); break;
	case 7: tpm_create_primary(&v, &b, &t, TPM_RH_OWNER, tpm_template_ecc, &e); break;
	case 8:
		if (!tpm_pcr_read(&pcrs, &t, TPM_SHA256, 0x8fffff, &e) && pcrs.mask != 0x8fffff)
			abort();
		break;
	case 9: tpm_quote(&q.attest, &q.signature, &t, 1, TPM_NULL, SLICE("nonce"), TPM_SHA256, 1, &e); break;
	case 10: tpm_pick_bank(&bank, &v, &t, &e); break;
	default:
		if (which & 0x40)
			buf_slice(&q.ak, tpm_template_ecc);
		tpm_quote_all(&q, &t, 1, slice_of(p, n < 64 ? n : 64), TPM_SHA256, 3, &e);
	}
	return 0;
}
