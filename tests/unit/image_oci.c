/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts and archives: every digest down to the layers, and everything that may stand in the way. */

#include <sys/stat.h>
#include <unistd.h>

#include "base/outfile.h"
#include "image/content.h"
#include "image_make.h"
#include "test.h"

#define ANYTHING "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}"

static const char *check_result(const struct trial_run *r, const char *id)
{
	for (const struct json *c = json_first(r->out.checks); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return json_string(json_get(c, "result"));
	return "";
}

static void put(const struct made *m, const char *name, struct slice data)
{
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", m->dir, name);
	WORKS(outfile_write(path, data, 0644, true, &e));
}

static void blob_path(char ret[static 1024], const struct made *m, const struct digest *d)
{
	snprintf(ret, 1024, "%s/blobs/sha256/%s", m->dir, d->hex);
}

static void wants(const struct made *m, struct trial_run *r, int code, const char *text)
{
	struct err e = { 0 };
	const int rc = made_verify(r, m, &e);

	if (code ? rc != -1 || (int)e.code != code : rc)
		test_fail(__FILE__, __LINE__, "rc %d code %d '%s', wanted %d", rc, e.code, e.msg, code);
	else if (code)
		HAS(e.msg, text);
}

TEST(image_good_layout_is_accepted_and_each_digest_is_reported)
{
	AUTO_MADE m;
	AUTO_RUN r = { .ref = ":v1", .policy = ANYTHING };

	make_layout(&m);
	make_image(&m, "v1");
	make_index(&m);
	wants(&m, &r, 0, NULL);
	STR(verified_image_manifest(r.v)->text, m.manifest.text);
	STR(check_result(&r, "image.manifest"), "pass");
	STR(check_result(&r, "image.config"), "pass");
	STR(check_result(&r, "image.layer"), "pass");
	STR(check_result(&r, "image.diff_id"), "pass");
	STR(check_result(&r, "image.policy"), "warn");
	OK(verified_image_unsigned(r.v));
}

TEST(image_every_flipped_or_cut_blob_is_refused)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	const struct digest *all[4];

	make_layout(&m);
	make_image(&m, NULL);
	make_index(&m);
	all[0] = &m.manifest, all[1] = &m.config, all[2] = &m.layer[0], all[3] = &m.layer[1];
	for (int i = 0; i < 4; i++) {
		AUTO_BUF good = { 0 }, bad = { 0 };
		char path[1024];

		blob_path(path, &m, all[i]);
		load(&good, path);
		for (size_t at = 0; at < good.n; at += 1 + good.n / 7) {
			good.p[at] ^= 1;
			WORKS(outfile_write(path, buf_view(&good), 0644, true, &e));
			good.p[at] ^= 1;
			wants(&m, &r, EC_REFUSED, "has the content of");
		}
		WORKS(outfile_write(path, slice_of(good.p, good.n - 1), 0644, true, &e));
		wants(&m, &r, EC_REFUSED, "descriptor says");
		buf_slice(&bad, buf_view(&good));
		buf_byte(&bad, 0);
		WORKS(outfile_write(path, buf_view(&bad), 0644, true, &e));
		wants(&m, &r, EC_REFUSED, "descriptor says");
		OK(!unlink(path));
		wants(&m, &r, EC_FORMAT, "cannot open");
		WORKS(outfile_write(path, buf_view(&good), 0644, true, &e));
	}
	wants(&m, &r, 0, NULL);
}

/* A manifest around the given layers and configuration text. */
static void custom(struct made *m, const char *config, const char *config_type, const char *layers)
{
	AUTO_BUF b = { 0 };

	make_layout(m);
	make_blob(&m->config, m, slice_str(config));
	buf_printf(&b, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu},"
		   "\"layers\":[%s]}", MT_OCI_MANIFEST, config_type, m->config.text, strlen(config), layers);
	make_blob(&m->manifest, m, buf_view(&b));
	make_entry(m, MT_OCI_MANIFEST, &m->manifest, b.n, NULL);
	make_index(m);
}

