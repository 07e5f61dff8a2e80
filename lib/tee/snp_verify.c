/* SPDX-License-Identifier: Apache-2.0 */
/* Is an SNP report genuine, and does it say what was expected?  The order is that of cpu-tee.md 3.9. */

#include "crypto/sig.h"
#include "tee/snp_int.h"

#define TABLE_CERTS_MAX 8		/* candidates out of the evidence that are looked at */
#define GIVEN_CERTS_MAX 64		/* and of those the caller gave: whoever sends evidence cannot crowd them out */

static const struct snp_roots *roots_of(const struct expect *x)
{
	return x->snp_roots ? x->snp_roots : &snp_roots_amd;
}

/* --- the report itself ---------------------------------------------------------------------------------- */

static enum outcome check_version(void *p, const struct expect *x, struct finding *f)
{
	const struct snp_subject *s = p;
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
	const struct snp_subject *s = p;

	(void)x;
	buf_puts(&f->expected, "zero");
	return snp_reserved_set(&f->actual, &s->r) ? WARNED : found(f, true, NULL, "zero");
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
static void consider(struct choice *ch, const struct cert *c, size_t max, const struct snp_subject *s, const struct expect *x)
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
	struct snp_subject *s = p;
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
	for (size_t i = 0; x->carried && i < x->carried->certs.n; i++)
		consider(&ch, &x->carried->certs.v[i], TABLE_CERTS_MAX, s, x);
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
	struct snp_subject *s = p;
	const char *ours, *theirs;

