/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate chains of NVIDIA devices, from a CA made here. */

#include "codec/hex64.h"
#include "codec/pem.h"
#include "nv_maker.h"
#include "test.h"

static void chain_of(struct cert_list *ret, const struct nv_make *m)
{
	AUTO_BUF pem = { 0 };

	nv_make_chain(&pem, m);
	WORKS(nvchain_parse(ret, buf_view(&pem), &e));
}

static int verify(const struct cert_list *l, struct err *e)
{
	return nvchain_verify(l, nv_make_root(), NV_MAKER_NOW, e);
}

TEST(nvchain_of_each_architecture)
{
	static const struct { enum nv_arch a; const char *model; uint8_t pdi[8]; } want[] = {
		{ NV_HOPPER, "GH100 A01 GSP BROM", { 0xe2, 0x3d, 0x71, 0x1e, 0x1c, 0x4f, 1, 0x13 } },
		{ NV_BLACKWELL, "GB100 A01 GSP BROM", { 0xe2, 0x3d, 0x71, 0x1e, 0x1c, 0x4f, 2, 0x13 } },
		{ NV_LS10, "LS_10 A01 FSP BROM", { 0xe2, 0x3d, 0x71, 0x1e, 0x1c, 0x4f, 3, 0x13 } },
	};

	for (size_t i = 0; i < 3; i++) {
		const struct nv_make m = { .arch = want[i].a, .device = 3 };
		AUTO_CERTS l = { 0 };
		AUTO_BUF model = { 0 }, ueid = { 0 };
		uint8_t pdi[8], fwid[48];

		chain_of(&l, &m);
		WORKS(verify(&l, &e));
		if (l.n != 5)
			return;
		WORKS(nvchain_hwmodel(&model, &l.v[1], &e));
		STR(buf_cstr(&model), want[i].model);
		WORKS(nvchain_pdi(pdi, &l.v[1], &e));
		MEM(pdi, want[i].pdi, 8);
		WORKS(nvchain_fwid(fwid, &l.v[0], &e));
		WORKS(nvchain_ueid(&ueid, &l.v[0], &e));
		OK(ueid.n > 40);
	}
}