static void one_layer(struct made *m, struct slice blob, const char *type, const char *diff)
{
	AUTO_BUF config = { 0 }, layer = { 0 };
	struct made probe;
	struct digest d;

	make_layout(&probe);
	WORKS(digest_of(&d, HASH_SHA256, blob, &e));
	buf_printf(&config, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}", diff);
	buf_printf(&layer, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", type, d.text, blob.n);
	custom(m, buf_cstr(&config), "application/vnd.oci.image.config.v1+json", buf_cstr(&layer));
	make_blob(&m->layer[0], m, blob);
}

#define T_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define T_PLAIN "application/vnd.oci.image.layer.v1.tar"
#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"	/* "hello" */
#define ZEROS "sha256:0000000000000000000000000000000000000000000000000000000000000000"

TEST(image_diff_id_is_that_of_the_uncompressed_layer)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	AUTO_BUF gz = { 0 };

	make_gzip(&gz, SLICE("hello"));
	one_layer(&m, buf_view(&gz), T_GZIP, HELLO);
	wants(&m, &r, 0, NULL);
	made_free(&m);
	one_layer(&m, buf_view(&gz), T_GZIP, ZEROS);
	wants(&m, &r, EC_REFUSED, "the configuration says");
	STR(check_result(&r, "image.diff_id"), "fail");
	made_free(&m);
	one_layer(&m, buf_view(&gz), T_PLAIN, HELLO);	/* mislabelled: the bytes decide, with a warning */
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.layer_type"), "warn");
	made_free(&m);
	one_layer(&m, SLICE("hello"), T_GZIP, HELLO);
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.layer_type"), "warn");
}

TEST(image_corrupt_gzip_with_a_right_digest_is_malformed)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	AUTO_BUF gz = { 0 };

	make_gzip(&gz, SLICE("hello"));
	gz.p[gz.n - 5] ^= 1;	/* the CRC */
	one_layer(&m, buf_view(&gz), T_GZIP, HELLO);
	wants(&m, &r, EC_FORMAT, "corrupt");
	made_free(&m);
	gz.p[gz.n - 5] ^= 1;
	buf_byte(&gz, 'x');
	one_layer(&m, buf_view(&gz), T_GZIP, HELLO);
	wants(&m, &r, EC_FORMAT, "behind the gzip");
	made_free(&m);
	gz.n -= 5;	/* all of the content, but not all of the trailer */
	one_layer(&m, buf_view(&gz), T_GZIP, HELLO);
	wants(&m, &r, EC_FORMAT, "cut");
}

TEST(image_bombs_stop_at_the_limits)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	AUTO_BUF gz = { 0 }, zeros = { 0 };
	struct digest d;

	buf_fill(&zeros, 0, 40 << 20);
	make_gzip(&gz, buf_view(&zeros));
	WORKS(digest_of(&d, HASH_SHA256, buf_view(&zeros), &e));
	one_layer(&m, buf_view(&gz), T_GZIP, d.text);
	wants(&m, &r, EC_REFUSED, "expands more than");
	r.max_ratio = 2000;
	wants(&m, &r, 0, NULL);
	r.max_size = 39 << 20;
	wants(&m, &r, EC_REFUSED, "limit");
	made_free(&m);
	one_layer(&m, SLICE("hello"), T_PLAIN, HELLO);
	r.max_size = 4;
	wants(&m, &r, EC_REFUSED, "--max-size");
}

TEST(image_zstd_and_encrypted_layers_skip_the_diff_id_only)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	char path[1024];

	one_layer(&m, SLICE("\x28\xb5\x2f\xfdrest"), "application/vnd.oci.image.layer.v1.tar+zstd", ZEROS);
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.layer"), "pass");
	STR(check_result(&r, "image.diff_id"), "skip");
	blob_path(path, &m, &m.layer[0]);
	WORKS(outfile_write(path, SLICE("\x28\xb5\x2f\xfdREST"), 0644, true, &e));
	wants(&m, &r, EC_REFUSED, "has the content of");
	made_free(&m);
	one_layer(&m, SLICE("cipher"), T_GZIP "+encrypted", ZEROS);
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.diff_id"), "skip");
}

