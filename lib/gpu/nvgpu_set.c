/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of several devices in the forms it comes in: see nvgpu.h. */

#include <ctype.h>
#include <strings.h>

#include "codec/hex64.h"
#include "codec/pem.h"
#include "gpu/nvgpu_int.h"

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define CHAIN_MAX ((size_t)64 << 10)

/* --- small facts ------------------------------------------------------------------------------------------ */

static const char *const arch_words[] = { [NV_UNKNOWN] = "unknown", [NV_HOPPER] = "HOPPER", [NV_BLACKWELL] = "BLACKWELL", [NV_LS10] = "LS10" };

const char *nv_arch_word(enum nv_arch a)
{
	return arch_words[a <= NV_LS10 ? a : NV_UNKNOWN];
}

void nv_nonce_of(uint8_t ret[static 32], struct slice wanted)
{
	memset(ret, 0, 32);
	if (wanted.n)
		memcpy(ret, wanted.p, wanted.n < 32 ? wanted.n : 32);
}

bool nv_is_switch(const struct nv_device *d)
{
	return (d->arch ? d->arch : d->stated) == NV_LS10;
}

static void device_free(struct nv_device *d)
{
	certs_free(&d->chain);
	buf_free(&d->raw);
	buf_free(&d->chain_text);
}

void nv_set_free(struct nv_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		device_free(&s->v[i]);
	free(s->v);
	*s = (struct nv_set){ 0 };
}

/* --- what a report says of its device --------------------------------------------------------------------------- */

/* Version numbers, project codes: nothing that could mean something elsewhere (in a URL, a file name). */
static bool plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

static struct slice without_nuls(struct slice s)
{
	while (s.n && s.p[s.n - 1] == 0)
		s.n--;
	return s;
}

/* Text of an opaque entry; "" where there is none. */
static int read_text(char *ret, size_t max, const struct opaque *o, enum opaque_type t, struct err *e)
{
	const struct opaque_entry *x = opaque_find(o, t);
	const struct slice s = x ? without_nuls(x->data) : (struct slice){ 0 };

	if (s.n >= max || !plain(s))
		return err_set(e, EC_FORMAT, "%s in the report is no plain text of less than %zu characters", opaque_name(t), max);
	memcpy(ret, s.n ? (const char *)s.p : "", s.n);
	ret[s.n] = 0;
	return 0;
}

static int read_vbios(struct nv_device *d, struct err *e)
{
	const struct opaque_entry *x = opaque_find(&d->opaque, OPAQUE_VBIOS);
	const uint8_t *b;

	if (nv_is_switch(d) || !x)
		return read_text(d->vbios, sizeof d->vbios, &d->opaque, OPAQUE_VBIOS, e);
	if (x->data.n != 8)
		return err_set(e, EC_FORMAT, "VBIOS version in the report is %zu bytes, wanted 8", x->data.n);
	b = x->data.p;
	snprintf(d->vbios, sizeof d->vbios, "%02X.%02X.%02X.%02X.%02X", b[3], b[2], b[1], b[0], b[4]);
	return 0;
}

static enum nv_arch arch_of(const struct nv_device *d)
{
	const uint32_t word = nv_arch_number(d);

	if (word == NV_WORD_HOPPER)
		return NV_HOPPER;
	if (word == NV_WORD_BLACKWELL || word == NV_WORD_BLACKWELL_2)
		return NV_BLACKWELL;
	return !opaque_find(&d->opaque, OPAQUE_GPU_INFO) && d->report.n_blocks == NV_SWITCH_BLOCKS ? NV_LS10 : NV_UNKNOWN;
}

uint32_t nv_arch_number(const struct nv_device *d)
{
	const struct opaque_entry *x = opaque_find(&d->opaque, OPAQUE_GPU_INFO);

	return x && x->data.n >= 4 ? get_le32(x->data.p) : 0;
}

/* The ids of nvidia-gpu.md 3.2. */
static void put_version(char *ret, size_t max, const char *prefix, const char *version)
{
	size_t n = (size_t)snprintf(ret, max, "%s", prefix);

	for (; *version && n + 1 < max; version++)
		if (*version != '.')
			ret[n++] = (char)toupper((unsigned char)*version);
	ret[n] = 0;
}

