/* SPDX-License-Identifier: Apache-2.0 */
/* Is an SNP report genuine, and does it say what was expected?  The order is that of cpu-tee.md 3.9. */

#include <ctype.h>

#include "base/cursor.h"
#include "codec/hex64.h"
#include "crypto/sig.h"
#include "tee/snp.h"
#include "tee/snp_roots.h"
#include "tee/snp_vek.h"
#include "tee/tsm.h"

#define TABLE_CERTS_MAX 8		/* candidates out of the evidence that are looked at */
#define GIVEN_CERTS_MAX 64		/* and of those the caller gave: whoever sends evidence cannot crowd them out */

struct subject {
	struct snp_report r;
	struct cert_list certs;		/* from the evidence: VCEK, VLEK, ASK; the ARK in there is never looked at */
	struct buf cert_trouble;	/* why one of them could not be read */
	const struct cert *vek;		/* set by snp.vek */
	bool vek_signs;			/* the report's signature holds by its key */
	struct snp_vek v;
};

static const struct snp_roots *roots_of(const struct expect *x)
{
	return x->snp_roots ? x->snp_roots : &snp_roots_amd;
}

/* --- the report itself ---------------------------------------------------------------------------------- */

static enum outcome check_version(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const uint32_t v = s->r.version;

	buf_printf(&f->expected, "%u to 5", x->limits->min_report_version);
	f->source = x->limits->source;
	if (v > 5 && v >= x->limits->min_report_version) {
		buf_printf(&f->actual, "%u", v);
		buf_puts(&f->hint, "newer than this program: what version 5 defines was read, nothing else");
		return WARNED;
	}
	return found_u64(f, v >= x->limits->min_report_version && v >= 2, NULL, v);
}

static enum outcome check_reserved(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const long at = snp_reserved_set(&s->r);

	(void)x;
	buf_puts(&f->expected, "zero");
	if (at >= 0) {
		buf_printf(&f->actual, "byte 0x%lx is 0x%02x", (unsigned long)at, s->r.raw[at]);
		return WARNED;
	}
	if (s->r.flags >> 5) {
		buf_printf(&f->actual, "flags are 0x%x", s->r.flags);
		return WARNED;
	}
	return found(f, true, NULL, "zero");
}

/* --- the key that signed ----------------------------------------------------------------------------------- */

static bool signs(const struct cert *c, const struct snp_report *r)
{
	uint8_t sig[96];
	struct err e = { 0 };
	AUTO_PUBKEY k = { 0 };

	return snp_signature(sig, r) && !cert_public(&k, c, &e) && k.type == KEY_EC_P384 &&
	       !sig_verify_msg(&k, SIG_ECDSA_RAW, HASH_SHA384, slice_of(r->raw, SNP_SIGNED_SIZE), slice_of(sig, sizeof sig), &e);
}

struct choice {
	const struct cert *best;
	bool signs;		/* of the best one */
	int score;
	size_t seen, wrong_kind;
};

/* AMD issues a certificate again with the same key and new dates, so several can fit: the one that is valid now
 * wins. */
static void consider(struct choice *ch, const struct cert *c, size_t max, const struct subject *s, const struct expect *x)
{
	struct err e = { 0 };
	bool vlek, signed_by;
	int score;

	if (!snp_vek_recognise(c, &vlek) || ch->seen >= max)
		return;
	ch->seen++;
	if (vlek != (snp_signing_key(&s->r) == SNP_KEY_VLEK)) {
		ch->wrong_kind++;
		return;
	}
	signed_by = signs(c, &s->r);
	score = 1 + (signed_by ? 2 : 0) + (cert_dates(c, x->now, &e) == 0);
	if (score > ch->score) {
		ch->best = c;
		ch->signs = signed_by;
		ch->score = score;
	}
}