TEST(image_configurations_that_do_not_fit_are_refused)
{
	static const char *const t = "application/vnd.oci.image.config.v1+json";
	static const struct {
		const char *config;
		int code;
		const char *text;
	} bad[] = {
		{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" HELLO "\"]}}", EC_REFUSED, "diff_ids" },
		{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"other\",\"diff_ids\":[]}}", EC_FORMAT, "rootfs" },
		{ "{\"os\":\"linux\",\"architecture\":\"amd64\"}", EC_FORMAT, "rootfs" },
		{ "{\"os\":\"linux\",\"os\":\"linux\"}", EC_FORMAT, "configuration" },
		{ "nonsense", EC_FORMAT, "configuration" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_MADE m;
		AUTO_RUN r = { .policy = ANYTHING };

		custom(&m, bad[i].config, t, "");
		wants(&m, &r, bad[i].code, bad[i].text);
	}
}

TEST(image_another_platform_warns_and_is_refused_when_asked_for)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };

	custom(&m, "{\"os\":\"linux\",\"architecture\":\"s390x\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
	       "application/vnd.oci.image.config.v1+json", "");
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.platform"), "warn");
	r.platform = "linux/amd64";
	wants(&m, &r, EC_REFUSED, "s390x");
	r.platform = "linux/s390x";
	wants(&m, &r, 0, NULL);
}

TEST(image_artifacts_without_diff_ids_are_checked_by_digest)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	char layer[256];
	struct digest d;

	WORKS(digest_of(&d, HASH_SHA256, SLICE("weights"), &e));
	snprintf(layer, sizeof layer, "{\"mediaType\":\"application/vnd.cncf.model.weight.v1.raw\",\"digest\":\"%s\",\"size\":7}", d.text);
	custom(&m, "{}", "application/vnd.cncf.model.config.v1+json", layer);
	make_blob(&d, &m, SLICE("weights"));
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.diff_id"), "skip");
	made_free(&m);
	custom(&m, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" HELLO "\"]}}",
	       "application/vnd.oci.image.config.v1+json", layer);
	make_blob(&d, &m, SLICE("weights"));
	wants(&m, &r, EC_FORMAT, "not that of an image layer");
}

static void index_text(struct made *m, const char *manifest_json, const char *type)
{
	make_layout(m);
	make_blob(&m->manifest, m, slice_str(manifest_json));
	make_entry(m, type, &m->manifest, strlen(manifest_json), NULL);
	make_index(m);
}

TEST(image_hostile_manifests_are_refused)
{
	static const struct {
		const char *json;
		int code;
		const char *text;
	} bad[] = {
		{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[],\"config\":{}}", EC_REFUSED, "both an index and a manifest" },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"config\":{}}", EC_REFUSED, "both" },
		{ "{\"schemaVersion\":1,\"layers\":[]}", EC_FORMAT, "schemaVersion" },
		{ "{\"schemaVersion\":2}", EC_FORMAT, "neither" },
		{ "{\"schemaVersion\":2,\"schemaVersion\":2,\"layers\":[]}", EC_FORMAT, "schemaVersion" },
		{ "{\"schemaVersion\":2,\"layers\":[]} x", EC_FORMAT, "manifest" },
		{ "[]", EC_FORMAT, "not a JSON object" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" MT_DOCKER_MANIFEST "\",\"layers\":[],\"config\":{}}", EC_REFUSED, "calls itself" },
		{ "{\"schemaVersion\":2,\"mediaType\":7,\"layers\":[],\"config\":{}}", EC_FORMAT, "mediaType" },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", EC_REFUSED, "descriptor says" },
		{ "{\"schemaVersion\":2,\"layers\":{},\"config\":{}}", EC_FORMAT, "layers" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"md5:00\",\"size\":1}}", EC_FORMAT, "sha256, sha384" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"sha256:../../x\",\"size\":1}}", EC_FORMAT, "hex" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"" HELLO "\",\"size\":-1}}", EC_FORMAT, "size" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"" HELLO "\",\"size\":18446744073709551615}}", EC_FORMAT, "size" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"" HELLO "\",\"size\":9007199254740993}}", EC_FORMAT, "at most" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"" HELLO "\",\"size\":\"5\"}}", EC_FORMAT, "size" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_MADE m;
		AUTO_RUN r = { .policy = ANYTHING };

		index_text(&m, bad[i].json, MT_OCI_MANIFEST);
		wants(&m, &r, bad[i].code, bad[i].text);
	}
}

