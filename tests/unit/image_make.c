/* SPDX-License-Identifier: Apache-2.0 */
/* See image_make.h. */

#include "image_make.h"

#include <dirent.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/outfile.h"
#include "codec/hex64.h"
#include "codec/json.h"
#include "test.h"

void made_free(struct made *m)
{
	buf_free(&m->entries);
}

static void write_file(const struct made *m, const char *name, struct slice data)
{
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", m->dir, name);
	WORKS(outfile_write(path, data, 0644, true, &e));
}

void make_layout(struct made *m)
{
	static unsigned count;
	char path[1024];

	*m = (struct made){ .manifest_size = 0 };
	snprintf(m->dir, sizeof m->dir, "%s/layout%u", tmpdir(), count++);
	OK(!mkdir(m->dir, 0755));
	snprintf(path, sizeof path, "%s/blobs", m->dir);
	OK(!mkdir(path, 0755));
	snprintf(path, sizeof path, "%s/blobs/sha256", m->dir);
	OK(!mkdir(path, 0755));
	write_file(m, "oci-layout", SLICE("{\"imageLayoutVersion\":\"1.0.0\"}"));
}

void make_blob(struct digest *ret, const struct made *m, struct slice data)
{
	char name[256];

	WORKS(digest_of(ret, HASH_SHA256, data, &e));
	snprintf(name, sizeof name, "blobs/sha256/%s", ret->hex);
	write_file(m, name, data);
}

void make_entry(struct made *m, const char *type, const struct digest *d, size_t size, const char *more)
{
	buf_printf(&m->entries, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", m->entries.n ? "," : "", type, d->text,
		   size, more ? more : "");
}

void make_index(const struct made *m)
{
	AUTO_BUF b = { 0 };

	buf_printf(&b, "{\"schemaVersion\":2,\"manifests\":[%s]}", buf_cstr(&m->entries));
	write_file(m, "index.json", buf_view(&b));
}

void make_gzip(struct buf *ret, struct slice data)
{
	z_stream z = { 0 };
	uint8_t out[65536];
	int rc;

	deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY);
	z.next_in = (z_const Bytef *)(uintptr_t)data.p;
	z.avail_in = (uInt)data.n;
	do {
		z.next_out = out;
		z.avail_out = sizeof out;
		rc = deflate(&z, Z_FINISH);
		buf_put(ret, out, sizeof out - z.avail_out);
	} while (rc == Z_OK);
	deflateEnd(&z);
}

void make_image(struct made *m, const char *tag)
{
	AUTO_BUF tar = { 0 }, gz = { 0 }, text = { 0 }, more = { 0 };
	struct digest diff[2];

	buf_puts(&tar, "first layer, whatever is in it");
	buf_fill(&tar, 0, 100000);
	make_gzip(&gz, buf_view(&tar));
	WORKS(digest_of(&diff[0], HASH_SHA256, buf_view(&tar), &e));
	make_blob(&m->layer[0], m, buf_view(&gz));
	make_blob(&m->layer[1], m, SLICE("second layer, not compressed"));
	diff[1] = m->layer[1];
	buf_printf(&text, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
		   diff[0].text, diff[1].text);
	make_blob(&m->config, m, buf_view(&text));
	buf_printf(&more, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
		   "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":["
		   "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"%s\",\"size\":%zu},"
		   "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":28}]}",
		   MT_OCI_MANIFEST, m->config.text, text.n, m->layer[0].text, gz.n, m->layer[1].text);
	make_blob(&m->manifest, m, buf_view(&more));
	m->manifest_size = more.n;
	buf_reset(&text);
	if (tag)
		buf_printf(&text, ",\"annotations\":{\"" ANN_REF_NAME "\":\"%s\"}", tag);
	make_entry(m, MT_OCI_MANIFEST, &m->manifest, more.n, buf_cstr(&text));
}

void make_payload(struct buf *ret, const char *digest, const char *name)
{
	buf_printf(ret, "{\"critical\":{\"identity\":{\"docker-reference\":\"%s\"},\"image\":{\"docker-manifest-digest\":\"%s\"},"
		   "\"type\":\"cosign container image signature\"},\"optional\":null}", name, digest);
}

void make_signature(struct made *m, const struct digest *d, struct slice payload, const struct privkey *key, enum sig_form form)
{
	AUTO_BUF sig = { 0 }, text = { 0 }, b64 = { 0 }, more = { 0 };
	struct digest blob, config, manifest;

	WORKS(sig_sign(&sig, key, form, HASH_SHA256, payload, &e));
	b64_encode(&b64, buf_view(&sig));
	make_blob(&blob, m, payload);
	make_blob(&config, m, SLICE("{}"));
	buf_printf(&text, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
		   "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":2},\"layers\":[{\"mediaType\":"
		   "\"application/vnd.dev.cosign.simplesigning.v1+json\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":"
		   "{\"dev.cosignproject.cosign/signature\":\"%s\"}}]}", MT_OCI_MANIFEST, config.text, blob.text, payload.n,
		   buf_cstr(&b64));
	make_blob(&manifest, m, buf_view(&text));
	buf_printf(&more, ",\"annotations\":{\"" ANN_REF_NAME "\":\"sha256-%s.sig\"}", d->hex);
	make_entry(m, MT_OCI_MANIFEST, &manifest, text.n, buf_cstr(&more));
}