static void hint_where(struct finding *f, const struct snp_report *r)
{
	const char *product = snp_product_name(r->product);
	const struct snp_tcb t = snp_tcb_at(r, SNP_TCB_REPORTED);

	if (snp_signing_key(r) == SNP_KEY_VLEK) {
		buf_puts(&f->hint, "a VLEK comes only from the host's certificate table: collect again, or ask the cloud provider");
		return;
	}
	if (snp_chip_id_masked(r)) {
		buf_puts(&f->hint, "the host masks the chip id, so the VCEK can only come from the host's operator");
		return;
	}
	buf_printf(&f->hint, "give it with --certs; AMD has it at https://kdsintf.amd.com/vcek/v1/%s/", product ? product : "PRODUCT");
	buf_hex(&f->hint, snp_chip_id(r));
	buf_puts(&f->hint, "?");
	if (t.v[TCB_FMC] >= 0)
		buf_printf(&f->hint, "fmcSPL=%02d&", t.v[TCB_FMC]);
	buf_printf(&f->hint, "blSPL=%02d&teeSPL=%02d&snpSPL=%02d&ucodeSPL=%02d", t.v[TCB_BOOTLOADER], t.v[TCB_TEE],
		   t.v[TCB_SNP], t.v[TCB_MICROCODE]);
}

static enum outcome check_vek(void *p, const struct expect *x, struct finding *f)
{
	struct subject *s = p;
	const enum snp_key key = snp_signing_key(&s->r);
	const char *name = key == SNP_KEY_VLEK ? "VLEK" : "VCEK";
	struct choice ch = { 0 };
	struct err e = { 0 };

	if (key != SNP_KEY_VCEK && key != SNP_KEY_VLEK) {
		buf_printf(&f->actual, key == SNP_KEY_NONE ? "the report is not signed" : "signing key %d", (int)key);
		return found(f, false, "a report signed by a VCEK or VLEK", NULL);
	}
	for (size_t i = 0; x->given && i < x->given->certs.n; i++)
		consider(&ch, &x->given->certs.v[i], GIVEN_CERTS_MAX, s, x);
	ch.seen = 0;
	for (size_t i = 0; i < s->certs.n; i++)
		consider(&ch, &s->certs.v[i], TABLE_CERTS_MAX, s, x);
	buf_printf(&f->expected, "a %s certificate", name);
	if (!ch.best) {
		buf_puts(&f->actual, ch.wrong_kind ? "only one of the other kind" : s->cert_trouble.n ? buf_cstr(&s->cert_trouble) : "none");
		hint_where(f, &s->r);
		return FAILED;
	}
	if (snp_vek_parse(&s->v, ch.best, &e))
		return found(f, false, NULL, e.msg);
	s->vek = ch.best;
	s->vek_signs = ch.signs;
	cert_name(&f->actual, ch.best->subject, &e);
	if (s->v.csp.n) {	/* a VLEK is as good as the provider that holds it */
		buf_puts(&f->actual, ", provider ");
		buf_slice(&f->actual, s->v.csp);
	}
	return PASSED;
}

static enum outcome check_product(void *p, const struct expect *x, struct finding *f)
{
	struct subject *s = p;
	const char *ours, *theirs;

	if (s->r.version < 3)	/* it does not name its CPU: the certificate does */
		s->r.product = s->v.issuer;
	ours = snp_product_name(s->r.product);
	theirs = snp_product_name(s->v.product);
	if (!ours || !snp_root_of(roots_of(x), s->r.product)) {
		if (s->r.version >= 3)
			buf_printf(&f->actual, "CPU family %02xh model %02xh", s->r.family, s->r.model);
		return found(f, false, "a product whose root is built in (Milan, Genoa, Turin)", NULL);
	}
	buf_printf(&f->expected, "%s in the report, the certificate and its issuer", ours);
	buf_printf(&f->actual, "certificate %s, issuer %s", theirs ? theirs : "unknown",
		   s->v.issuer ? snp_product_name(s->v.issuer) : "unknown");
	return s->v.product == s->r.product && s->v.issuer == s->r.product && s->v.issuer_vlek == s->v.vlek ? PASSED : FAILED;
}