TEST(image_upper_case_digests_and_too_many_layers_are_refused)
{
	AUTO_MADE m, n;
	AUTO_RUN r = { .policy = ANYTHING };
	AUTO_BUF b = { 0 };

	index_text(&m, "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"sha256:2CF24DBA5FB0A30E26E83B2AC5B9E29E"
		   "1B161E5C1FA7425E73043362938B9824\",\"size\":5}}", MT_OCI_MANIFEST);
	wants(&m, &r, EC_FORMAT, "lower-case");
	for (int i = 0; i < 129; i++)
		buf_printf(&b, "%s{\"mediaType\":\"x\",\"digest\":\"" HELLO "\",\"size\":5}", i ? "," : "");
	custom(&n, "{}", "x", buf_cstr(&b));
	wants(&n, &r, EC_REFUSED, "129 layers");
}

/* ---- indexes -------------------------------------------------------------------------------------------------- */

static void wrap(struct made *m, const char *entries)
{
	AUTO_BUF b = { 0 };
	struct digest d;

	buf_printf(&b, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}", MT_OCI_INDEX, entries);
	make_blob(&d, m, buf_view(&b));
	buf_reset(&m->entries);
	make_entry(m, MT_OCI_INDEX, &d, b.n, NULL);
}

static void nest(struct made *m, int depth)
{
	make_layout(m);
	make_image(m, NULL);
	for (int i = 0; i < depth; i++) {
		AUTO_BUF inner = { 0 };

		buf_slice(&inner, buf_view(&m->entries));
		wrap(m, buf_cstr(&inner));
	}
	make_index(m);
}

TEST(image_indexes_nest_up_to_the_limit)
{
	AUTO_RUN r = { .policy = ANYTHING };

	for (int depth = 1; depth <= 5; depth++) {
		AUTO_MADE m;

		nest(&m, depth);
		if (depth <= INDEX_DEPTH_MAX)
			wants(&m, &r, 0, NULL);
		else
			wants(&m, &r, EC_REFUSED, "nested deeper");
	}
}

static void two_platforms(struct made *m, const char *first, const char *second)
{
	AUTO_BUF b = { 0 };

	make_layout(m);
	make_image(m, NULL);
	buf_printf(&b, "{\"mediaType\":\"%s\",\"digest\":\"" HELLO "\",\"size\":5,\"platform\":{%s}},"
		   "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu,\"platform\":{%s}}", MT_OCI_MANIFEST, first,
		   MT_OCI_MANIFEST, m->manifest.text, m->manifest_size, second);
	wrap(m, buf_cstr(&b));
	make_index(m);
}

#define P(os, arch) "\"os\":\"" os "\",\"architecture\":\"" arch "\""

TEST(image_platform_is_chosen_from_an_index)
{
	AUTO_RUN r = { .policy = ANYTHING };
	static const struct {
		const char *first, *second;
		int code;
	} cases[] = { { P("linux", "arm64"), P("linux", "amd64"), 0 }, { P("unknown", "unknown"), P("linux", "amd64"), 0 },
		      { P("linux", "amd64") ",\"variant\":\"v3\"", P("linux", "amd64"), 0 },
		      { P("linux", "arm64"), P("windows", "amd64"), EC_ABSENT },
		      { P("linux", "arm64"), P("linux", "amd64") ",\"variant\":\"v9\"", EC_ABSENT } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_MADE m;

		two_platforms(&m, cases[i].first, cases[i].second);
		wants(&m, &r, cases[i].code, "nothing for linux/amd64");
		if (!cases[i].code)
			STR(verified_image_manifest(r.v)->text, m.manifest.text);
	}
}

TEST(image_the_configuration_has_to_be_of_the_chosen_platform)
{
	AUTO_RUN r = { .policy = ANYTHING, .platform = "linux/arm64" };
	AUTO_MADE m;

	two_platforms(&m, P("linux", "amd64"), P("linux", "arm64"));	/* the image behind it says amd64 */
	wants(&m, &r, EC_REFUSED, "is for linux/amd64");
}

