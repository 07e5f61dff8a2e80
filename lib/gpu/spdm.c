/* SPDX-License-Identifier: Apache-2.0 */
/* Reading attestation reports: see spdm.h. */

#include "base/cursor.h"
#include "gpu/spdm.h"

#define VERSION_1_1 0x11
#define GET_MEASUREMENTS 0xe0
#define MEASUREMENTS 0x60
#define GET_VERSION 0x84
#define WITH_SIGNATURE 0x01
#define ALL_BLOCKS 0xff
#define DMTF 1			/* measurement specification */

/* A report of SPDM 1.2 has the exchange that chose the version in front. */
static bool begins_with_vca(struct slice raw)
{
	return raw.n >= 2 && raw.p[0] == 0x10 && raw.p[1] == GET_VERSION;
}

bool spdm_recognise(struct slice raw)
{
	return raw.n >= 4 && (begins_with_vca(raw) || ((raw.p[0] & 0xf0) == 0x10 && raw.p[1] == GET_MEASUREMENTS && raw.p[3] == ALL_BLOCKS));
}

static int check_head(uint8_t version, uint8_t code, uint8_t wanted, const char *what, struct err *e)
{
	if (version != VERSION_1_1)
		return err_set(e, EC_FORMAT, "%s is of SPDM %u.%u, this version reads 1.1", what, version >> 4, version & 0xf);
	if (code != wanted)
		return err_set(e, EC_FORMAT, "%s has code 0x%02x, wanted 0x%02x", what, code, wanted);
	return 0;
}

static int read_request(struct spdm_report *r, struct rd *in, struct err *e)
{
	const uint8_t version = rd_u8(in), code = rd_u8(in), attributes = rd_u8(in), operation = rd_u8(in);

	r->nonce = rd_take(in, SPDM_NONCE);
	r->slot = rd_u8(in) & 0xf;
	if (in->bad)
		return err_set(e, EC_FORMAT, "report ends inside its 37-byte request");
	if (check_head(version, code, GET_MEASUREMENTS, "request in the report", e))
		return -1;
	if (!(attributes & WITH_SIGNATURE))
		return err_set(e, EC_FORMAT, "request in the report did not ask for a signature");
	if (operation != ALL_BLOCKS)
		return err_set(e, EC_FORMAT, "request in the report asked for operation %u, wanted 255: all measurements", operation);
	return 0;
}

static int read_block(struct spdm_report *r, struct rd *in, struct err *e)
{
	const uint8_t index = rd_u8(in), specification = rd_u8(in);
	const uint16_t size = rd_le16(in);
	struct rd value = rd_of(rd_take(in, size));
	struct spdm_block b = { .present = true, .value_type = rd_u8(&value) };
	const uint16_t n = rd_le16(&value);

	b.value = rd_take(&value, n);
	if (in->bad)
		return err_set(e, EC_FORMAT, "measurement record ends inside a block");
	if (value.bad || rd_left(&value))
		return err_set(e, EC_FORMAT, "measurement block %u is %u bytes, its value says %u", index, size, n);
	if (specification != DMTF)
		return err_set(e, EC_FORMAT, "measurement block %u follows specification 0x%02x, wanted 1 (DMTF)", index, specification);
	if (index == 0 || index > SPDM_BLOCKS_MAX)
		return err_set(e, EC_FORMAT, "measurement block %u is out of range, wanted 1 to %d", index, SPDM_BLOCKS_MAX);
	if (r->block[index - 1].present)
		return err_set(e, EC_FORMAT, "measurement block %u is there twice", index);
	r->block[index - 1] = b;
	return 0;
}

static int read_record(struct spdm_report *r, struct slice record, struct err *e)
{
	struct rd in = rd_of(record);

	for (size_t i = 0; i < r->n_blocks; i++)
		if (read_block(r, &in, e))
			return -1;
	if (rd_left(&in))
		return err_set(e, EC_FORMAT, "measurement record has %zu bytes behind its %zu blocks", rd_left(&in), r->n_blocks);
	return 0;
}

static int read_response(struct spdm_report *r, struct rd *in, struct err *e)
{
	const uint8_t version = rd_u8(in), code = rd_u8(in), first = rd_u8(in), second = rd_u8(in);
	struct slice record;
	uint32_t length;

	(void)first;
	r->n_blocks = rd_u8(in);
	length = rd_le16(in);
	length |= (uint32_t)rd_u8(in) << 16;
	if (in->bad)
		return err_set(e, EC_FORMAT, "report ends inside the head of its response");
	if (check_head(version, code, MEASUREMENTS, "response in the report", e))
		return -1;
	if ((second & 0xf) != r->slot)
		return err_set(e, EC_FORMAT, "response is of certificate slot %u, slot %u was asked for", second & 0xf, r->slot);
	if (r->n_blocks == 0 || r->n_blocks > SPDM_BLOCKS_MAX)
		return err_set(e, EC_FORMAT, "report has %zu measurement blocks, wanted 1 to %d", r->n_blocks, SPDM_BLOCKS_MAX);
	record = rd_take(in, length);
	r->responder_nonce = rd_take(in, SPDM_NONCE);
	r->opaque = rd_take(in, rd_le16(in));
	if (in->bad)
		return err_set(e, EC_FORMAT, "report ends inside its response");
	return read_record(r, record, e);
}

/* Real devices send padding behind the signature. */
static int check_rest(struct rd *in, struct err *e)
{
	const struct slice rest = rd_rest(in);

	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i])
			return err_set(e, EC_FORMAT, "report has %zu bytes behind its signature that are not all zero", rest.n);
	return 0;
}

int spdm_parse(struct spdm_report *ret, struct slice raw, struct err *e)
{
	struct spdm_report r = { 0 };
	struct rd in = rd_of(raw);

	if (raw.n > SPDM_REPORT_MAX)
		return err_set(e, EC_FORMAT, "report is %zu bytes, at most %zu are read", raw.n, SPDM_REPORT_MAX);
	if (begins_with_vca(raw))
		return err_set(e, EC_FORMAT, "report begins with the exchange of versions (VCA) of SPDM 1.2 or newer, this version reads SPDM 1.1");
	if (read_request(&r, &in, e) || read_response(&r, &in, e))
		return -1;
	r.signed_part = slice_of(raw.p, raw.n - rd_left(&in));
	r.signature = rd_take(&in, SPDM_SIGNATURE);
	if (in.bad)
		return err_set(e, EC_FORMAT, "report ends inside its signature");
	if (check_rest(&in, e))
		return -1;
	*ret = r;
	return 0;
}