void make_bundle_text(struct buf *ret, const struct digest *about, const struct privkey *key, enum hash h, const char *predicate)
{
	AUTO_BUF payload = { 0 }, pae = { 0 }, sig = { 0 }, p64 = { 0 }, s64 = { 0 };

	buf_printf(&payload, "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{\"sha256\":\"%s\"}}],"
		   "\"predicateType\":\"%s\",\"predicate\":{}}", about->hex,
		   predicate ? predicate : "https://sigstore.dev/cosign/sign/v1");
	buf_printf(&pae, "DSSEv1 28 application/vnd.in-toto+json %zu %s", payload.n, buf_cstr(&payload));
	WORKS(sig_sign(&sig, key, SIG_ECDSA_DER, h, buf_view(&pae), &e));
	b64_encode(&p64, buf_view(&payload));
	b64_encode(&s64, buf_view(&sig));
	buf_printf(ret, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":"
		   "{\"hint\":\"x\"}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\","
		   "\"signatures\":[{\"sig\":\"%s\"}]}}", buf_cstr(&p64), buf_cstr(&s64));
}

void make_referrer(struct made *m, const struct digest *d, struct slice bundle)
{
	AUTO_BUF text = { 0 };
	struct digest blob, config, manifest;

	make_blob(&blob, m, bundle);
	make_blob(&config, m, SLICE("{}"));
	buf_printf(&text, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
		   "\"application/vnd.oci.empty.v1+json\",\"digest\":\"%s\",\"size\":2},\"layers\":[{\"mediaType\":"
		   "\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"digest\":\"%s\",\"size\":%zu}],\"subject\":{\"mediaType\":\"%s\","
		   "\"digest\":\"%s\",\"size\":%zu}}", MT_OCI_MANIFEST, config.text, blob.text, bundle.n, MT_OCI_MANIFEST, d->text,
		   m->manifest_size);
	make_blob(&manifest, m, buf_view(&text));	/* listed nowhere: cosign save leaves it so */
}

void make_public(struct buf *ret, const struct made *m, const struct privkey *key, const char *name)
{
	AUTO_PUBKEY pub = { 0 };
	AUTO_BUF pem = { 0 };

	WORKS(privkey_public(&pub, key, &e));
	WORKS(pubkey_pem(&pem, &pub, &e));
	buf_printf(ret, "%s/%s", m->dir, name);
	write_file(m, name, buf_view(&pem));
}

/* ---- verifying -------------------------------------------------------------------------------------------------- */

static int get_file(void *arg, struct buf *ret, const char *src, size_t max, struct err *e)
{
	(void)arg;
	return file_read(ret, src, max, e);
}

void made_verify_done(struct trial_run *r)
{
	verified_image_free(r->v);
	r->v = NULL;
	out_free(&r->out);
	r->out = (struct out){ 0 };
}

int made_verify(struct trial_run *r, const struct made *m, struct err *e)
{
	struct host host;
	struct image_verify_in in = { .has_policy = r->policy != NULL, .policy = slice_str(r->policy), .keys = &r->key,
				      .n_keys = r->key ? 1 : 0, .getter = { get_file, NULL }, .ignore_tlog = r->ignore_tlog,
				      .platform_asked = r->platform != NULL, .max_size = r->max_size, .max_ratio = r->max_ratio };
	char text[1024];
	int rc;

	host_init(&host);
	in.host = &host;
	made_verify_done(r);
	snprintf(text, sizeof text, "%s:%s%s%s", r->archive ? "oci-archive" : "oci", m->dir, r->archive ? ".tar" : "",
		 r->ref ? r->ref : "");
	if (platform_parse(&in.platform, r->platform ? r->platform : "linux/amd64", e) || image_ref_parse(&in.ref, text, e) ||
	    out_init(&r->out, e))
		return -1;
	rc = image_verify(&r->v, &in, &r->out, e);
	image_ref_free(&in.ref);
	host_close(&host);
	OK((rc == 0) == (r->v != NULL));
	return rc;
}

/* ---- archives ----------------------------------------------------------------------------------------------------- */

static void tar_header(struct buf *b, const char *name, size_t size, char type)
{
	uint8_t *p = buf_grow(b, 512);
	unsigned sum = 0;

	memcpy(p, name, strlen(name));
	memcpy(p + 100, "0000644\0000000000\0000000000", 24);
	snprintf((char *)p + 124, 12, "%011o", (unsigned)size);
	memcpy(p + 136, "00000000000", 12);
	p[156] = (uint8_t)type;
	memcpy(p + 257, "ustar\00000", 8);
	for (int i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	snprintf((char *)p + 148, 8, "%06o", sum);
	p[155] = ' ';
}

static void tar_file(struct buf *b, const struct made *m, const char *name)
{
	AUTO_BUF data = { 0 };
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", m->dir, name);
	load(&data, path);
	tar_header(b, name, data.n, '0');
	buf_slice(b, buf_view(&data));
	buf_fill(b, 0, (512 - data.n % 512) % 512);
}

void make_tar(struct buf *ret, const struct made *m)
{
	char path[1024];
	DIR *dir;
	struct dirent *entry;

	tar_header(ret, "blobs/", 0, '5');
	snprintf(path, sizeof path, "%s/blobs/sha256", m->dir);
	dir = opendir(path);
	OK(dir);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "blobs/sha256/%s", entry->d_name);
		tar_file(ret, m, path);
	}
	if (dir)
		closedir(dir);
	tar_file(ret, m, "oci-layout");
	tar_file(ret, m, "index.json");
	buf_fill(ret, 0, 1024);
}