TEST(image_the_configuration_has_to_be_of_the_platform_that_was_chosen_unasked)
{
	AUTO_RUN r = { .policy = ANYTHING };
	AUTO_MADE m;
	AUTO_BUF b = { 0 };

	custom(&m, "{\"os\":\"linux\",\"architecture\":\"s390x\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
	       "application/vnd.oci.image.config.v1+json", "");
	OK(m.entries.n);
	buf_slice(&b, slice_of(m.entries.p, m.entries.n - 1));	/* without its closing brace */
	buf_puts(&b, ",\"platform\":{" P("linux", "amd64") "}}");
	wrap(&m, buf_cstr(&b));
	make_index(&m);
	wants(&m, &r, EC_REFUSED, "is for linux/s390x");
}

/* ---- references ------------------------------------------------------------------------------------------------ */

TEST(image_references_choose_by_tag_index_and_digest)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	char ref[256];

	make_layout(&m);
	make_image(&m, "v1");
	make_entry(&m, MT_OCI_MANIFEST, &(struct digest){ .text = HELLO }, 5, ",\"annotations\":{\"" ANN_REF_NAME "\":\"v2\"}");
	make_index(&m);
	wants(&m, &r, EC_USAGE, "several images");
	r.ref = ":v1";
	wants(&m, &r, 0, NULL);
	r.ref = ":@0";
	wants(&m, &r, 0, NULL);
	r.ref = ":v3";
	wants(&m, &r, EC_REFUSED, "no image tagged 'v3'");
	r.ref = ":@7";
	wants(&m, &r, EC_REFUSED, "no image at index 7");
	r.ref = ref;
	snprintf(ref, sizeof ref, "@%s", m.manifest.text);
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.pin"), "pass");
	snprintf(ref, sizeof ref, ":v1@%s", m.manifest.text);
	wants(&m, &r, 0, NULL);
	snprintf(ref, sizeof ref, ":v2@%s", m.manifest.text);
	wants(&m, &r, EC_REFUSED, "pins");
	r.ref = "@" ZEROS;
	wants(&m, &r, EC_REFUSED, "has no image");
}

TEST(image_two_entries_with_one_tag_are_refused)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING, .ref = ":v1" };

	make_layout(&m);
	make_image(&m, "v1");
	make_entry(&m, MT_OCI_MANIFEST, &(struct digest){ .text = HELLO }, 5, ",\"annotations\":{\"" ANN_REF_NAME "\":\"v1\"}");
	make_index(&m);
	wants(&m, &r, EC_REFUSED, "two images tagged");
}

TEST(image_a_pinned_digest_is_found_behind_an_index)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	char ref[256];

	nest(&m, 2);
	snprintf(ref, sizeof ref, "@%s", m.manifest.text);
	r.ref = ref;
	wants(&m, &r, 0, NULL);
	STR(verified_image_named(r.v)->text, m.manifest.text);
}

TEST(image_ref_texts)
{
	struct image_ref ref = { 0 };

	FAILS(image_ref_parse(&ref, "docker://alpine", &e), EC_ABSENT);
	FAILS(image_ref_parse(&ref, "docker-archive:x.tar", &e), EC_ABSENT);
	FAILS(image_ref_parse(&ref, "fit:x", &e), EC_ABSENT);
	FAILS(image_ref_parse(&ref, "alpine", &e), EC_USAGE);
	FAILS(image_ref_parse(&ref, "oci:", &e), EC_USAGE);
	FAILS(image_ref_parse(&ref, "oci::v1", &e), EC_USAGE);
	FAILS(image_ref_parse(&ref, "oci:d:", &e), EC_USAGE);
	FAILS(image_ref_parse(&ref, "oci:d:@x", &e), EC_USAGE);
	FAILS(image_ref_parse(&ref, "oci:d@sha256:12", &e), EC_USAGE);
	FAILS(image_ref_parse(&ref, "oci:d@" HELLO "0", &e), EC_USAGE);
	WORKS(image_ref_parse(&ref, "oci:a/b:v1:x@" HELLO, &e));
	STR(ref.path, "a/b");
	STR(ref.tag, "v1:x");
	STR(ref.pin.text, HELLO);
	image_ref_free(&ref);
}