static int load_root(struct cert_list *ret, const struct snp_root *root, bool vlek, struct err *e)
{
	uint8_t key[32];

	if (certs_parse(ret, slice_str(root->ark), e) || certs_parse(ret, slice_str(vlek ? root->asvk : root->ask), e))
		return err_ctx(e, "built-in root");
	if (cert_key_sha256(key, &ret->v[0], e))
		return -1;
	if (ret->n != 2 || memcmp(key, root->ark_key, sizeof key))
		return err_set(e, EC_BUG, "built-in root has another key than the one pinned");
	return 0;
}

/* ARK by itself, intermediate by ARK, VEK by intermediate; names, constraints and dates each time. */
static int chain_holds(const struct cert *vek, const struct cert *mid, const struct cert *ark, int64_t now, struct err *e)
{
	if (cert_issued(ark, ark, now, e))
		return err_ctx(e, "ARK");
	if (cert_issued(mid, ark, now, e))
		return err_ctx(e, "intermediate");
	if (cert_issued(vek, mid, now, e))
		return -1;
	if (vek->is_ca)
		return err_set(e, EC_REFUSED, "the report's certificate claims to be a CA");
	return 0;
}

/* AMD may issue a new intermediate under the same ARK: one that was given is as good as the built-in one if the ARK
 * signed it and its name
 * is the built-in one's (so an ASK never stands in for an ASVK). */
static int try_given(const struct cert_list *given, const struct cert *vek, const struct cert_list *root, int64_t now)
{
	struct err e = { 0 };

	for (size_t i = 0; given && i < given->n && i < TABLE_CERTS_MAX; i++)
		if (given->v[i].is_ca && slice_eq(given->v[i].subject, root->v[1].subject) &&
		    !slice_eq(given->v[i].der, root->v[1].der) &&
		    !chain_holds(vek, &given->v[i], &root->v[0], now, &e))
			return 0;
	return -1;
}

static enum outcome check_chain(void *p, const struct expect *x, struct finding *f)
{
	struct subject *s = p;
	const struct snp_root *root = snp_root_of(roots_of(x), s->r.product);
	AUTO_CERTS c = { 0 };
	struct err e = { 0 };

	buf_printf(&f->expected, "%s signed by %s-%s under the pinned ARK-%s, all valid at the time of verification",
		   s->v.vlek ? "VLEK" : "VCEK", s->v.vlek ? "ASVK" : "ASK", snp_product_name(s->r.product),
		   snp_product_name(s->r.product));
	if (!root || load_root(&c, root, s->v.vlek, &e))
		return found(f, false, NULL, e.msg);
	if (chain_holds(s->vek, &c.v[1], &c.v[0], x->now, &e) && try_given(x->given ? &x->given->certs : NULL, s->vek, &c, x->now) &&
	    try_given(&s->certs, s->vek, &c, x->now)) {
		if (e.hint[0])
			buf_puts(&f->hint, e.hint);
		return found(f, false, NULL, e.msg);
	}
	return found(f, true, NULL, "holds");
}

static enum outcome check_crl(void *p, const struct expect *x, struct finding *f)
{
	(void)p;
	(void)x;
	buf_puts(&f->hint, "no revocation list was looked at: this version reads none");
	return NOT_ASKED;
}

static enum outcome check_signature(void *p, const struct expect *x, struct finding *f)
{
	struct subject *s = p;
	uint8_t sig[96];

	(void)x;
	buf_puts(&f->expected, "ECDSA P-384 with SHA-384 by the certificate's key");
	if (s->r.sig_algo != 1) {
		buf_printf(&f->actual, "signature algorithm %u", s->r.sig_algo);
		return FAILED;
	}
	if (!snp_signature(sig, &s->r))
		return found(f, false, NULL, "bytes behind a 48-byte number are not zero");
	if (s->vek_signs)
		return found(f, true, NULL, "holds");
	buf_puts(&f->hint, "is the certificate for this chip and its reported TCB, and the report unchanged?");
	return found(f, false, NULL, "does not hold");
}

