/* SPDX-License-Identifier: Apache-2.0 */
/* Device trees: see fdt.h.  The only file of this room that knows libfdt. */

#include <libfdt.h>

#include "tee/fdt.h"

#define NODES_MAX 64

/* A property that holds NUL-terminated strings. */
static void add_strings(struct json *to, const char *name, const void *fdt, int node, const char *prop)
{
	struct json *arr = NULL;
	const int n = fdt_stringlist_count(fdt, node, prop);

	for (int i = 0; i < n && i < NODES_MAX; i++) {
		int len;
		const char *s = fdt_stringlist_get(fdt, node, prop, i, &len);

		if (!s)
			return;
		if (!arr)
			arr = json_add_array(to, name);
		json_add_str(arr, NULL, s);
	}
}

static void add_firmware(struct json *to, const void *fdt)
{
	const int dir = fdt_path_offset(fdt, "/firmware");
	struct json *o = NULL;
	int node, seen = 0;

	if (dir < 0)
		return;
	fdt_for_each_subnode(node, fdt, dir) {
		const char *name = fdt_get_name(fdt, node, NULL);

		if (!name || seen++ == NODES_MAX)
			break;
		if (!o)
			o = json_add_object(to, "firmware");
		if (!json_get(o, name))
			add_strings(o, name, fdt, node, "compatible");
	}
}

/* Guests whose memory the host cannot read do their I/O through such a pool. */
static int count_restricted_pools(const void *fdt)
{
	int n = 0;

	for (int node = fdt_node_offset_by_compatible(fdt, -1, "restricted-dma-pool"); node >= 0 && n < NODES_MAX;
	     node = fdt_node_offset_by_compatible(fdt, node, "restricted-dma-pool"))
		n++;
	return n;
}

int fdt_describe(struct json *to, struct slice blob, struct err *e)
{
	int rc, node;

	if (blob.n > FDT_MAX)
		return err_set(e, EC_FORMAT, "device tree is %zu bytes, at most %zu are read", blob.n, FDT_MAX);
	rc = blob.n < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED : fdt_check_full(blob.p, blob.n);
	if (rc)
		return err_set(e, EC_FORMAT, "device tree is not valid: %s", fdt_strerror(rc));
	add_strings(to, "model", blob.p, 0, "model");
	add_strings(to, "compatible", blob.p, 0, "compatible");
	node = fdt_path_offset(blob.p, "/hypervisor");
	if (node >= 0)
		add_strings(to, "hypervisor", blob.p, node, "compatible");
	add_firmware(to, blob.p);
	json_add_u64(to, "restricted_dma_pools", (uint64_t)count_restricted_pools(blob.p));
	return 0;
}