TEST(image_layout_files_are_checked)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };

	make_layout(&m);
	make_image(&m, NULL);
	make_index(&m);
	put(&m, "oci-layout", SLICE("{\"imageLayoutVersion\":\"2.0.0\"}"));
	wants(&m, &r, EC_FORMAT, "imageLayoutVersion");
	put(&m, "oci-layout", SLICE("{\"imageLayoutVersion\":\"1.0.0\"}"));
	put(&m, "index.json", SLICE("{\"schemaVersion\":2,\"manifests\":[],\"manifests\":[]}"));
	wants(&m, &r, EC_FORMAT, "index.json");
	put(&m, "index.json", SLICE("{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"));
	wants(&m, &r, EC_FORMAT, "not an index");
	put(&m, "index.json", SLICE("{\"schemaVersion\":2,\"manifests\":[]}"));
	wants(&m, &r, EC_REFUSED, "no image");
}

TEST(image_symlinks_and_pipes_for_blobs_are_refused)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING };
	char path[1024], outside[1024];

	make_layout(&m);
	make_image(&m, NULL);
	make_index(&m);
	blob_path(path, &m, &m.layer[1]);
	snprintf(outside, sizeof outside, "%s.outside", m.dir);
	OK(!rename(path, outside));
	OK(!symlink(outside, path));		/* the right bytes, but not in the layout */
	wants(&m, &r, EC_REFUSED, "symlink");
	OK(!unlink(path));
	OK(!mkfifo(path, 0644));
	wants(&m, &r, EC_REFUSED, "not a regular file");
	OK(!unlink(path));
	OK(!mkdir(path, 0755));
	wants(&m, &r, EC_REFUSED, "not a regular file");
	OK(!rmdir(path));
	OK(!rename(outside, path));
	wants(&m, &r, 0, NULL);
}

/* ---- archives ----------------------------------------------------------------------------------------------------- */

static void put_archive(const struct made *m, struct slice tar)
{
	char path[1024];

	snprintf(path, sizeof path, "%s.tar", m->dir);
	WORKS(outfile_write(path, tar, 0644, true, &e));
}

TEST(image_archive_is_verified_in_place)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING, .archive = true, .ref = ":v1" };
	AUTO_BUF tar = { 0 };

	make_layout(&m);
	make_image(&m, "v1");
	make_index(&m);
	make_tar(&tar, &m);
	put_archive(&m, buf_view(&tar));
	wants(&m, &r, 0, NULL);
	STR(verified_image_manifest(r.v)->text, m.manifest.text);
	r.ref = ":v2";
	wants(&m, &r, EC_REFUSED, "no image tagged");
}

TEST(image_archive_tricks_are_refused)
{
	static const struct {
		const char *name;
		char type;
		int code;
		const char *text;
	} extra[] = { { "../evil", '0', EC_REFUSED, ".." }, { "/evil", '0', EC_REFUSED, "absolute" }, { "index.json", '0', EC_REFUSED, "two entries" },
		      { "./index.json", '2', EC_REFUSED, "two entries" }, { "oci-layout/", '5', EC_REFUSED, "two entries" },
		      { "sparse", 'S', EC_FORMAT, "sparse" } };
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING, .archive = true };
	AUTO_BUF good = { 0 };

	make_layout(&m);
	make_image(&m, NULL);
	make_index(&m);
	make_tar(&good, &m);
	for (size_t i = 0; i < sizeof extra / sizeof extra[0]; i++) {
		AUTO_BUF bad = { 0 };
		unsigned sum = 0;

		buf_slice(&bad, slice_of(good.p, 512));	/* the header of "blobs/", renamed */
		memset(bad.p, 0, 100);
		memcpy(bad.p, extra[i].name, strlen(extra[i].name));
		bad.p[156] = (uint8_t)extra[i].type;
		for (int k = 0; k < 512; k++)
			sum += k >= 148 && k < 156 ? ' ' : bad.p[k];
		snprintf((char *)bad.p + 148, 8, "%06o", sum);
		bad.p[155] = ' ';
		buf_slice(&bad, buf_view(&good));
		put_archive(&m, buf_view(&bad));
		wants(&m, &r, extra[i].code, extra[i].text);
	}
	put_archive(&m, buf_view(&good));
	wants(&m, &r, 0, NULL);
}

