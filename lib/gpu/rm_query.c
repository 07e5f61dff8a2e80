/* SPDX-License-Identifier: Apache-2.0 */
/* What a GPU and the driver say of themselves.  Get-type commands only, harmless on any GPU in any state. */
#include "gpu/rm_int.h"

#include <time.h>

#define PARAMS_MAX 512		/* no query of the table below is larger */
#define RETRIES 8		/* waits of 10, 20, 40 ... ms: 2.5 s together */

/* Every command that this file can send.  Certificate and report retrieval are not here on purpose: see rm_evidence.c. */
enum query {
	Q_ID_INFO, Q_UUID, Q_NAME, Q_BIOS, Q_SKU, Q_BOARD, Q_ARCH, Q_PCI, Q_CC_CAPS, Q_CC_READY, Q_CC_MEMORY, Q_CC_CHANNELS, Q_CC_KEYS
};
static const struct {
	uint32_t cmd;
	const char *name;
	uint16_t size[2];	/* newest branch first, 0 ends (spec 1.5, "rule for size drift") */
} queries[] = {
	[Q_ID_INFO] = { 0x0205, "GPU_GET_ID_INFO_V2", { 32 } },
	[Q_UUID] = { 0x0275, "GPU_GET_UUID_FROM_GPU_ID", { 268 } },
	[Q_NAME] = { 0x20800110, "GPU_GET_NAME_STRING", { 68, 132 } },
	[Q_BIOS] = { 0x20800810, "BIOS_GET_INFO_V2", { 124 } },
	[Q_SKU] = { 0x20800808, "BIOS_GET_SKU_INFO", { 48, 32 } },
	[Q_BOARD] = { 0x2080013f, "GPU_GET_OEM_BOARD_INFO", { 136 } },
	[Q_ARCH] = { 0x20801701, "MC_GET_ARCH_INFO", { 16 } },
	[Q_PCI] = { 0x20801801, "BUS_GET_PCI_INFO", { 16 } },
	[Q_CC_CAPS] = { 0xcb330101, "CONF_COMPUTE_SYSTEM_GET_CAPABILITIES", { 6, 5 } },
	[Q_CC_READY] = { 0xcb330104, "CONF_COMPUTE_SYSTEM_GET_GPUS_STATE", { 1 } },
	[Q_CC_MEMORY] = { 0xcb330106, "CONF_COMPUTE_GPU_GET_VIDMEM_SIZE", { 24 } },
	[Q_CC_CHANNELS] = { 0xcb33010b, "CONF_COMPUTE_GPU_GET_NUM_SECURE_CHANNELS", { 12 } },
	[Q_CC_KEYS] = { 0xcb33010c, "CONF_COMPUTE_GPU_GET_KEY_ROTATION_STATE", { 8 } },
};

struct reply {
	uint8_t p[PARAMS_MAX];
	size_t n;
};

static int control(uint32_t *status, struct rm *rm, uint32_t object, enum query q, struct slice in, size_t size,
		   struct reply *r, struct err *e)
{
	if (size > sizeof r->p || in.n > size)
		return err_set(e, EC_BUG, "%s: %zu bytes of parameters for a size of %zu", queries[q].name, in.n, size);
	memset(r->p, 0, sizeof r->p);
	if (in.n)
		memcpy(r->p, in.p, in.n);
	r->n = size;
	return rm_control(status, rm, object, queries[q].cmd, r->p, size, false, queries[q].name, e);
}