TEST(nvchain_root_is_pinned)
{
	AUTO_CERTS l = { 0 }, other = { 0 };
	struct err e = { 0 };

	chain_of(&l, &(const struct nv_make){ 0 });
	EQ(nvchain_verify(&l, NULL, NV_MAKER_NOW, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "not in NVIDIA's device root");
	chain_of(&other, &(const struct nv_make){ .other_root = true });
	EQ(verify(&other, &e), -1);
	HAS(e.msg, "not in NVIDIA's device root");
}

/* The real root behind a chain that it did not sign. */
TEST(nvchain_steps_are_checked)
{
	AUTO_CERTS l = { 0 }, other = { 0 };
	struct cert mixed[5];
	struct err e = { 0 };

	chain_of(&l, &(const struct nv_make){ 0 });
	chain_of(&other, &(const struct nv_make){ .other_root = true });
	if (l.n != 5 || other.n != 5)
		return;
	memcpy(mixed, other.v, sizeof mixed);
	mixed[4] = l.v[4];
	EQ(verify(&(const struct cert_list){ mixed, 5 }, &e), -1);
	HAS(e.msg, "GH100 Identity");
	HAS(e.msg, "signature");
	memcpy(mixed, l.v, sizeof mixed);
	mixed[1] = l.v[2];
	mixed[2] = l.v[1];
	EQ(verify(&(const struct cert_list){ mixed, 5 }, &e), -1);
	HAS(e.msg, "names the issuer");
	EQ(verify(&(const struct cert_list){ l.v, 4 }, &e), -1);
	HAS(e.msg, "holds 4 certificates");
	memcpy(mixed, l.v, sizeof mixed);
	mixed[0] = l.v[1];
	EQ(verify(&(const struct cert_list){ mixed, 5 }, &e), -1);
	HAS(e.msg, "is a CA's");
}

TEST(nvchain_leaf_of_another_device)
{
	AUTO_CERTS l = { 0 }, other = { 0 };
	struct cert mixed[5];
	struct err e = { 0 };

	chain_of(&l, &(const struct nv_make){ 0 });
	chain_of(&other, &(const struct nv_make){ .device = 1 });
	if (l.n != 5 || other.n != 5)
		return;
	memcpy(mixed, l.v, sizeof mixed);
	mixed[0] = other.v[0];
	EQ(verify(&(const struct cert_list){ mixed, 5 }, &e), -1);
	EQ(e.code, EC_REFUSED);
	HAS(e.msg, "GSP FMC LF");
}

TEST(nvchain_dates_have_their_own_texts)
{
	AUTO_CERTS expired = { 0 }, early = { 0 };
	struct err e = { 0 };

	chain_of(&expired, &(const struct nv_make){ .expired = true });
	WORKS(nvchain_issued(&expired, nv_make_root(), &e));
	EQ(verify(&expired, &e), -1);
	HAS(e.msg, "has expired");
	chain_of(&early, &(const struct nv_make){ .early = true });
	WORKS(nvchain_issued(&early, nv_make_root(), &e));
	EQ(verify(&early, &e), -1);
	HAS(e.msg, "is not yet valid");
}

TEST(nvchain_device_has_to_be_a_ca)
{
	AUTO_CERTS l = { 0 };
	struct err e = { 0 };

	chain_of(&l, &(const struct nv_make){ .device_no_ca = true });
	EQ(verify(&l, &e), -1);
	HAS(e.msg, "is not a CA");
}

TEST(nvchain_forms)
{
	AUTO_BUF pem = { 0 }, ders = { 0 };
	AUTO_CERTS l = { 0 }, again = { 0 };
	struct err e = { 0 };

	nv_make_chain(&pem, &(const struct nv_make){ 0 });
	chain_of(&l, &(const struct nv_make){ 0 });
	for (size_t i = 0; i < l.n; i++)
		buf_slice(&ders, l.v[i].der);
	WORKS(nvchain_parse(&again, buf_view(&ders), &e));
	WORKS(verify(&again, &e));
	buf_byte(&ders, 0);
	FAILS(nvchain_parse(&again, buf_view(&ders), &e), EC_FORMAT);
	FAILS(nvchain_parse(&again, SLICE("nothing"), &e), EC_FORMAT);
	FAILS(nvchain_parse(&again, (struct slice){ 0 }, &e), EC_FORMAT);
	pem_put(&pem, "CERTIFICATE", l.v[4].der);
	EQ(nvchain_parse(&again, buf_view(&pem), &e), -1);
	HAS(e.msg, "holds 6 certificates, wanted 5");
}

TEST(nvchain_fwid_forms)
{
	uint8_t first[48], second[48];
	AUTO_CERTS good = { 0 }, last = { 0 }, zero = { 0 };
	struct err e = { 0 };

	chain_of(&good, &(const struct nv_make){ .arch = NV_BLACKWELL });
	chain_of(&last, &(const struct nv_make){ .arch = NV_BLACKWELL, .fwid_last = true });
	chain_of(&zero, &(const struct nv_make){ .arch = NV_BLACKWELL, .zero_fwid = true });
	if (!good.n || !last.n || !zero.n)
		return;
	WORKS(nvchain_fwid(first, &good.v[0], &e));
	WORKS(nvchain_fwid(second, &last.v[0], &e));
	OK(memcmp(first, second, 48));			/* the first of two counts, wherever the right one stands */
	EQ(nvchain_fwid(first, &zero.v[0], &e), -1);
	HAS(e.msg, "all zero");
	EQ(nvchain_fwid(first, &good.v[1], &e), -1);
	HAS(e.msg, "no DICE extension");
}

/* Every byte of every certificate: whatever is changed, nothing is accepted. */
TEST(nvchain_every_byte_counts)
{
	AUTO_CERTS l = { 0 };

	chain_of(&l, &(const struct nv_make){ 0 });
	for (size_t i = 0; i < l.n; i++) {
		for (size_t at = 0; at < l.v[i].der.n; at++) {
			AUTO_BUF der = { 0 };
			AUTO_CERTS one = { 0 };
			struct cert mixed[5];
			struct err e = { 0 };

			buf_slice(&der, l.v[i].der);
			der.p[at] ^= 1 << at % 8;
			if (certs_parse(&one, buf_view(&der), &e))
				continue;
			memcpy(mixed, l.v, sizeof mixed);
			mixed[i] = one.v[0];
			if (!verify(&(const struct cert_list){ mixed, 5 }, &e))
				test_fail(__FILE__, __LINE__, "certificate %zu: byte %zu may be changed", i, at);
		}
	}
}