/* --- what the certificate says against what the report says ---------------------------------------------------- */

static enum outcome check_tcb_certificate(void *p, const struct expect *x, struct finding *f)
{
	struct subject *s = p;
	const struct snp_tcb t = snp_tcb_at(&s->r, SNP_TCB_REPORTED);
	const struct snp_tcb c = { { s->v.spl[0], s->v.spl[1], s->v.spl[2], s->v.spl[3], s->v.spl[4] } };
	bool same = !s->v.spare_set;

	(void)x;
	for (size_t i = 0; i < TCB_PARTS; i++)
		same &= c.v[i] == t.v[i];
	snp_tcb_text(&f->expected, &t);
	snp_tcb_text(&f->actual, &c);
	if (s->v.spare_set)
		buf_puts(&f->actual, ", and a spare part that is not zero");
	return same ? PASSED : FAILED;
}

static enum outcome check_chip_certificate(void *p, const struct expect *x, struct finding *f)
{
	struct subject *s = p;
	const struct slice id = snp_chip_id(&s->r);

	(void)x;
	if (s->v.vlek) {
		buf_puts(&f->hint, "a VLEK stands for a provider, not for a chip");
		return NOT_ASKED;
	}
	if (snp_chip_id_masked(&s->r)) {
		buf_puts(&f->actual, "chip id masked by the host");
		buf_puts(&f->hint, "the report cannot be bound to a chip");
		return WARNED;
	}
	buf_hex(&f->expected, id);
	buf_hex(&f->actual, s->v.hwid);
	if (s->v.hwid.n == 0)
		buf_puts(&f->actual, "no hardware id");
	return slice_eq(id, s->v.hwid) ? PASSED : FAILED;
}

static bool tcb_at_least(const struct snp_tcb *a, const int floor[static TCB_PARTS])
{
	for (size_t i = 0; i < TCB_PARTS; i++)
		if (a->v[i] < floor[i])
			return false;
	return true;
}

/* reported <= committed <= current.  That they differ is normal: provisional firmware. */
static enum outcome check_tcb_order(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const struct snp_tcb r = snp_tcb_at(&s->r, SNP_TCB_REPORTED), co = snp_tcb_at(&s->r, SNP_TCB_COMMITTED),
			     cu = snp_tcb_at(&s->r, SNP_TCB_CURRENT);

	(void)x;
	buf_puts(&f->expected, "reported <= committed <= current");
	snp_tcb_text(&f->actual, &r);
	buf_puts(&f->actual, "; ");
	snp_tcb_text(&f->actual, &co);
	buf_puts(&f->actual, "; ");
	snp_tcb_text(&f->actual, &cu);
	return tcb_at_least(&co, r.v) && tcb_at_least(&cu, co.v) ? PASSED : FAILED;
}

/* --- what the policy wants -------------------------------------------------------------------------------------- */

static enum outcome check_tcb_min(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const struct snp_tcb r = snp_tcb_at(&s->r, SNP_TCB_REPORTED);
	const int *floor = x->limits->min_tcb[TCB_REPORTED][TCB_ANY];
	struct snp_tcb want;
	bool any = false;

	for (size_t i = 0; i < TCB_PARTS; i++) {
		want.v[i] = floor[i];
		any |= floor[i] >= 0;
	}
	if (!any) {
		buf_puts(&f->hint, "the policy names no minimum");
		return NOT_ASKED;
	}
	f->source = x->limits->source;
	buf_puts(&f->expected, "at least ");
	snp_tcb_text(&f->expected, &want);
	snp_tcb_text(&f->actual, &r);
	if (!tcb_at_least(&r, floor))
		buf_puts(&f->hint, "the machine's firmware or microcode is older than the policy allows, or not committed yet");
	return tcb_at_least(&r, floor) ? PASSED : FAILED;
}