static void nap(const struct rm *rm, int64_t ms)
{
	const int64_t left = rm->h ? host_left_ms(rm->h, ms) : ms;
	const struct timespec t = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Sends one query: the newest size first, older ones on "invalid argument"; again after a pause while
 * the driver is busy. Both are safe because queries change nothing.  *status is what the driver said
 * last. */
static int ask(struct reply *r, uint32_t *status, struct rm *rm, uint32_t object, enum query q, struct slice in,
	       struct err *e)
{
	size_t i = 0;

	for (unsigned tries = 0;;) {
		if (control(status, rm, object, q, in, queries[q].size[i], r, e))
			return -1;
		if (*status == ST_OK)
			return 0;
		if ((*status == ST_BUSY_RETRY || *status == ST_KEY_ROTATION) && tries < RETRIES)
			nap(rm, 10 << tries++);
		else if (*status == ST_INVALID_ARGUMENT && i + 1 < 2 && queries[q].size[i + 1])
			i++;
		else
			return rm_status_err(*status, queries[q].name, e);
	}
}

/* The same for what a branch may lack: *there is false, and nothing an error, when the driver does not
 * know the command. */
static int ask_if_known(struct reply *r, bool *there, struct rm *rm, uint32_t object, enum query q, struct slice in,
			struct err *e)
{
	struct err le = { 0 };
	uint32_t status = ST_OK;

	*there = ask(r, &status, rm, object, q, in, &le) == 0;
	if (*there || status == ST_NOT_SUPPORTED)
		return 0;
	if (e)
		*e = le;
	return -1;
}

/* What is good to know and not needed: false for any reason. */
static bool ask_extra(struct reply *r, struct rm *rm, uint32_t object, enum query q, struct slice in)
{
	struct err why = { 0 };
	uint32_t status = ST_OK;

	return !ask(r, &status, rm, object, q, in, &why);
}

/* Text in a fixed field, up to its NUL.  Anything but printable ASCII makes it unusable. */
static int fixed_text(char *ret, size_t size, struct slice field, const char *what, struct err *e)
{
	size_t n = 0;

	while (n < field.n && field.p[n])
		n++;
	if (n == 0 || n >= size)
		return err_set(e, EC_FORMAT, "%s: text of %zu bytes, wanted 1 to %zu", what, n, size - 1);
	for (size_t i = 0; i < n; i++)
		if (field.p[i] < 0x20 || field.p[i] > 0x7e)
			return err_set(e, EC_FORMAT, "%s: byte 0x%02x in a name", what, field.p[i]);
	memcpy(ret, field.p, n);
	ret[n] = '\0';
	return 0;
}

static bool is_uuid(const char *s)
{
	static const char form[] = "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof form; i++) {	/* the NUL too */
		const bool hex = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f');

		if (form[i] == 'x' ? !hex : s[i] != form[i])
			return false;
	}
	return true;
}

static int ask_uuid(char ret[static 48], struct rm *rm, uint32_t gpu_id, struct err *e)
{
	uint8_t in[4];
	struct reply r;
	bool there;
	char text[48];

	rm_put32(in, gpu_id);	/* flags 0: ASCII, from SHA-1 */
	if (ask_if_known(&r, &there, rm, rm->root, Q_UUID, slice_of(in, sizeof in), e))
		return -1;
	if (!there)
		return 0;
	if (fixed_text(text, sizeof text, slice_of(r.p + 8, 256), queries[Q_UUID].name, e))
		return -1;
	if (!is_uuid(text))
		return err_set(e, EC_FORMAT, "%s: '%s' is no GPU UUID", queries[Q_UUID].name, text);
	memcpy(ret, text, sizeof text);
	return 0;
}

static int ask_name(char *ret, size_t size, struct rm *rm, uint32_t subdevice, struct err *e)
{
	struct reply r;
	bool there;

	if (ask_if_known(&r, &there, rm, subdevice, Q_NAME, SLICE(""), e))
		return -1;
	return there ? fixed_text(ret, size, slice_of(r.p + 4, r.n - 4 < size ? r.n - 4 : size), queries[Q_NAME].name, e) : 0;
}

