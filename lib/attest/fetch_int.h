/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_ATTEST_FETCH_INT_H
#define CVMBOX_ATTEST_FETCH_INT_H

/* Between the fetch*.c files. */

#include <stdatomic.h>

#include "attest/fetch.h"
#include "net/http.h"
#include "tee/snp.h"
#include "tee/tdx.h"

struct fetch {			/* one call */
	const struct host *h;
	const struct fetch_from *from;
	const struct collateral *have;		/* may be NULL */
	bool current[COLLATERAL_ITEMS];		/* which of these hold now */
	long status;				/* of the last answer; 0: there was none */
	struct fetched out;
};

struct ask {			/* one piece, and where it is */
	enum collateral_type type;
	const char *what;			/* for people: "the VCEK" */
	const char *file, *chain_file;		/* chain_file NULL: no issuer chain comes along */
	const char *headers[2];			/* that may hold the chain, URL-encoded PEM */
	bool chain_needed;
	const char *const *send;		/* "Name: value", NULL ended; may be NULL */
	struct slice body;			/* n > 0: POST */
	bool plain;				/* http:// beyond loopback is taken */
	unsigned retry_ms;			/* first pause; 0: 4 s */
	char key[256], url[1024];
	size_t max;
	/* What is kept of an answer, appended; NULL: all of it.  EC_FORMAT, EC_ABSENT. */
	int (*open)(const void *arg, struct buf *ret, struct slice body, struct err *e);
	/* Does an answer of 200 say "ask again"?  The word for people; NULL: no. */
	const char *(*busy)(struct slice body);
	/* Is it what was asked for?  EC_FORMAT or EC_REFUSED with the reason. */
	int (*fits)(const void *arg, const struct collateral *c, struct err *e);
	/* The service has none (status 4xx): says so in its own words; NULL: a general text. */
	int (*none)(const void *arg, long status, struct err *e);
	const void *arg;
};
int fetch_get(struct fetch *w, const struct ask *a, struct err *e);	/* from the cache, or from the service */
int fetch_talk(struct http_response *ret, struct fetch *w, const struct ask *a, struct err *e);	/* from the service; status 200 */
int fetch_keep(struct fetch *w, enum collateral_type t, const char *file, const char *source, int64_t fetched, bool cached, struct slice data,
	       struct err *e);		/* the piece is the last one then, or there was the same already */
/* Is a piece at hand that holds now and fits? */
bool fetch_at_hand(const struct fetch *w, enum collateral_type t, bool (*is)(const void *arg, const struct collateral_item *it),
		   const void *arg);
void fetch_note(struct fetch *w, const char *text);	/* a line of what is missing */
/* A caller who writes http:// means it, where what comes is signed.  False: https, or loopback, which is taken anyway, and then past
 * every proxy. */
bool fetch_plain(const char *url);
int fetch_url(char *ret, size_t n, struct err *e, const char *base, const char *fmt, ...) PRINTF(5, 6);

int fetch_snp(struct fetch *w, const struct snp_report *r, const struct cert_list *certs, struct err *e);
int fetch_tdx(struct fetch *w, const struct tdx_quote *q, struct err *e);
int fetch_nv(struct fetch *w, struct slice raw, struct err *e);	/* all devices of one piece of evidence */

/* Status of certificates, by OCSP.  Starts at zero but for f and nonce. */
struct status {
	struct fetch *f;
	struct slice nonce;			/* that answers shall carry, 1 .. OCSP_NONCE_MAX bytes */
	struct query *query;			/* each certificate once */
	size_t n;
	atomic_bool down;			/* the responder did not answer, or only that it is busy: not waited for again */
};
/* Those at first .. end - 1 of a chain, leaf first as they issue each other; what cannot be asked for is noted.  l has to stay until
 * status_free. */
int status_add(struct status *w, const struct cert_list *l, size_t first, size_t end, const char *whose, struct err *e);
int status_get(struct status *w, struct err *e);	/* asks, and keeps the answers */
void status_free(struct status *w);

#endif
