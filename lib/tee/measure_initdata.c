/* SPDX-License-Identifier: Apache-2.0 */
/* Init data and its digest: see measure_initdata.h. */

#include <string.h>

#include "base/cursor.h"
#include "codec/hex64.h"
#include "codec/inflate.h"
#include "tee/measure_initdata.h"

#define PACKED_MAX ((size_t)8 << 20)
#define DEVICE_MAGIC "initdata"

void initdata_free(struct initdata *d)
{
	buf_free(&d->toml);
}

static int sink(void *arg, struct slice out, struct err *e)
{
	buf_slice(arg, out);
	return buf_check(arg, e);
}

static int unpack(struct buf *ret, struct slice gz, struct err *e)
{
	const struct inflate_limits limits = { INITDATA_MAX, 200, 1 << 20 };
	AUTO_INFLATE z = { 0 };

	return inflate_init(&z, &limits, sink, ret, e) || inflate_add(&z, gz, e) || inflate_end(&z, e) ? err_ctx(e, "init data") : 0;
}

static bool is_gzip(struct slice s)
{
	return s.n > 2 && s.p[0] == 0x1f && s.p[1] == 0x8b;
}

static bool is_device(struct slice s)
{
	return s.n >= 16 && !memcmp(s.p, DEVICE_MAGIC, 8) && get_le64(s.p + 8) <= s.n - 16 && is_gzip(slice_of(s.p + 16, (size_t)get_le64(s.p + 8)));
}

static bool is_base64(struct slice s)
{
	return s.n >= 4 && !memcmp(s.p, "H4sI", 4);	/* gzip's first three bytes */
}

static int toml_bytes(struct buf *ret, struct slice file, struct err *e)
{
	AUTO_BUF packed = { .max = PACKED_MAX };

	if (is_gzip(file))
		return unpack(ret, file, e);
	if (is_device(file))
		return unpack(ret, slice_of(file.p + 16, (size_t)get_le64(file.p + 8)), e);
	if (is_base64(file))
		return b64_decode_lax(&packed, slice_trim(file), e) ? err_ctx(e, "init data") : unpack(ret, buf_view(&packed), e);
	buf_slice(ret, file);
	return buf_check(ret, e);
}

/* "key = value # comment" of the top table: a bare or quoted key, one string on one line. */
struct pair {
	struct slice key, value;
};

static struct slice string_at(struct rd *r)
{
	const uint8_t quote = rd_u8(r);
	struct slice s = { r->p, 0 };

	if (quote != '"' && quote != '\'')
		r->bad = true;
	while (!r->bad && rd_left(r) && *r->p != quote) {
		if (*r->p == '\\' && quote == '"')
			r->bad = true;		/* none of the values that count needs an escape */
		rd_skip(r, 1);
		s.n++;
	}
	rd_skip(r, 1);
	return s;
}

static void blanks(struct rd *r)
{
	while (rd_left(r) && (*r->p == ' ' || *r->p == '\t'))
		rd_skip(r, 1);
}

static bool bare(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool pair_read(struct pair *ret, struct slice line)
{
	struct rd r = rd_of(line);

	blanks(&r);
	if (rd_left(&r) && (*r.p == '"' || *r.p == '\'')) {
		ret->key = string_at(&r);
	} else {
		ret->key = slice_of(r.p, 0);
		while (rd_left(&r) && bare(*r.p)) {
			rd_skip(&r, 1);
			ret->key.n++;
		}
	}
	blanks(&r);
	if (rd_u8(&r) != '=')
		return false;
	blanks(&r);
	ret->value = string_at(&r);
	blanks(&r);
	return !r.bad && ret->key.n && (rd_left(&r) == 0 || *r.p == '#');
}

static int take(struct initdata *d, char alg[static 16], const struct pair *p, struct err *e)
{
	char *to;
	size_t max;

	if (slice_eqs(p->key, "version")) {
		to = d->version;
		max = sizeof d->version - 1;
	} else if (slice_eqs(p->key, "algorithm")) {
		to = alg;
		max = 15;
	} else {
		return 0;
	}
	if (to[0] || p->value.n == 0 || p->value.n > max || memchr(p->value.p, 0, p->value.n))
		return err_set(e, EC_FORMAT, "init data: '%.*s' stands there twice, is empty or too long", (int)p->key.n, (const char *)p->key.p);
	memcpy(to, p->value.p, p->value.n);
	to[p->value.n] = 0;
	return 0;
}

/* Only what stands before the first table: nothing else says how to hash. */
static int head(struct initdata *d, struct err *e)
{
	struct rd r = rd_of(buf_view(&d->toml));
	char alg[16] = { 0 };
	struct slice line;
	struct pair p;

	for (size_t n = 1; rd_line(&r, &line); n++) {
		line = slice_trim(line);
		if (line.n && line.p[0] == '[')
			break;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!pair_read(&p, line))
			return err_set(e, EC_FORMAT, "init data: line %zu is not 'name = \"text\"', as all before the first table have to be", n);
		if (take(d, alg, &p, e))
			return -1;
	}
	if (!d->version[0] || !alg[0])
		return err_set(e, EC_FORMAT, "init data has no '%s' before its first table", alg[0] ? "version" : "algorithm");
	if (strcmp(alg, "sha256") && strcmp(alg, "sha384") && strcmp(alg, "sha512"))
		return err_set(e, EC_FORMAT, "init data wants algorithm '%s', known are sha256, sha384, sha512", alg);
	d->alg = hash_by_name(alg);
	return 0;
}

int initdata_read(struct initdata *ret, struct slice file, struct err *e)
{
	AUTO_INITDATA d = { .toml = { .max = INITDATA_MAX } };

	if (toml_bytes(&d.toml, file, e) || head(&d, e) || hash_of(d.digest, d.alg, buf_view(&d.toml), e))
		return -1;
	initdata_free(ret);
	*ret = d;
	d.toml = (struct buf){ 0 };
	return 0;
}

bool initdata_looks_like(struct slice file)
{
	AUTO_INITDATA d = { 0 };

	return is_device(file) || (!is_gzip(file) && file.n <= PACKED_MAX && initdata_read(&d, file, NULL) == 0);
}

void initdata_field(uint8_t *ret, size_t n, const struct initdata *d)
{
	const size_t size = hash_size(d->alg);

	memset(ret, 0, n);
	memcpy(ret, d->digest, size < n ? size : n);
}

bool initdata_pcr8(uint8_t ret[static 32], const struct initdata *d)
{
	uint8_t both[64] = { 0 };

	if (d->alg != HASH_SHA256)
		return false;
	memcpy(both + 32, d->digest, 32);
	return !hash_of(ret, HASH_SHA256, slice_of(both, sizeof both), NULL);
}

int initdata_json(struct json *to, const struct initdata *d, struct err *e)
{
	static const struct { const char *name; size_t n; } fields[] = { { "snp_host_data", 32 }, { "tdx_mr_config_id", 48 }, { "cca_rpv", 64 } };
	uint8_t v[64];

	(void)e;
	json_add_str(to, "version", d->version);
	json_add_str(to, "algorithm", hash_name(d->alg));
	json_add_hex(to, "digest", slice_of(d->digest, hash_size(d->alg)));
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		initdata_field(v, fields[i].n, d);
		json_add_hex(to, fields[i].name, slice_of(v, fields[i].n));
	}
	if (initdata_pcr8(v, d))
		json_add_hex(to, "tpm_pcr8", slice_of(v, 32));
	else
		json_add_null(to, "tpm_pcr8");
	return 0;
}