static enum outcome check_debug(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const bool on = s->r.policy & SNP_POLICY_DEBUG;

	f->source = x->limits->source;
	if (on && x->limits->allow_debug) {
		buf_puts(&f->hint, "the host can read this guest's memory; the policy allows it");
		found(f, true, "off", "on");
		return WARNED;
	}
	if (on)
		buf_puts(&f->hint, "the host can read this guest's memory: start it without the debug policy bit");
	return found(f, !on, "off", on ? "on" : "off");
}

static enum outcome check_migrate(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const bool on = s->r.policy & SNP_POLICY_MIGRATE;

	f->source = x->limits->source;
	if (on && x->limits->allow_migrate) {
		found(f, true, "off", "on");
		return WARNED;
	}
	return found(f, !on, "off", on ? "on: a migration agent may move this guest" : "off");
}

/* Bit 17 is always one; and what the guest demanded of the platform has to be there. */
static enum outcome check_policy_consistent(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const uint64_t want = s->r.policy, have = s->r.platform;

	(void)x;
	buf_puts(&f->expected, "bit 17 set, and the platform as the guest's policy demands");
	buf_printf(&f->actual, "guest policy 0x%llx, platform 0x%llx", (unsigned long long)want, (unsigned long long)have);
	if (!(want & SNP_POLICY_RESERVED_ONE))
		return FAILED;
	if (want & SNP_POLICY_RAPL_DIS && !(have & SNP_PLATFORM_RAPL_DIS))
		return FAILED;
	if (want & SNP_POLICY_CIPHERTEXT_HIDING && !(have & SNP_PLATFORM_CIPHERTEXT_HIDING))
		return FAILED;
	return PASSED;
}

static enum outcome check_vmpl(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;

	f->source = x->limits->source;
	buf_printf(&f->expected, "at most %u", x->limits->vmpl_max);
	if (s->r.vmpl == SNP_VMPL_HOST)
		return found(f, false, NULL, "requested by the host, not by the guest");
	return found_u64(f, s->r.vmpl <= x->limits->vmpl_max, NULL, s->r.vmpl);
}

static enum outcome check_report_data(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	uint8_t want[64] = { 0 };

	buf_hex(&f->actual, snp_report_data(&s->r));
	if (x->report_data.n == 0 || x->report_data.n > sizeof want) {
		buf_puts(&f->expected, "a nonce to compare with");
		buf_puts(&f->hint, "without one the report may be an old one: give --nonce, or --insecure-no-nonce");
		return x->no_freshness && x->report_data.n == 0 ? WARNED : FAILED;
	}
	memcpy(want, x->report_data.p, x->report_data.n);
	buf_hex(&f->expected, slice_of(want, sizeof want));
	if (!slice_eq(snp_report_data(&s->r), slice_of(want, sizeof want))) {
		buf_puts(&f->hint, "the report was made for another nonce: is it an old one?");
		return FAILED;
	}
	return x->no_freshness ? WARNED : PASSED;
}

static enum outcome check_measurement(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const enum outcome o = found_listed(f, &x->limits->measurements, snp_measurement(&s->r), x->limits->source);

	if (o == FAILED) {	/* people paste the wrong one of two encodings */
		buf_puts(&f->hint, "measurement in base64: ");
		b64_encode(&f->hint, snp_measurement(&s->r));
	}
	return o;
}

static enum outcome check_host_data(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;

	return found_listed(f, &x->limits->host_data, snp_host_data(&s->r), x->limits->source);
}

/* A masked chip id is no chip's, whatever the list says. */
static enum outcome check_chip_allowed(void *p, const struct expect *x, struct finding *f)
{
	const struct subject *s = p;
	const enum outcome o = found_listed(f, &x->limits->chip_ids, snp_chip_id(&s->r), x->limits->source);

	if (o == PASSED && snp_chip_id_masked(&s->r))
		return FAILED;
	return o;
}

