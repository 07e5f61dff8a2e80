/* SPDX-License-Identifier: Apache-2.0 */
/* Init data: its digest by raw bytes, its forms, and what a file has to say. */

#include "codec/hex64.h"
#include "tee/measure_initdata.h"
#include "test.h"

#define TOP "version = \"0.1.0\"\nalgorithm = \"sha256\"\n"

static void read_text(struct initdata *d, const char *text)
{
	WORKS(initdata_read(d, slice_str(text), &e));
}

TEST(measure_initdata_digest_is_of_the_raw_bytes)
{
	static const char *const texts[] = { (TOP "[data]\n"), (TOP "[data]\n\n"), ("# x\r\n" TOP), "algorithm='sha256' # why\n\"version\" = '1'" };

	for (size_t i = 0; i < 4; i++) {
		AUTO_INITDATA d = { 0 };
		uint8_t want[32], pcr[32], both[64] = { 0 };

		read_text(&d, texts[i]);
		WORKS(hash_of(want, HASH_SHA256, slice_str(texts[i]), &e));
		EQ(d.alg, HASH_SHA256);
		MEM(d.digest, want, 32);
		memcpy(both + 32, want, 32);
		WORKS(hash_of(want, HASH_SHA256, slice_of(both, 64), &e));
		OK(initdata_pcr8(pcr, &d));
		MEM(pcr, want, 32);
	}
}

TEST(measure_initdata_that_does_not_say_how_is_refused)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "", "no 'algorithm'" }, { "version = \"1\"\n", "no 'algorithm'" }, { "algorithm = \"sha256\"\n", "no 'version'" },
		{ "version = \"1\"\n[data]\nalgorithm = \"sha256\"\n", "no 'algorithm'" }, { TOP "algorithm = \"sha384\"\n", "twice" },
		{ "version = \"1\"\nalgorithm = \"sha-256\"\n", "known are" }, { "version = \"1\"\nalgorithm = \"md5\"\n", "known are" },
		{ "version = 1\n", "line 1" }, { "version = \"1\nalgorithm = \"sha256\"\n", "line 1" }, { "x = '''\nalgorithm = \"sha256\"\n'''\n", "line 1" },
		{ "version = \"1\\n\"\n", "line 1" }, { "version = \"1\" junk\n", "line 1" }
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_INITDATA d = { 0 };
		struct err e = { 0 };

		OK(initdata_read(&d, slice_str(rows[i].text), &e) == -1);
		EQ(e.code, EC_FORMAT);
		HAS(e.msg, rows[i].why);
		OK(!initdata_looks_like(slice_str(rows[i].text)));
	}
}

TEST(measure_initdata_fields_are_cut_or_padded)
{
	AUTO_INITDATA d = { 0 };
	uint8_t f[64], zero[64] = { 0 };

	read_text(&d, "version = \"1\"\nalgorithm = \"sha384\"\n");
	initdata_field(f, 32, &d);
	MEM(f, d.digest, 32);
	initdata_field(f, 64, &d);
	MEM(f, d.digest, 48);
	MEM(f + 48, zero, 16);
	OK(!initdata_pcr8(f, &d));
}

#define C "trustee/constructed/"

TEST(vectors_initdata_has_its_digests_in_every_form)
{
	static const char *const files[] = { C "initdata.toml", C "initdata.toml.gz.b64", C "initdata-device.img" };
	AUTO_BUF text = { 0 };
	AUTO_JSON *want = NULL;

	NEED_VECTORS;
	load_vec(&text, C "initdata-digests.json");
	WORKS(json_parse(&want, buf_view(&text), 1 << 16, &e));
	for (size_t i = 0; i < 3; i++) {
		AUTO_BUF b = { 0 };
		AUTO_INITDATA d = { 0 };
		AUTO_JSON *got = json_object();

		load_vec(&b, files[i]);
		OK(initdata_looks_like(buf_view(&b)));
		WORKS(initdata_read(&d, buf_view(&b), &e));
		WORKS(initdata_json(got, &d, &e));
		STR(json_string(json_get(got, "algorithm")), json_string(json_get(want, "declared")));
		STR(json_string(json_get(got, "digest")), json_string(json_get(want, "sha384")));
		STR(json_string(json_get(got, "snp_host_data")), json_string(json_get(want, "snp_host_data_32")));
		STR(json_string(json_get(got, "tdx_mr_config_id")), json_string(json_get(want, "tdx_mr_config_id_48")));
		STR(json_string(json_get(got, "cca_rpv")), json_string(json_get(want, "cca_rpv_64")));
		OK(json_is_null(json_get(got, "tpm_pcr8")));
		d.alg = HASH_SHA256;	/* what PCR 8 would be if it said sha256 */
		WORKS(hash_of(d.digest, HASH_SHA256, buf_view(&d.toml), &e));
		{
			AUTO_BUF hex = { 0 };
			uint8_t pcr[32];

			OK(initdata_pcr8(pcr, &d));
			buf_hex(&hex, slice_of(pcr, 32));
			STR(buf_cstr(&hex), json_string(json_get(want, "tpm_pcr8_if_sha256_declared")));
		}
	}
}