	if (s->r.version < 3)	/* it does not name its CPU: the certificate does */
		s->r.product = s->v.issuer;
	ours = snp_product_name(s->r.product);
	theirs = snp_product_name(s->v.product);
	if (!ours || !snp_root_of(roots_of(x), s->r.product)) {
		const char *cpu = snp_cpu_name(s->r.family, s->r.model);

		if (s->r.version >= 3)
			buf_printf(&f->actual, "%s%sCPU family %02xh model %02xh: product not known to this version", cpu ? cpu : "", cpu ? ", " : "",
				   s->r.family, s->r.model);
		buf_puts(&f->hint, "AMD's roots are built in for Milan, Genoa (also Bergamo and Siena) and Turin; a newer cvmbox may know more");
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

/* Intermediate by ARK, VEK by intermediate; names, constraints and dates each time.  The ARK is the pinned one, so its
 * signature by itself would show nothing. */
static int chain_holds(const struct cert *vek, const struct cert *mid, const struct cert *ark, int64_t now, struct err *e)
{
	if (cert_issued(mid, ark, now, e))
		return err_ctx(e, "intermediate");
	if (cert_issued(vek, mid, now, e))
		return -1;
	if (vek->is_ca)
		return err_set(e, EC_REFUSED, "the report's certificate claims to be a CA");
	return 0;
}

/* AMD may issue a new intermediate under the same ARK: one that was given is as good as the built-in one if the ARK
 * signed it and its name is the built-in one's (so an ASK never stands in for an ASVK). */
static const struct cert *try_given(const struct cert_list *given, const struct snp_subject *s, int64_t now)
{
	const struct cert *ark = &s->root.v[0], *own = &s->root.v[1];
	struct err e = { 0 };
	size_t tried = 0;

	for (size_t i = 0; given && i < given->n && tried < TABLE_CERTS_MAX; i++) {
		const struct cert *c = &given->v[i];

		if (!c->is_ca || !slice_eq(c->subject, own->subject) || slice_eq(c->der, own->der))
			continue;
		tried++;
		if (!chain_holds(s->vek, c, ark, now, &e))
			return c;
	}
	return NULL;
}

static const struct cert *find_mid(const struct snp_subject *s, const struct expect *x, struct err *e)
{
	const struct cert *c;

	if (!chain_holds(s->vek, &s->root.v[1], &s->root.v[0], x->now, e))
		return &s->root.v[1];
	if (x->given && (c = try_given(&x->given->certs, s, x->now)))
		return c;
	if (x->carried && (c = try_given(&x->carried->certs, s, x->now)))
		return c;
	return try_given(&s->certs, s, x->now);
}

static enum outcome check_chain(void *p, const struct expect *x, struct finding *f)
{
	struct snp_subject *s = p;
	const struct snp_root *root = snp_root_of(roots_of(x), s->r.product);
	struct err e = { 0 };

	buf_printf(&f->expected, "%s signed by %s-%s under the pinned ARK-%s, all valid at the time of verification",
		   s->v.vlek ? "VLEK" : "VCEK", s->v.vlek ? "ASVK" : "ASK", snp_product_name(s->r.product),
		   snp_product_name(s->r.product));
	certs_free(&s->root);
	if (!root || load_root(&s->root, root, s->v.vlek, &e))
		return found(f, false, NULL, e.msg);
	s->mid = find_mid(s, x, &e);
	if (!s->mid) {
		if (e.hint[0])
			buf_puts(&f->hint, e.hint);
		return found(f, false, NULL, e.msg);
	}
	return found(f, true, NULL, "holds");
}

static enum outcome check_signature(void *p, const struct expect *x, struct finding *f)
{
	struct snp_subject *s = p;
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
	if (s->r.flags & SNP_FLAG_MASK_CHIP_KEY)
		buf_puts(&f->hint, "the host has forbidden its firmware to sign with the chip's key (MASK_CHIP_KEY)");
	else
		buf_puts(&f->hint, "is the certificate for this chip and its reported TCB, and the report unchanged?");
	return found(f, false, NULL, "does not hold");
}

/* --- what the certificate says against what the report says ---------------------------------------------------- */

static enum outcome check_tcb_certificate(void *p, const struct expect *x, struct finding *f)
{
	struct snp_subject *s = p;
	const struct snp_tcb t = snp_tcb_at(&s->r, SNP_TCB_REPORTED);
	const struct snp_tcb c = { { s->v.spl[0], s->v.spl[1], s->v.spl[2], s->v.spl[3], s->v.spl[4] } };
	bool same = !s->v.spare_set && !s->v.missing[0];

	(void)x;
	for (size_t i = 0; i < TCB_PARTS; i++)
		same &= c.v[i] == t.v[i];
	snp_tcb_text(&f->expected, &t);
	snp_tcb_text(&f->actual, &c);
	if (s->v.spare_set)
		buf_puts(&f->actual, ", and a spare part that is not zero");
	if (s->v.missing[0])
		buf_printf(&f->actual, ", and extension %s is missing", s->v.missing);
	return same ? PASSED : FAILED;
}

static enum outcome check_chip_certificate(void *p, const struct expect *x, struct finding *f)
{
	struct snp_subject *s = p;
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

bool snp_tcb_at_least(const struct snp_tcb *a, const int floor[static TCB_PARTS])
{
	for (size_t i = 0; i < TCB_PARTS; i++)
		if (a->v[i] < floor[i])
			return false;
	return true;
}

/* reported <= committed <= current.  That they differ is normal: provisional firmware. */
static enum outcome check_tcb_order(void *p, const struct expect *x, struct finding *f)
{
	const struct snp_subject *s = p;
	const struct snp_tcb r = snp_tcb_at(&s->r, SNP_TCB_REPORTED), co = snp_tcb_at(&s->r, SNP_TCB_COMMITTED),
			     cu = snp_tcb_at(&s->r, SNP_TCB_CURRENT);

	(void)x;
	buf_puts(&f->expected, "reported <= committed <= current");
	snp_tcb_text(&f->actual, &r);
	buf_puts(&f->actual, "; ");
	snp_tcb_text(&f->actual, &co);
	buf_puts(&f->actual, "; ");
	snp_tcb_text(&f->actual, &cu);
	return snp_tcb_at_least(&co, r.v) && snp_tcb_at_least(&cu, co.v) ? PASSED : FAILED;
}

enum { C_VERSION, C_RESERVED, C_VEK, C_PRODUCT, C_CHAIN, C_CRL, C_SIGNATURE };
#define GENUINE (NEEDS(C_CHAIN) | NEEDS(C_SIGNATURE))
const struct check snp_checks[N_SNP_CHECKS] = {
	[C_VERSION] = { "snp.version", 0, CHECK_PLAIN, check_version },
	[C_RESERVED] = { "snp.reserved", 0, CHECK_PLAIN, check_reserved },
	[C_VEK] = { "snp.vek", 0, CHECK_BASE, check_vek },
	[C_PRODUCT] = { "snp.product", NEEDS(C_VEK), CHECK_BASE, check_product },
	[C_CHAIN] = { "snp.chain", NEEDS(C_PRODUCT), CHECK_BASE, check_chain },
	[C_CRL] = { "snp.crl", NEEDS(C_CHAIN), CHECK_WHERE_ASKED, snp_check_crl },
	[C_SIGNATURE] = { "snp.signature", NEEDS(C_VEK), CHECK_BASE, check_signature },
	{ "snp.tcb.certificate", GENUINE, CHECK_BASE, check_tcb_certificate },
	{ "snp.chip_id.certificate", GENUINE, CHECK_WHERE_ASKED, check_chip_certificate },
	{ "snp.tcb.order", 0, CHECK_PLAIN, check_tcb_order },
	{ "snp.tcb.min", 0, CHECK_WHERE_ASKED, snp_check_tcb_min },
	{ "snp.tcb.min.committed", 0, CHECK_WHERE_ASKED, snp_check_tcb_min_committed },
	{ "snp.tcb.min.launch", 0, CHECK_WHERE_ASKED, snp_check_tcb_min_launch },
	{ "snp.tcb.min.current", 0, CHECK_WHERE_ASKED, snp_check_tcb_min_current },
	{ "snp.policy.debug", 0, CHECK_PLAIN, snp_check_debug },
	{ "snp.policy.migrate", 0, CHECK_PLAIN, snp_check_migrate },
	{ "snp.policy.consistent", 0, CHECK_PLAIN, snp_check_consistent },
	{ "snp.policy.bits", 0, CHECK_WHERE_ASKED, snp_check_guest_policy },
	{ "snp.policy.abi", 0, CHECK_WHERE_ASKED, snp_check_abi },
	{ "snp.platform", 0, CHECK_WHERE_ASKED, snp_check_platform },
	{ "snp.mitigations", 0, CHECK_WHERE_ASKED, snp_check_mitigations },
	{ "snp.vmpl", 0, CHECK_PLAIN, snp_check_vmpl },
	{ "snp.guest_svn", 0, CHECK_WHERE_ASKED, snp_check_guest_svn },
	{ "snp.report_data", 0, CHECK_BASE, snp_check_report_data },
	{ "snp.measurement", 0, CHECK_WHERE_ASKED, snp_check_measurement },
	{ "snp.host_data", 0, CHECK_WHERE_ASKED, snp_check_host_data },
	{ "snp.init_data", 0, CHECK_WHERE_ASKED, snp_check_init_data },
	{ "snp.family_id", 0, CHECK_WHERE_ASKED, snp_check_family_id },
	{ "snp.image_id", 0, CHECK_WHERE_ASKED, snp_check_image_id },
	{ "snp.id_key", 0, CHECK_WHERE_ASKED, snp_check_id_key },
	{ "snp.author_key", 0, CHECK_WHERE_ASKED, snp_check_author_key },
	{ "snp.chip_id.allowed", 0, CHECK_WHERE_ASKED, snp_check_chip_allowed },
	{ "advisory.milan-vcek-seed", GENUINE, CHECK_ADVISORY, snp_check_milan_seed },
	{ "advisory.sb-3019", GENUINE, CHECK_ADVISORY, snp_check_sb_3019 },
	{ "advisory.alias-check-missing", GENUINE, CHECK_ADVISORY, snp_check_alias_check },
	{ "advisory.ciphertext-hiding-off", GENUINE, CHECK_ADVISORY, snp_check_ciphertext_hiding },
	{ "advisory.smt-on", GENUINE, CHECK_ADVISORY, snp_check_smt },
};
_Static_assert(N_SNP_CHECKS <= CHECKS_MAX, "a bit for each check");