/* Revision 0x9600da00 and OEM revision 0x0c read 96.00.DA.00.0C. */
static int ask_vbios(char ret[static 24], struct rm *rm, uint32_t subdevice, struct err *e)
{
	uint8_t in[20] = { 0 };
	struct reply r;
	bool there;

	rm_put32(in, 2);
	rm_put32(in + 12, 1);		/* entries: index 0 revision, index 1 OEM revision */
	if (ask_if_known(&r, &there, rm, subdevice, Q_BIOS, slice_of(in, sizeof in), e))
		return -1;
	if (!there)
		return 0;
	if (get_le32(r.p) != 2 || get_le32(r.p + 4) != 0 || get_le32(r.p + 12) != 1)
		return err_set(e, EC_FORMAT, "%s: not the two values that were asked for", queries[Q_BIOS].name);
	snprintf(ret, 24, "%02X.%02X.%02X.%02X.%02X", r.p[11], r.p[10], r.p[9], r.p[8], (unsigned)get_le32(r.p + 16));
	return 0;
}

static int ask_memory(struct rm_gpu_info *ret, struct rm *rm, uint32_t subdevice, struct err *e)
{
	struct err le = { 0 };
	uint32_t status = ST_OK;
	uint8_t in[4];
	struct reply r;

	if (!rm->cc)
		return 0;
	rm_put32(in, subdevice);
	if (ask(&r, &status, rm, rm->cc, Q_CC_MEMORY, slice_of(in, sizeof in), &le)) {
		if (status == ST_NOT_SUPPORTED || status == ST_OBJECT_NOT_FOUND)
			return 0;	/* not a GPU that can be confidential */
		if (e)
			*e = le;
		return -1;
	}
	ret->protected_kb = get_le64(r.p + 8);
	ret->unprotected_kb = get_le64(r.p + 16);
	ret->has_memory = true;
	return 0;
}

int rm_open_cc(struct rm *rm, struct err *e)
{
	struct err le = { 0 };
	uint32_t status = ST_OK;
	uint8_t client[4];

	if (rm->cc_asked)
		return 0;
	rm_put32(client, rm->root);
	if (rm_alloc(&rm->cc, rm, rm->root, rm->root, RM_CLASS_CC, client, sizeof client, &status,
		  "cannot open the confidential-compute interface", &le) && status != ST_INVALID_CLASS) {
		if (e)
			*e = le;
		return -1;
	}
	rm->cc_asked = true;
	return 0;
}

/* A word of a fixed field; "" for anything but printable ASCII without spaces inside. */
static void word(char *ret, size_t size, const uint8_t *p, size_t n)
{
	size_t len = 0;

	while (len < n && p[len] > ' ' && p[len] <= '~')
		len++;
	for (size_t i = len; i < n; i++)	/* filled up with NULs, or with blanks */
		if (p[i] && p[i] != ' ')
			len = 0;
	if (len >= size)
		len = 0;
	memcpy(ret, p, len);
	ret[len] = '\0';
}

/* Project, SKUs and board: what NVIDIA's manifests of VBIOSes are named by.  Two layouts, told apart by their size (spec 1.5). */
static void ask_board(struct rm_gpu_info *ret, struct rm *rm, uint32_t subdevice)
{
	struct reply r;

	if (ask_extra(&r, rm, subdevice, Q_SKU, SLICE(""))) {
		const bool old = r.n == 32;

		ret->board_id = get_le32(r.p);
		word(ret->chip_sku, sizeof ret->chip_sku, r.p + 4, old ? 4 : 9);
		word(ret->project, sizeof ret->project, r.p + (old ? 10 : 24), 5);
		word(ret->project_sku, sizeof ret->project_sku, r.p + (old ? 15 : 29), 5);
	}
	if (ask_extra(&r, rm, subdevice, Q_BOARD, SLICE(""))) {
		struct err why = { 0 };

		if (fixed_text(ret->board, sizeof ret->board, slice_of(r.p + 4, 24), queries[Q_BOARD].name, &why))
			ret->board[0] = '\0';
		word(ret->serial, sizeof ret->serial, r.p + 28, 16);
	}
}

