/* SPDX-License-Identifier: Apache-2.0 */
/* EFI device paths as text, in the spelling of Trustee's claims: policies compare these. */

#include <string.h>

#include "tee/eventlog_int.h"

#define NODES_MAX 64	/* of one path; real ones have under ten */

static void guid(struct buf *to, const uint8_t *p)
{
	buf_printf(to, "%08X-%04X-%04X-%02X%02X-", get_le32(p), get_le16(p + 4), get_le16(p + 6), p[8], p[9]);
	for (size_t i = 10; i < 16; i++)
		buf_printf(to, "%02X", p[i]);
}

static bool acpi(struct buf *to, struct slice d)
{
	uint32_t hid;

	if (d.n < 8)
		return false;
	hid = get_le32(d.p);
	buf_printf(to, "ACPI(%c%c%c%04X,%u)", '@' + (int)(hid >> 10 & 0x1f), '@' + (int)(hid >> 5 & 0x1f), '@' + (int)(hid & 0x1f),
		   hid >> 16, get_le32(d.p + 4));
	return true;
}

static bool hard_drive(struct buf *to, struct slice d)
{
	const uint32_t number = d.n >= 38 ? get_le32(d.p) : 0;

	if (d.n < 38 || (d.p[36] != 1 && d.p[36] != 2))
		return false;
	buf_printf(to, "HD(%u,%s,", number, d.p[36] == 1 ? "MBR" : "GPT");
	if (d.p[36] == 1)
		buf_printf(to, "0x%08x", get_le32(d.p + 20));
	else
		guid(to, d.p + 20);
	if (number)
		buf_printf(to, ",0x%llx,0x%llx", (unsigned long long)get_le64(d.p + 4), (unsigned long long)get_le64(d.p + 12));
	buf_byte(to, ')');
	return true;
}

static bool media(struct buf *to, uint8_t sub, struct slice d)
{
	if (sub == 1)
		return hard_drive(to, d);
	if (sub == 3 && d.n >= 16) {
		buf_puts(to, "VenMedia(");
		guid(to, d.p);
		buf_byte(to, ',');
		buf_hex(to, slice_of(d.p + 16, d.n - 16));
		buf_byte(to, ')');
		return true;
	}
	if (sub == 4 && d.n >= 2 && d.n % 2 == 0) {
		buf_puts(to, "File(");
		utf16_to_utf8(to, slice_of(d.p, d.n - 2));
		buf_byte(to, ')');
		return true;
	}
	return false;
}

static void mac(struct buf *to, struct slice d)
{
	AUTO_BUF hex = { 0 };

	buf_hex(&hex, slice_of(d.p, 31));
	while (hex.n && hex.p[hex.n - 1] == '0')
		hex.n--;
	buf_puts(to, "Mac(");
	for (size_t i = 0; i < hex.n; i++)
		buf_byte(to, hex.p[i] >= 'a' ? (uint8_t)(hex.p[i] - 'a' + 'A') : hex.p[i]);
	buf_printf(to, ",0x%02x)", d.p[32]);
}

static bool messaging(struct buf *to, uint8_t sub, struct slice d)
{
	if (sub == 5 && d.n >= 2) {
		buf_printf(to, "USB(%u,%u)", d.p[0], d.p[1]);
		return true;
	}
	if (sub == 0xb && d.n == 33) {
		mac(to, d);
		return true;
	}
	if (sub == 0x15 && d.n >= 16) {
		buf_puts(to, "FibreEx(0x");
		buf_hex(to, slice_of(d.p, 8));
		buf_puts(to, ",0x");
		buf_hex(to, slice_of(d.p + 8, 8));
		buf_byte(to, ')');
		return true;
	}
	return false;
}

static bool node(struct buf *to, uint8_t type, uint8_t sub, struct slice d)
{
	switch (type) {
	case 1:
		if (sub != 1 || d.n < 2)
			return false;
		buf_printf(to, "Pci(%u,%u)", d.p[0], d.p[1]);
		return true;
	case 2:
		return sub == 1 && acpi(to, d);
	case 3:
		return messaging(to, sub, d);
	case 4:
		return media(to, sub, d);
	}
	return false;
}

void device_paths(struct json *to_array, struct slice path)
{
	struct rd r = rd_of(path);

	for (size_t i = 0; i < NODES_MAX && rd_left(&r); i++) {
		const uint8_t type = rd_u8(&r), sub = rd_u8(&r);
		const uint16_t n = rd_le16(&r);
		const struct slice d = rd_take(&r, n < 4 ? SIZE_MAX : (size_t)n - 4);
		AUTO_BUF text = { 0 };

		if (r.bad || type == 0x7f)
			return;
		if (!node(&text, type, sub, d)) {
			buf_reset(&text);
			buf_printf(&text, "Path(%u,%u,", type, sub);
			buf_hex(&text, d);
			buf_byte(&text, ')');
		}
		json_add_str(to_array, NULL, buf_cstr(&text));
	}
}