TEST(image_archive_blob_that_is_a_link_is_refused)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING, .archive = true };
	AUTO_BUF tar = { 0 };
	uint8_t *p = NULL;
	unsigned sum = 0;

	make_layout(&m);
	make_image(&m, NULL);
	make_index(&m);
	make_tar(&tar, &m);
	for (size_t i = 0; i + 512 <= tar.n && !p; i += 512)
		if (!memcmp(tar.p + i, "blobs/sha256/", 13) && !memcmp(tar.p + i + 13, m.layer[1].hex, 64))
			p = tar.p + i;
	OK(p);
	if (!p)
		return;
	p[156] = '2';
	memset(p + 124, '0', 11);
	memcpy(p + 157, "/etc/passwd", 11);
	memset(p + 512, 0, 512);
	memmove(p + 512, p + 1024, tar.n - (size_t)(p + 1024 - tar.p));
	tar.n -= 512;
	for (int i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	snprintf((char *)p + 148, 8, "%06o", sum);
	p[155] = ' ';
	put_archive(&m, buf_view(&tar));
	wants(&m, &r, EC_REFUSED, "not a regular file");
}

TEST(image_archive_cut_or_compressed_or_no_file_is_refused)
{
	AUTO_MADE m;
	AUTO_RUN r = { .policy = ANYTHING, .archive = true };
	AUTO_BUF good = { 0 }, gz = { 0 };

	make_layout(&m);
	make_image(&m, NULL);
	make_index(&m);
	make_tar(&good, &m);
	for (size_t n = 0; n < good.n; n += 511) {
		put_archive(&m, slice_of(good.p, n));
		wants(&m, &r, EC_FORMAT, "tar archive");
	}
	make_gzip(&gz, buf_view(&good));
	put_archive(&m, buf_view(&gz));
	wants(&m, &r, EC_FORMAT, "compressed as a whole");
}

TEST(image_a_time_limit_that_is_over_ends_the_reading)
{
	struct host host;
	AUTO_MADE m;
	struct image_ref ref = { 0 };
	AUTO_CHAIN c = { .n = 0 };
	AUTO_STORE *s = NULL;
	struct content_opts o = { .host = &host };
	struct out out = { 0 };

	host_init(&host);
	make_layout(&m);
	make_image(&m, NULL);
	make_index(&m);
	WORKS(platform_parse(&o.want, "linux/amd64", &e));
	WORKS(store_open_dir(&s, m.dir, &e));
	WORKS(chain_resolve(&c, s, &ref, &o.want, &e));
	WORKS(out_init(&out, &e));
	WORKS(content_check(&c, s, &o, &out, &e));
	host.deadline_ms = host_mono_ms() - 1;
	FAILS(content_check(&c, s, &o, &out, &e), EC_IO);
	out_free(&out);
	host_close(&host);
}

TEST(image_vectors_of_layouts)
{
	AUTO_RUN r = { .policy = ANYTHING, .ref = ":v1" };
	AUTO_MADE m = { .manifest_size = 0 };

	NEED_VECTORS;
	snprintf(m.dir, sizeof m.dir, "%s", vec("images/encrypted/plain"));
	wants(&m, &r, 0, NULL);
	STR(verified_image_manifest(r.v)->text, "sha256:25836bbdad6325a847c9fba71a6d2223458139789e931e7b488a0ef90c95b4b2");
	STR(check_result(&r, "image.diff_id"), "pass");
	snprintf(m.dir, sizeof m.dir, "%s", vec("images/encrypted/enc-jwe-rsa-pub"));
	wants(&m, &r, 0, NULL);
	STR(check_result(&r, "image.diff_id"), "skip");
}
