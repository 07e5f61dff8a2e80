/* SPDX-License-Identifier: Apache-2.0 */
/* Our OCSP code for scripts/interop-ocsp, against `openssl ocsp`.
 *   ocsp request CERT ISSUER HASH NONCE-HEX                       the request, to stdout
 *   ocsp read ANSWER CERT ISSUER NONCE-HEX NOW [ABOVE]            "good", "revoked keyCompromise" .., "nonce" where it is ours; or the refusal
 *   ocsp make CERT ISSUER SIGNER KEY STATUS NOW NONCE-HEX         an answer with the signer's certificate, to stdout
 * HASH: sha1, sha256, sha384.  NONCE-HEX may be empty.  NOW: seconds.  Exit status as cvmbox(1). */

#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "codec/hex64.h"
#include "crypto/ocsp.h"

static int read_file(struct buf *ret, const char *path, struct err *e)
{
	FILE *f = fopen(path, "rb");
	uint8_t some[4096];
	size_t n;

	if (!f)
		return err_sys(e, EC_IO, "'%s'", path);
	while ((n = fread(some, 1, sizeof some, f)) > 0)
		buf_put(ret, some, n);
	fclose(f);
	return buf_check(ret, e);
}

static int read_certs(struct cert_list *ret, const char *path, struct err *e)
{
	AUTO_BUF text = { 0 };

	return read_file(&text, path, e) || certs_parse(ret, buf_view(&text), e) ? -1 : 0;
}

static int put_out(const struct buf *b)
{
	return fwrite(b->p, 1, b->n, stdout) == b->n && !fflush(stdout) ? 0 : -1;
}

static int request(char **a, struct err *e)
{
	AUTO_CERTS c = { 0 }, issuer = { 0 };
	AUTO_BUF nonce = { 0 }, der = { 0 };

	if (read_certs(&c, a[0], e) || read_certs(&issuer, a[1], e) || hex_decode(&nonce, slice_str(a[3]), e) ||
	    ocsp_request(&der, c.v, issuer.v, hash_by_name(a[2]), buf_view(&nonce), e))
		return -1;
	return put_out(&der);
}

static int tell(const struct ocsp *o, const struct ocsp_entry *s, struct slice nonce)
{
	printf("%s%s%s%s\n", ocsp_status_word(s->status), s->has_reason ? " " : "", s->has_reason ? ocsp_reason_word(s->reason) : "",
	       nonce.n && slice_eq(o->nonce, nonce) ? " nonce" : "");
	return 0;
}

static int read_answer(char **a, struct err *e)
{
	AUTO_CERTS c = { 0 }, issuer = { 0 }, above = { 0 };
	AUTO_BUF der = { 0 }, nonce = { 0 };
	AUTO_OCSP o = { 0 };
	const int64_t now = strtoll(a[4], NULL, 10);
	struct ocsp_entry s;

	if (read_file(&der, a[0], e) || read_certs(&c, a[1], e) || read_certs(&issuer, a[2], e) || (a[5] && read_certs(&above, a[5], e)) ||
	    hex_decode(&nonce, slice_str(a[3]), e) || ocsp_parse(&o, buf_view(&der), e))
		return -1;
	if (o.response_status)
		return err_set(e, EC_DENIED, "%s", ocsp_response_status_word(o.response_status));
	if (!ocsp_about(&s, &o, c.v, issuer.v))
		return err_set(e, EC_REFUSED, "says nothing about this certificate");
	if (ocsp_signed(&o, issuer.v, &above, now, e) || ocsp_current(&o, &s, now, e))
		return -1;
	return tell(&o, &s, buf_view(&nonce));
}

static int make(char **a, struct err *e)
{
	const int64_t now = strtoll(a[5], NULL, 10);
	AUTO_CERTS c = { 0 }, issuer = { 0 }, signer = { 0 };
	AUTO_BUF pem = { 0 }, nonce = { 0 }, der = { 0 };
	AUTO_PRIVKEY key = { 0 };
	struct ocsp_make_entry s = { .reason = -1, .this_update = now - 60, .next_update = now + 3600, .revoked_at = now - 600 };

	if (read_certs(&c, a[0], e) || read_certs(&issuer, a[1], e) || read_certs(&signer, a[2], e) || read_file(&pem, a[3], e) ||
	    privkey_parse(&key, buf_view(&pem), e) || hex_decode(&nonce, slice_str(a[6]), e))
		return -1;
	s.cert = c.v;
	s.issuer = issuer.v;
	for (int i = OCSP_UNKNOWN; i <= OCSP_REVOKED; i++)
		if (!strcmp(a[4], ocsp_status_word((enum ocsp_status)i)))
			s.status = (enum ocsp_status)i;
	if (s.status == OCSP_REVOKED)
		s.reason = OCSP_REASON_HOLD;
	if (ocsp_make(&der, &(const struct ocsp_make){ .v = &s, .n = 1, .signer = signer.v, .signer_key = &key, .with_cert = true,
						       .produced_at = now, .nonce = buf_view(&nonce) }, e))
		return -1;
	return put_out(&der);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **a, struct err *e);
		int args;
	} verbs[] = { { "request", request, 4 }, { "read", read_answer, 5 }, { "make", make, 7 } };
	struct err e = { 0 };

	for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(argv[1], verbs[i].name) || argc - 2 < verbs[i].args)
			continue;
		if (verbs[i].run(argv + 2, &e) == 0)
			return 0;
		fprintf(stderr, "%s\n", e.msg);
		return e.code ? (int)e.code : EC_BUG;
	}
	fprintf(stderr, "usage: see the head of tests/tools/ocsp.c\n");
	return EC_USAGE;
}
