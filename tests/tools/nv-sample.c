/* SPDX-License-Identifier: Apache-2.0 */
/* nv-sample GPUS SWITCHES NONCE BUNDLE: writes a bundle with the evidence of that many simulated devices and all collateral, by a CA of the
 * tests; prints the SHA-256 of its two roots.  For benchmarks and tests of the whole program. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "codec/hex64.h"
#include "evidence/bundle.h"
#include "nv_maker.h"
#include "rim_maker.h"
#include "test.h"

#define DAY INT64_C(86400)

static struct err e;

/* What the makers of the unit tests call when they cannot go on. */
void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "nv-sample: %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void must(int rc)
{
	if (rc) {
		fprintf(stderr, "nv-sample: %s\n", e.msg);
		exit(1);
	}
}

/* An answer of the issuer itself about one certificate, or one of each in a chain. */
static void add_status(struct bundle *b, const struct cert_list *l, size_t i, const struct privkey *issuer_key, struct slice nonce)
{
	AUTO_BUF der = { .max = OCSP_MAX };
	const struct ocsp_make_entry entry = {
		.cert = &l->v[i], .issuer = &l->v[i + 1], .status = OCSP_GOOD, .reason = -1, .this_update = NV_MAKER_NOW - 60,
		.next_update = NV_MAKER_NOW + DAY
	};

	must(ocsp_make(&der, &(const struct ocsp_make){ .v = &entry, .n = 1, .signer = &l->v[i + 1], .signer_key = issuer_key,
							 .produced_at = NV_MAKER_NOW - 60, .nonce = nonce }, &e));
	for (size_t k = 0; k < b->collateral.n; k++)
		if (slice_eq(buf_view(&b->collateral.v[k].data), buf_view(&der)))
			return;
	must(bundle_add(&b->collateral, "ocsp", "test responder", "", buf_view(&der), &e));
}

static void add_device(struct bundle *b, const struct nv_make *m, struct slice nonce)
{
	AUTO_BUF pem = { 0 };
	AUTO_CERTS chain = { 0 };
	static bool shared[4];	/* what is above the device is the same for all of an architecture */

	nv_make_chain(&pem, m);
	must(certs_parse(&chain, buf_view(&pem), &e));
	for (size_t i = 1; i < 4; i++)
		if (i == 1 || !shared[m->arch])
			add_status(b, &chain, i, nv_make_key(m, i + 1), nonce);
	shared[m->arch] = true;
}

static void add_rim(struct bundle *b, const struct nv_make *m, bool driver, struct slice nonce)
{
	static uint8_t hash[64][48];
	struct rim_make_golden golden[64];
	struct rim_make r = { .golden = golden };
	AUTO_BUF xml = { .max = RIM_MAX };
	struct rim rim = { 0 };
	const bool is_switch = m->arch == NV_LS10;

	for (size_t i = 0; i < (is_switch ? 31 : 42); i++) {
		const bool in_driver = i == 7 || i >= 21;

		if ((!is_switch && (in_driver != driver || (i > 12 && i < 21))) || i == 35)
			continue;
		nv_make_measurement(hash[i], m->arch, i);
		golden[r.n_golden++] = (struct rim_make_golden){ .index = (unsigned)i, .hash = (const uint8_t (*)[48])&hash[i], .n = 1 };
	}
	if (is_switch) {
		r.name = r.product = "LS10";
		r.edition = "SWITCH";
	}
	r.version = driver ? nv_make_driver(m) : nv_make_vbios(m);
	rim_make(&xml, &r);
	must(rim_parse(&rim, buf_view(&xml), &e));
	must(bundle_add(&b->collateral, "nvidia.rim", driver ? "driver.xml" : "vbios.xml", "", buf_view(&xml), &e));
	for (size_t i = 0; i + 1 < rim.sig.certs.n && i < 3; i++)
		add_status(b, &rim.sig.certs, i, rim_maker_ca_key(), nonce);
	rim_free(&rim);
}

static void add_evidence(struct bundle *b, const char *kind, const struct nv_make *v, size_t n)
{
	AUTO_BUF json = { .max = EVIDENCE_MAX };

	if (n == 0)
		return;
	nv_make_evidence(&json, v, n);
	must(bundle_add(&b->evidence, kind, "", "", buf_view(&json), &e));
}

static void print_hex(const uint8_t *p)
{
	AUTO_BUF hex = { 0 };

	buf_hex(&hex, slice_of(p, 32));
	printf("%s\n", buf_cstr(&hex));
}

int main(int argc, char **argv)
{
	const size_t gpus = argc == 5 ? strtoul(argv[1], NULL, 10) : 0, switches = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	static struct nv_make g[NV_MAKER_DEVICES], s[NV_MAKER_DEVICES];
	uint8_t gpu_nonce[32], ocsp_nonce[32];
	AUTO_BUNDLE b = { .nonce.max = BUNDLE_NONCE_MAX };
	AUTO_BUF out = { .max = BUNDLE_MAX };
	FILE *f;

	if (argc != 5 || gpus == 0 || gpus > NV_MAKER_DEVICES || switches > NV_MAKER_DEVICES) {
		fprintf(stderr, "wanted: nv-sample GPUS SWITCHES NONCE BUNDLE\n");
		return 2;
	}
	must(hex_decode(&b.nonce, slice_str(argv[3]), &e));
	must(bundle_nonce_for(gpu_nonce, "nvgpu", buf_view(&b.nonce), (struct slice){ 0 }, &e));
	must(bundle_nonce_for(ocsp_nonce, "ocsp", buf_view(&b.nonce), (struct slice){ 0 }, &e));
	for (unsigned i = 0; i < gpus; i++)
		g[i] = (struct nv_make){ .arch = NV_HOPPER, .device = i, .nonce = gpu_nonce, .mode = switches ? NV_PPCIE : NV_SPT };
	for (unsigned i = 0; i < switches; i++)
		s[i] = (struct nv_make){ .arch = NV_LS10, .device = i, .nonce = gpu_nonce, .mode = NV_PPCIE };
	add_evidence(&b, "nvgpu", g, gpus);
	add_evidence(&b, "nvswitch", s, switches);
	for (size_t i = 0; i < gpus; i++)
		add_device(&b, &g[i], slice_of(ocsp_nonce, 32));
	for (size_t i = 0; i < switches; i++)
		add_device(&b, &s[i], slice_of(ocsp_nonce, 32));
	add_rim(&b, &g[0], true, slice_of(ocsp_nonce, 32));
	add_rim(&b, &g[0], false, slice_of(ocsp_nonce, 32));
	if (switches)
		add_rim(&b, &s[0], false, slice_of(ocsp_nonce, 32));
	must(bundle_write(&out, &b, &e));
	f = fopen(argv[4], "w");
	if (!f || fwrite(out.p, 1, out.n, f) != out.n || fclose(f)) {
		perror(argv[4]);
		return 1;
	}
	print_hex(nv_make_root());
	print_hex(rim_maker_root());
	return 0;
}
