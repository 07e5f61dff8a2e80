/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral for a whole bundle, and into it: see fetch.h. */

#include "attest/fetch.h"
#include "gpu/nvgpu.h"

/* --- for all of its evidence --------------------------------------------------------------------------------------------- */

static bool of_nvidia(const char *kind)
{
	return !strcmp(kind, "nvgpu") || !strcmp(kind, "nvswitch");
}

/* Pieces move over. */
static int take_over(struct fetched *to, struct fetched *from, struct err *e)
{
	struct fetched_piece *v;

	if (to->n + from->n > COLLATERAL_ITEMS)
		return err_set(e, EC_FORMAT, "more than %d pieces of collateral", COLLATERAL_ITEMS);
	v = from->n ? realloc(to->v, (to->n + from->n) * sizeof *v) : to->v;
	if (from->n && !v)
		return err_oom(e);
	to->v = v;
	for (size_t i = 0; i < from->n; i++)
		v[to->n++] = from->v[i];
	from->n = 0;
	buf_slice(&to->missing, buf_view(&from->missing));
	return buf_check(&to->missing, e);
}

static int fetch_one(struct fetched *to, const struct host *h, const struct fetch_from *from, const char *kind, struct slice raw,
		     struct slice certs, const struct collateral *have, struct err *e)
{
	AUTO_FETCHED f = { 0 };

	return fetch_collateral(&f, h, from, kind, raw, certs, have, e) || take_over(to, &f, e) ? -1 : 0;
}

static int fetch_devices(struct fetched *to, const struct host *h, const struct fetch_from *from, const struct bundle *b,
			 const struct collateral *have, struct err *e)
{
	struct fetch_from with = *from;
	struct slice raw[BUNDLE_ITEMS];
	uint8_t nonce[32];
	AUTO_BUF all = { .max = BUNDLE_MAX };
	size_t n = 0;

	for (size_t i = 0; i < b->evidence.n; i++)
		if (of_nvidia(b->evidence.v[i].kind))
			raw[n++] = buf_view(&b->evidence.v[i].data);
	if (n == 0)
		return 0;
	if (bundle_nonce_for(nonce, "ocsp", buf_view(&b->nonce), buf_view(&b->runtime_data), e) || (n > 1 && nv_join(&all, raw, n, e)))
		return -1;
	with.ocsp_nonce = slice_of(nonce, sizeof nonce);
	return fetch_one(to, h, &with, "nvgpu", n > 1 ? buf_view(&all) : raw[0], (struct slice){ 0 }, have, e);
}

int fetch_bundle(struct fetched *ret, const struct host *h, const struct fetch_from *from, const struct bundle *b, const struct collateral *have,
		 struct err *e)
{
	const struct bundle_item *table = bundle_find(&b->collateral, "snp.certtable");
	AUTO_FETCHED f = { 0 };

	for (size_t i = 0; i < b->evidence.n; i++) {
		const struct bundle_item *it = &b->evidence.v[i];

		if (!of_nvidia(it->kind) &&
		    fetch_one(&f, h, from, it->kind, buf_view(&it->data), table ? buf_view(&table->data) : (struct slice){ 0 }, have, e))
			return -1;
	}
	if (fetch_devices(&f, h, from, b, have, e))
		return -1;
	*ret = f;
	f = (struct fetched){ 0 };
	return 0;
}

/* --- into the bundle ------------------------------------------------------------------------------------------------------ */

static bool same_issuer(struct slice a, struct slice b)
{
	struct crl x = { 0 }, y = { 0 };
	struct err no = { 0 };
	const bool same = !crl_parse(&x, a, &no) && !crl_parse(&y, b, &no) && slice_eq(x.issuer, y.issuer);

	crl_free(&x);
	crl_free(&y);
	return same;
}

/* The last part of a URL or path, without ".xml": the id of a manifest. */
static struct slice id_of(const char *source)
{
	const char *slash = strrchr(source, '/');
	struct slice s = slice_str(slash ? slash + 1 : source);

	if (s.n > 4 && !memcmp(s.p + s.n - 4, ".xml", 4))
		s.n -= 4;
	return s;
}

static bool same_certificate(const struct fetched_piece *p, struct slice old)
{
	AUTO_CERTS l = { 0 };
	AUTO_OCSP o = { 0 };
	struct ocsp_entry said;
	struct err no = { 0 };

	return !certs_parse(&l, buf_view(&p->cert), &no) && !certs_parse(&l, buf_view(&p->issuer), &no) && l.n == 2 &&
	       !ocsp_parse(&o, old, &no) && o.entries == 1 && ocsp_about(&said, &o, &l.v[0], &l.v[1]);
}

static bool replaces(const struct fetched_piece *p, const struct bundle_item *it)
{
	if (strcmp(it->kind, collateral_name(p->type)))
		return false;
	if (slice_eq(buf_view(&p->data), buf_view(&it->data)))
		return true;
	switch (p->type) {
	case COLLATERAL_TCB_INFO:
	case COLLATERAL_QE_IDENTITY:
		return true;
	case COLLATERAL_CRL:
		return same_issuer(buf_view(&p->data), buf_view(&it->data));
	case COLLATERAL_RIM:
		return slice_eq(id_of(p->source), id_of(it->source));
	case COLLATERAL_OCSP:
		return same_certificate(p, buf_view(&it->data));
	case COLLATERAL_CERTS:
	case N_COLLATERAL_TYPES:
		break;
	}
	return false;
}

int fetch_into_bundle(struct bundle *b, const struct fetched *f, struct err *e)
{
	struct bundle_items *l = &b->collateral;

	for (size_t i = 0; i < f->n; i++) {
		size_t kept = 0;

		for (size_t k = 0; k < l->n; k++) {
			if (replaces(&f->v[i], &l->v[k]))
				buf_free(&l->v[k].data);
			else
				l->v[kept++] = l->v[k];
		}
		l->n = kept;
		if (bundle_add(l, collateral_name(f->v[i].type), f->v[i].source, f->v[i].fetched, buf_view(&f->v[i].data), e))
			return -1;
	}
	return 0;
}
