/* SPDX-License-Identifier: Apache-2.0 */
/* Has AMD revoked the intermediate that vouches for the report's certificate?  The ARK signs the list; VCEKs and VLEKs are
 * not on it (cpu-tee.md 3.9, step 5). */

#include "base/host.h"
#include "tee/snp_int.h"

struct lists {			/* what all lists of this ARK came to */
	const struct crl *newest;	/* of those that hold now */
	const char *newest_source, *naming_source;
	const struct crl *naming;	/* one by the ARK that lists the intermediate; an old one is good enough for that */
	struct err given, sent;		/* why one that the caller gave, one that the host sent, does not hold now */
};

static void look_at(struct lists *l, const struct crl *c, const char *source, struct err *trouble, const struct snp_subject *s,
		    const struct expect *x)
{
	const struct cert *ark = &s->root.v[0];
	struct err e = { 0 }, no = { 0 };

	if (!slice_eq(c->issuer, ark->subject))		/* of another maker or product: no business of ours */
		return;
	if (!crl_check(c, ark, x->now, &e)) {
		if (!l->newest || c->this_update > l->newest->this_update) {
			l->newest = c;
			l->newest_source = source;
		}
	} else {
		if (!trouble->code)
			*trouble = e;
		if (crl_check(c, ark, c->this_update, &no))	/* not the ARK's at all */
			return;
	}
	if (crl_lists(c, s->mid->serial)) {
		l->naming = c;
		l->naming_source = source;
	}
}

static enum outcome absent(const struct lists *l, const struct snp_subject *s, struct finding *f)
{
	if (l->given.code)
		return found(f, false, NULL, l->given.msg);
	if (l->sent.code) {	/* the host could as well have sent none */
		buf_puts(&f->actual, l->sent.msg);
		buf_puts(&f->hint, "not looked up: the list in the host's certificate table is of no use; ");
	} else {
		buf_puts(&f->hint, "not looked up: no revocation list was given; ");
	}
	buf_printf(&f->hint, "AMD has it at https://kdsintf.amd.com/%s/v1/%s/crl", s->v.vlek ? "vlek" : "vcek", snp_product_name(s->r.product));
	return NOT_ASKED;
}

static enum outcome judge(const struct lists *l, const struct snp_subject *s, const struct expect *x, struct finding *f)
{
	const struct crl *c = l->naming ? l->naming : l->newest;
	char from[32], until[32];

	if (!c)
		return absent(l, s, f);
	time_format(from, c->this_update);
	time_format(until, c->next_update);
	f->source = l->naming ? l->naming_source : l->newest_source;
	if (l->naming) {
		f->final = true;
		buf_puts(&f->actual, "revoked: serial number ");
		buf_hex(&f->actual, s->mid->serial);
		buf_printf(&f->actual, " is on the list of %s", from);
		return FAILED;
	}
	if (x->limits->max_collateral_age && x->now - c->this_update > x->limits->max_collateral_age) {
		buf_printf(&f->actual, "the list is of %s, older than the policy allows (%lld s)", from, (long long)x->limits->max_collateral_age);
		return FAILED;
	}
	buf_printf(&f->actual, "not on the list of %s, which counts until %s (%zu entries)", from, until, c->entries);
	return PASSED;
}

SNP_CHECK(crl)
{
	const struct snp_subject *s = p;
	const struct collateral_item *it;
	struct lists l = { 0 };

	buf_printf(&f->expected, "%s-%s not revoked by ARK-%s", s->v.vlek ? "ASVK" : "ASK", snp_product_name(s->r.product),
		   snp_product_name(s->r.product));
	for (size_t i = 0; (it = expect_collateral(x, COLLATERAL_CRL, i)); i++)
		look_at(&l, &it->crl, it->source, &l.given, s, x);
	for (size_t i = 0; i < s->n_lists; i++)
		look_at(&l, &s->lists[i], "certificate table of the host", &l.sent, s, x);
	return judge(&l, s, x, f);
}