static int name_rims(struct nv_device *d, struct err *e)
{
	char chip[16], project[16], project_sku[16], chip_sku[16], prefix[80];

	if (d->arch == NV_LS10) {
		put_version(d->vbios_rim, sizeof d->vbios_rim, "NV_SWITCH_BIOS_5612_0002_890_", d->vbios);
		return 0;
	}
	if (read_text(chip, sizeof chip, &d->opaque, OPAQUE_CHIP_INFO, e) || read_text(project, sizeof project, &d->opaque, OPAQUE_PROJECT, e) ||
	    read_text(project_sku, sizeof project_sku, &d->opaque, OPAQUE_PROJECT_SKU, e) ||
	    read_text(chip_sku, sizeof chip_sku, &d->opaque, OPAQUE_CHIP_SKU, e))
		return -1;
	if (d->driver[0] && d->arch == NV_HOPPER)
		snprintf(d->driver_rim, sizeof d->driver_rim, "NV_GPU_DRIVER_GH100_%s", d->driver);
	else if (d->driver[0] && d->arch == NV_BLACKWELL)
		snprintf(d->driver_rim, sizeof d->driver_rim, "NV_GPU_CC_DRIVER_%s_%s", chip[0] ? chip : "GB100", d->driver);
	snprintf(prefix, sizeof prefix, "NV_GPU_VBIOS_%s_%s_%s_", project, project_sku, chip_sku);
	for (char *p = prefix; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	if (d->vbios[0] && project[0])
		put_version(d->vbios_rim, sizeof d->vbios_rim, prefix, d->vbios);
	return 0;
}

static int read_device(struct nv_device *d, struct err *e)
{
	const struct slice chain = slice_trim(buf_view(&d->chain_text));

	if (spdm_parse(&d->report, buf_view(&d->raw), e) || opaque_parse(&d->opaque, d->report.opaque, e))
		return -1;
	d->arch = arch_of(d);
	if (read_text(d->driver, sizeof d->driver, &d->opaque, OPAQUE_DRIVER, e) || read_vbios(d, e) || name_rims(d, e))
		return -1;
	return chain.n && nvchain_parse(&d->chain, chain, e) ? -1 : 0;
}

/* --- members of JSON ------------------------------------------------------------------------------------------ */

static int read_arch(enum nv_arch *ret, const struct json *dev, struct err *e)
{
	const char *word = json_string(json_get(dev, "arch"));

	if (!json_get(dev, "arch"))
		return 0;
	for (enum nv_arch a = NV_HOPPER; word && a <= NV_LS10; a++)
		if (!strcasecmp(word, arch_words[a])) {
			*ret = a;
			return 0;
		}
	return err_set(e, EC_FORMAT, "architecture is '%.32s', this version knows HOPPER, BLACKWELL and LS10", word ? word : "(no string)");
}

static int read_bytes(struct buf *ret, const struct json *dev, const char *name, struct err *e)
{
	const struct slice text = slice_trim(slice_str(json_string(json_get(dev, name))));

	if (!json_string(json_get(dev, name)))
		return err_set(e, EC_FORMAT, "member '%s' is no string", name);
	if (pem_looks_like(text))
		buf_slice(ret, text);
	else if ((hex_is(text) ? hex_decode(ret, text, e) : b64_decode_lax(ret, text, e)) && !ret->bad)
		return err_ctx(e, "member '%s'", name);
	return ret->bad ? err_set(e, EC_FORMAT, "member '%s' is of more than %zu bytes", name, ret->max) : 0;
}

/* Unsigned words for people; what could be no such name is left out. */
static void read_word(char *ret, size_t max, const struct json *dev, const char *name)
{
	const struct slice s = slice_str(json_string(json_get(dev, name)));
	bool good = s.n < max;

	for (size_t i = 0; good && i < s.n; i++)
		good = s.p[i] > 0x20 && s.p[i] < 0x7f;
	snprintf(ret, max, "%.*s", good ? (int)s.n : 0, good && s.n ? (const char *)s.p : "");
}

static int take_json(struct nv_device *d, const struct json *dev, struct err *e)
{
	if (read_arch(&d->stated, dev, e))
		return -1;
	d->raw.max = SPDM_REPORT_MAX;
	d->chain_text.max = CHAIN_MAX;
	read_word(d->uuid, sizeof d->uuid, dev, "uuid");
	read_word(d->bdf, sizeof d->bdf, dev, "bdf");
	if (read_bytes(&d->raw, dev, "evidence", e))
		return -1;
	return json_get(dev, "certificate") && read_bytes(&d->chain_text, dev, "certificate", e) ? -1 : 0;
}

/* --- labels ------------------------------------------------------------------------------------------------------ */

static void set_label(struct nv_set *s, size_t i)
{
	const bool is_switch = nv_is_switch(&s->v[i]);
	size_t before = 0;

	for (size_t k = 0; k < i; k++)
		before += nv_is_switch(&s->v[k]) == is_switch;
	snprintf(s->v[i].label, sizeof s->v[i].label, "%s-%zu", is_switch ? "SWITCH" : "GPU", before);
}

static int finish_device(struct nv_set *s, size_t i, struct err *e)
{
	const int rc = read_device(&s->v[i], e);

	set_label(s, i);
	return rc ? err_ctx(e, "%s", s->v[i].label) : 0;
}

static int make_room(struct nv_set *s, size_t n, struct err *e)
{
	if (n == 0 || n > NV_DEVICES_MAX)
		return err_set(e, EC_FORMAT, "evidence is of %zu devices, wanted 1 to %d", n, NV_DEVICES_MAX);
	s->v = calloc(n, sizeof *s->v);
	return s->v ? 0 : err_oom(e);
}

/* --- whole forms --------------------------------------------------------------------------------------------------- */

const struct json *nv_device_list(const struct json *j)
{
	const struct json *list = json_get(j, "device_evidence_list");

	if (json_is_array(j))
		return j;
	return list ? list : json_get(j, "evidences");
}

static int parse_list(struct nv_set *s, const struct json *j, struct err *e)
{
	const struct json *list = nv_device_list(j);

	if (json_get(j, "__cmwc_t"))
		return err_set(e, EC_FORMAT, "this is evidence in CMW form, made by the FSP and judged by CoRIM manifests: not supported, collect reports of the driver");
	if (!json_is_array(list))
		return err_set(e, EC_FORMAT, "this JSON is no evidence of NVIDIA devices: neither an array nor an object with 'device_evidence_list' or 'evidences'");
	if (make_room(s, json_count(list), e))
		return -1;
	for (const struct json *dev = json_first(list); dev; dev = json_next(dev)) {
		struct nv_device *d = &s->v[s->n++];

		if (take_json(d, dev, e)) {
			set_label(s, s->n - 1);
			return err_ctx(e, "%s", d->label);
		}
		if (finish_device(s, s->n - 1, e))
			return -1;
	}
	return 0;
}

static int parse_json(struct nv_set *s, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;

	return json_parse(&j, text, EVIDENCE_MAX, e) || parse_list(s, j, e) ? -1 : 0;
}

/* One report, bytes or hex, and its chain behind it. */
static int parse_bare(struct nv_set *s, struct slice raw, struct err *e)
{
	const uint8_t *pem = raw.n ? memmem(raw.p, raw.n, PEM_BEGIN, sizeof PEM_BEGIN - 1) : NULL;
	const struct slice report = slice_of(raw.p, pem ? (size_t)(pem - raw.p) : raw.n), text = slice_trim(report);
	struct nv_device *d;

	if (make_room(s, 1, e))
		return -1;
	s->n = 1;
	d = &s->v[0];
	d->raw.max = SPDM_REPORT_MAX;
	d->chain_text.max = CHAIN_MAX;
	if (!hex_is(text))
		buf_slice(&d->raw, report);
	else if (hex_decode(&d->raw, text, e))
		return err_ctx(e, "report in hex");
	if (pem)
		buf_slice(&d->chain_text, slice_of(pem, raw.n - report.n));
	if (d->raw.bad || d->chain_text.bad)
		return err_set(e, EC_FORMAT, "evidence is %zu bytes: too much for one report of at most %zu and its chain", raw.n, SPDM_REPORT_MAX);
	return finish_device(s, 0, e);
}

int nv_set_parse(struct nv_set *ret, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);
	const bool json = text.n && (text.p[0] == '{' || text.p[0] == '[');
	struct nv_set s = { 0 };

	if (json ? parse_json(&s, text, e) : parse_bare(&s, raw, e)) {
		nv_set_free(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

static void add_word(struct json *to, const char *name, const char *value)
{
	if (value && value[0])
		json_add_str(to, name, value);
}

int nv_write(struct buf *ret, const struct nv_piece *v, size_t n, struct err *e)
{
	AUTO_JSON *list = json_array();

	if (n == 0 || n > NV_DEVICES_MAX)
		return err_set(e, EC_FORMAT, "evidence is of %zu devices, wanted 1 to %d", n, NV_DEVICES_MAX);
	for (size_t i = 0; i < n; i++) {
		struct json *dev = json_add_object(list, NULL);

		if (v[i].arch)
			json_add_str(dev, "arch", nv_arch_word(v[i].arch));
		json_add_hex(dev, "nonce", v[i].nonce);
		json_add_b64(dev, "evidence", v[i].report);
		if (v[i].chain_pem.n)
			json_add_b64(dev, "certificate", v[i].chain_pem);
		add_word(dev, "uuid", v[i].uuid);
		add_word(dev, "bdf", v[i].bdf);
		add_word(dev, "driver_version", v[i].driver);
		add_word(dev, "vbios_version", v[i].vbios);
	}
	return json_write(ret, list, false, e);
}

static void add_pieces(struct nv_piece *v, size_t *n, const struct nv_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct nv_device *d = &s->v[i];

		v[(*n)++] = (struct nv_piece){ .arch = d->stated ? d->stated : d->arch, .uuid = d->uuid, .bdf = d->bdf, .driver = d->driver,
					       .vbios = d->vbios, .nonce = d->report.nonce, .report = buf_view(&d->raw),
					       .chain_pem = buf_view(&d->chain_text) };
	}
}

static int join_sets(struct buf *ret, struct nv_set *sets, const struct slice *raw, size_t n, struct err *e)
{
	struct nv_piece v[NV_DEVICES_MAX];
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		if (nv_set_parse(&sets[i], raw[i], e))
			return -1;
		if (total + sets[i].n > NV_DEVICES_MAX)
			return err_set(e, EC_FORMAT, "evidence is of more than %d devices", NV_DEVICES_MAX);
		add_pieces(v, &total, &sets[i]);
	}
	return nv_write(ret, v, total, e);
}

int nv_join(struct buf *ret, const struct slice *raw, size_t n, struct err *e)
{
	struct nv_set *sets;
	int rc;

	if (n == 0 || n > NV_DEVICES_MAX)
		return err_set(e, EC_FORMAT, "evidence comes in %zu pieces, wanted 1 to %d", n, NV_DEVICES_MAX);
	sets = calloc(n, sizeof *sets);
	if (!sets)
		return err_oom(e);
	rc = join_sets(ret, sets, raw, n, e);
	for (size_t i = 0; i < n; i++)
		nv_set_free(&sets[i]);
	free(sets);
	return rc;
}

static struct json *trustee_of(const struct nv_set *s)
{
	struct json *j = json_object(), *list = json_add_array(j, "device_evidence_list");

	for (size_t i = 0; i < s->n; i++) {
		const struct nv_device *d = &s->v[i];
		struct json *dev = json_add_object(list, NULL);

		json_add_str(dev, "arch", nv_arch_word(d->stated ? d->stated : d->arch));
		add_word(dev, "uuid", d->uuid);
		json_add_b64(dev, "evidence", buf_view(&d->raw));
		json_add_b64(dev, "certificate", buf_view(&d->chain_text));
	}
	return j;
}

int nv_to_trustee(struct json **ret, struct slice raw, struct err *e)
{
	struct nv_set s = { 0 };

	if (nv_set_parse(&s, raw, e))
		return -1;
	*ret = trustee_of(&s);
	nv_set_free(&s);
	return *ret ? 0 : err_oom(e);
}