enum { C_VERSION, C_RESERVED, C_VEK, C_PRODUCT, C_CHAIN, C_CRL, C_SIGNATURE };
#define GENUINE (NEEDS(C_CHAIN) | NEEDS(C_SIGNATURE))
static const struct check checks[] = {
	[C_VERSION] = { "snp.version", 0, CHECK_PLAIN, check_version },
	[C_RESERVED] = { "snp.reserved", 0, CHECK_PLAIN, check_reserved },
	[C_VEK] = { "snp.vek", 0, CHECK_BASE, check_vek },
	[C_PRODUCT] = { "snp.product", NEEDS(C_VEK), CHECK_BASE, check_product },
	[C_CHAIN] = { "snp.chain", NEEDS(C_PRODUCT), CHECK_BASE, check_chain },
	[C_CRL] = { "snp.crl", NEEDS(C_CHAIN), CHECK_WHERE_ASKED, check_crl },
	[C_SIGNATURE] = { "snp.signature", NEEDS(C_VEK), CHECK_BASE, check_signature },
	{ "snp.tcb.certificate", GENUINE, CHECK_BASE, check_tcb_certificate },
	{ "snp.chip_id.certificate", GENUINE, CHECK_WHERE_ASKED, check_chip_certificate },
	{ "snp.tcb.order", 0, CHECK_PLAIN, check_tcb_order },
	{ "snp.tcb.min", 0, CHECK_WHERE_ASKED, check_tcb_min },
	{ "snp.policy.debug", 0, CHECK_PLAIN, check_debug },
	{ "snp.policy.migrate", 0, CHECK_PLAIN, check_migrate },
	{ "snp.policy.consistent", 0, CHECK_PLAIN, check_policy_consistent },
	{ "snp.vmpl", 0, CHECK_PLAIN, check_vmpl },
	{ "snp.report_data", 0, CHECK_BASE, check_report_data },
	{ "snp.measurement", 0, CHECK_WHERE_ASKED, check_measurement },
	{ "snp.host_data", 0, CHECK_WHERE_ASKED, check_host_data },
	{ "snp.chip_id.allowed", 0, CHECK_WHERE_ASKED, check_chip_allowed },
};
_Static_assert(sizeof checks / sizeof checks[0] <= CHECKS_MAX, "a bit for each check");

/* --- forms in which the evidence comes ---------------------------------------------------------------------------
 * */

static void drop(void *p)
{
	struct subject *s = p;

	if (!s)
		return;
	certs_free(&s->certs);
	buf_free(&s->cert_trouble);
	free(s);
}

/* What the host handed along is unauthenticated: what cannot be read is left out, and said if it is missed. */
static void take_certs(struct subject *s, const struct snp_certs *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct err e = { 0 };

		if (t->v[i].type != SNP_CERT_VCEK && t->v[i].type != SNP_CERT_VLEK && t->v[i].type != SNP_CERT_ASK)
			continue;
		if (certs_parse(&s->certs, t->v[i].data, &e) && s->cert_trouble.n == 0)
			buf_printf(&s->cert_trouble, "%s cannot be read: %s", snp_cert_type_name(t->v[i].type), e.msg);
	}
}

static int parse_json(struct subject *s, struct slice text, struct err *e)
{
	AUTO_JSON *j = NULL;
	struct snp_certs t = { 0 };

	if (json_parse(&j, text, EVIDENCE_MAX, e) || snp_json_read(&s->r, &t, j, e))
		return err_ctx(e, "cannot read SNP evidence");
	take_certs(s, &t);
	snp_certs_free(&t);
	return 0;
}

static int parse_table(struct subject *s, struct slice table, struct err *e)
{
	struct snp_certs t = { 0 };

	if (snp_table_parse(&t, table, e))
		return -1;
	take_certs(s, &t);
	snp_certs_free(&t);
	return 0;
}