static void ask_channels(struct rm_gpu_info *ret, struct rm *rm, uint32_t subdevice)
{
	uint8_t in[4];
	struct reply r;

	if (!rm->cc)
		return;
	rm_put32(in, subdevice);
	if (ask_extra(&r, rm, rm->cc, Q_CC_CHANNELS, slice_of(in, sizeof in))) {
		ret->has_channels = true;
		ret->sec2_channels = get_le32(r.p + 4);
		ret->ce_channels = get_le32(r.p + 8);
	}
	if (ask_extra(&r, rm, rm->cc, Q_CC_KEYS, slice_of(in, sizeof in))) {
		ret->has_key_rotation = true;
		ret->key_rotation = get_le32(r.p + 4);
	}
}

int rm_ask_instance(uint8_t device[static 4], uint8_t subdevice[static 4], struct rm *rm, uint32_t gpu_id, struct err *e)
{
	uint8_t id[4];
	struct reply r;
	uint32_t status;

	rm_put32(id, gpu_id);
	if (ask(&r, &status, rm, rm->root, Q_ID_INFO, slice_of(id, sizeof id), e))
		return -1;
	memcpy(device, r.p + 8, 4);
	memcpy(subdevice, r.p + 12, 4);
	return 0;
}

bool rm_ask_pci(uint32_t *ret, struct rm *rm, uint32_t subdevice)
{
	struct reply r;

	if (!ask_extra(&r, rm, subdevice, Q_PCI, SLICE("")))
		return false;
	*ret = get_le32(r.p);
	return true;
}

/* Upper case, without dots. */
static void put_id(char *ret, size_t size, const char *text)
{
	size_t n = strlen(ret);

	for (; *text && n + 1 < size; text++)
		if (*text != '.')
			ret[n++] = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;
	ret[n] = '\0';
}

bool rm_vbios_rim(char ret[static 96], const struct rm_gpu_info *i)
{
	const char *const part[] = { "NV_GPU_VBIOS_", i->project, "_", i->project_sku, "_", i->chip_sku, "_", i->vbios };

	ret[0] = '\0';
	for (size_t k = 0; k < sizeof part / sizeof part[0]; k++) {
		if (!part[k][0]) {
			ret[0] = '\0';
			return false;
		}
		put_id(ret, 96, part[k]);
	}
	return true;
}

int rm_gpu_info(struct rm_gpu_info *ret, struct rm *rm, const struct rm_gpu *g, struct err *e)
{
	struct rm_gpu_info i = { 0 };
	struct reply r;
	bool there;

	if (ask_uuid(i.uuid, rm, g->gpu_id, e) || ask_name(i.name, sizeof i.name, rm, g->subdevice, e) ||
	    ask_vbios(i.vbios, rm, g->subdevice, e) ||
	    ask_if_known(&r, &there, rm, g->subdevice, Q_ARCH, SLICE(""), e))
		return -1;
	if (there)
		i.architecture = get_le32(r.p);
	if (rm_open_cc(rm, e) || ask_memory(&i, rm, g->subdevice, e))
		return -1;
	ask_board(&i, rm, g->subdevice);
	ask_channels(&i, rm, g->subdevice);
	*ret = i;
	return 0;
}

int rm_cc(struct rm_cc *ret, struct rm *rm, struct err *e)
{
	struct rm_cc c = { 0 };
	uint32_t status;
	struct reply r;

	if (rm_open_cc(rm, e))
		return -1;
	if (!rm->cc) {
		*ret = c;
		return 0;
	}
	if (ask(&r, &status, rm, rm->cc, Q_CC_CAPS, SLICE(""), e))
		return -1;
	c.known = true;
	c.cpu = r.p[0];
	c.gpu = r.p[1];
	c.environment = r.p[2];
	c.feature = r.p[3];
	c.devtools = r.p[4];
	c.multi_gpu = r.n > 5 ? r.p[5] : RM_CC_MULTI_NONE;	/* 535 has no such mode */
	if (ask(&r, &status, rm, rm->cc, Q_CC_READY, SLICE(""), e))
		return -1;
	if (r.p[0] > 1)
		return err_set(e, EC_FORMAT, "%s: ready state %u, wanted 0 or 1", queries[Q_CC_READY].name, r.p[0]);
	c.ready = r.p[0] == 1;
	rm->state = c;
	*ret = c;
	return 0;
}
