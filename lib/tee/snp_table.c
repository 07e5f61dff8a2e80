/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate table that an SNP host hands to its guests (cpu-tee.md 3.5).  Nothing in it is trusted for being
 * there. */

#include "base/cursor.h"
#include "tee/snp.h"

#define ENTRY_SIZE 24

static const struct {
	uint8_t guid[16];
	enum snp_cert_type type;
} guids[] = {
	{ { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd }, SNP_CERT_VCEK },
	{ { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1 }, SNP_CERT_VLEK },
	{ { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 }, SNP_CERT_ASK },
	{ { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae }, SNP_CERT_ARK },
	{ { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea }, SNP_CERT_CRL },
	{ { 0xec, 0xae, 0x0c, 0x0f, 0x95, 0x02, 0x43, 0xb1, 0xaf, 0xa2, 0x0a, 0xe2, 0xe0, 0xd5, 0x65, 0xb6 }, SNP_CERT_EXTRA },
};

const char *snp_cert_type_name(enum snp_cert_type t)
{
	static const char *const names[] = { "other", "VCEK", "VLEK", "ASK", "ARK", "CRL", "platform information" };

	return names[t];
}

/* Some producers write the first three groups little endian. */
static void guid_mixed(uint8_t ret[static 16], const uint8_t g[static 16])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < 16; i++)
		ret[i] = g[order[i]];
}

enum snp_cert_type snp_cert_type_of(uint8_t textual[static 16], const uint8_t g[static 16])
{
	uint8_t mixed[16];

	guid_mixed(mixed, g);
	for (size_t i = 0; i < sizeof guids / sizeof guids[0]; i++)
		if (!memcmp(g, guids[i].guid, 16) || !memcmp(mixed, guids[i].guid, 16)) {
			memcpy(textual, guids[i].guid, 16);
			return guids[i].type;
		}
	memcpy(textual, g, 16);
	return SNP_CERT_OTHER;
}

void snp_certs_free(struct snp_certs *c)
{
	for (size_t i = 0; i < c->n_own; i++)
		buf_free(&c->own[i]);
	c->n = c->n_own = 0;
}

int snp_table_parse(struct snp_certs *ret, struct slice table, struct err *e)
{
	static const uint8_t end[16];
	struct rd r = rd_of(table);
	struct snp_certs c = { 0 };

	if (table.n == 0) {	/* normal: the host gave none */
		*ret = c;
		return 0;
	}
	for (;;) {
		uint8_t guid[16];
		uint32_t at, n;

		rd_copy(&r, guid, sizeof guid);
		at = rd_le32(&r);
		n = rd_le32(&r);
		if (r.bad)
			return err_set(e, EC_FORMAT, "certificate table of %zu bytes ends inside its list", table.n);
		if (!memcmp(guid, end, 16) && at == 0 && n == 0)
			break;
		if (at > table.n || n > table.n - at)
			return err_set(e, EC_FORMAT, "certificate table entry %zu is at %u with %u bytes, the table has %zu",
				       c.n, at, n, table.n);
		if (c.n == SNP_CERTS_MAX)
			return err_set(e, EC_FORMAT, "certificate table has more than %d entries", SNP_CERTS_MAX);
		c.v[c.n].data = slice_of(table.p + at, n);
		c.v[c.n].type = snp_cert_type_of(c.v[c.n].guid, guid);
		c.n++;
	}
	*ret = c;
	return 0;
}