static int parse_raw(struct subject *s, struct slice raw, struct err *e)
{
	struct slice table = { 0 };

	if (raw.n > SNP_REPORT_SIZE && snp_report_looks_like(raw)) {	/* an extended report: the table follows */
		table = slice_of(raw.p + SNP_REPORT_SIZE, raw.n - SNP_REPORT_SIZE);
		raw.n = SNP_REPORT_SIZE;
	}
	if (snp_report_parse(&s->r, raw, e))
		return -1;
	return table.n && parse_table(s, table, e) ? err_ctx(e, "bytes behind the report") : 0;
}

static bool is_hex_text(struct slice t)
{
	if (t.n < 8)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (!isxdigit(t.p[i]))
			return false;
	return true;
}

static int parse_any(struct subject *s, struct slice raw, struct err *e)
{
	const struct slice text = slice_trim(raw);
	AUTO_BUF bytes = { .max = EVIDENCE_MAX };

	if (text.n && text.p[0] == '{')
		return parse_json(s, text, e);
	if (!is_hex_text(text))
		return parse_raw(s, raw, e);
	if (hex_decode(&bytes, text, e))
		return err_ctx(e, "report in hex");
	return parse_raw(s, buf_view(&bytes), e);
}

static int parse(void **ret, struct slice raw, struct slice certs, struct err *e)
{
	struct subject *s = calloc(1, sizeof *s);

	if (!s)
		return err_oom(e);
	if (parse_any(s, raw, e) || (certs.n && parse_table(s, certs, e))) {
		drop(s);
		return -1;
	}
	*ret = s;
	return 0;
}

static bool recognise(struct slice raw)
{
	const struct slice text = slice_trim(raw);
	AUTO_BUF head = { 0 };
	struct err e = { 0 };

	if (snp_report_looks_like(raw))
		return true;
	return text.n >= 112 && is_hex_text(slice_of(text.p, 112)) && !hex_decode(&head, slice_of(text.p, 112), &e) &&
	       snp_report_looks_like(buf_view(&head));
}

static int claims(struct json *to, const void *p, struct err *e)
{
	return snp_claims(to, &((const struct subject *)p)->r, e);
}

static int details(struct json *to, const void *p, struct err *e)
{
	const struct subject *s = p;
	struct json *arr;

	if (snp_details(to, &s->r, e))
		return -1;
	if (s->certs.n == 0)
		return 0;
	arr = json_add_array(to, "certificates");
	for (size_t i = 0; i < s->certs.n; i++) {
		AUTO_BUF name = { 0 };

		if (cert_name(&name, s->certs.v[i].subject, e))
			return -1;
		json_add_str(arr, NULL, buf_cstr(&name));
	}
	return 0;
}

/* --- collecting
 * ------------------------------------------------------------------------------------------------------ */

static int collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_TSM t = { 0 };
	struct snp_report r;
	uint8_t in[TSM_INBLOB] = { 0 };

	if (rd.n > sizeof in)
		return err_set(e, EC_USAGE, "report data is %zu bytes, an SNP report takes 64", rd.n);
	if (rd.n)
		memcpy(in, rd.p, rd.n);
	if (tsm_get(&t, h, "sev_guest", in, e))
		return -1;
	if (snp_report_parse(&r, buf_view(&t.out), e))
		return err_ctx(e, "the kernel's report");
	if (!slice_eq(snp_report_data(&r), slice_of(in, sizeof in)))
		return err_set(e, EC_IO, "the report holds other report data than was asked for");
	buf_move(&ret->raw, &t.out);
	buf_move(&ret->certs, &t.aux);
	return 0;
}

static int to_trustee(struct json **ret, const struct evidence *ev, struct err *e)
{
	struct snp_report r;

	if (snp_report_parse(&r, buf_view(&ev->raw), e))
		return -1;
	return snp_json_write(ret, &r, buf_view(&ev->certs), e);
}

const struct evidence_kind evidence_snp = {
	.name = "snp",
	.title = "AMD SEV-SNP",
	.collect = collect, .to_trustee = to_trustee,
	.recognise = recognise, .parse = parse, .drop = drop, .claims = claims, .details = details,
	.measured = "/measurement", .checks = checks, .n_checks = sizeof checks / sizeof checks[0],
};
