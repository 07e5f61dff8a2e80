/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/rm.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"

/* Layouts of spec 1.2: the same on x86-64 and aarch64, and byte-identical from driver 535 to 595. */
enum {
	VERSION_SIZE = 72, CARD_SIZE = 72, CONTROL_SIZE = 32, ALLOC_SIZE = 48, FREE_SIZE = 16,
	PARAMS_MAX = 512	/* no query of the table below is larger */
};
enum { CLASS_ROOT = 0x41, CLASS_DEVICE = 0x80, CLASS_SUBDEVICE = 0x2080, CLASS_CC = 0xcb33 };
enum {
	ST_OK = 0, ST_BUSY_RETRY = 0x03, ST_INVALID_ARGUMENT = 0x1f, ST_INVALID_CLASS = 0x22, ST_NOT_SUPPORTED = 0x56,
	ST_OBJECT_NOT_FOUND = 0x57, ST_KEY_ROTATION = 0x7d
};
#define ATTACHED_MAX 64
#define RETRIES 8		/* waits of 10, 20, 40 ... ms: 2.5 s together */

struct rm {
	struct rm_port port;
	const struct host *h;
	int ctl;
	uint32_t root, cc;
	bool cc_asked;
	char version[64];
	struct rm_card card[RM_CARDS_MAX];
	size_t n_cards;
	int node[ATTACHED_MAX];
	size_t n_nodes;
};

/* --- status codes (spec 1.7) ---------------------------------------------------------------------------- */

static const struct {
	uint32_t status;
	const char *text, *hint;
} statuses[] = {
	{ 0x00, "ok", NULL },
	{ 0x02, "buffer too small", "this driver branch uses another size; report its version" },
	{ 0x03, "busy", "try again in a moment" },
	{ 0x0f, "the GPU is lost", "it fell off the bus or hit a secure fault: it has to be reset from the host" },
	{ 0x1b, "insufficient permissions", "run as root" },
	{ 0x1f, "invalid argument", "this driver branch uses another size; report its version" },
	{ 0x22, "no such class", "this driver has no confidential-compute support" },
	{ 0x23, "no such client", NULL },
	{ 0x33, "no such object handle", NULL },
	{ 0x40, "invalid state", NULL },
	{ 0x51, "out of memory", NULL },
	{ 0x55, "not ready", "the GPU has no SPDM session: it is not fully initialised; see 'dmesg | grep NVRM'" },
	{ 0x56, "not supported", "this driver branch does not know the command" },
	{ 0x57, "object not found", NULL },
	{ 0x62, "reset required", "reset the GPU from the host" },
	{ 0x65, "timed out", "see 'dmesg | grep NVRM'" },
	{ 0x7d, "key rotation in progress", "try again in a moment" },
	{ 0xffff, "generic failure", "see 'dmesg | grep NVRM'" },
};

static const char *status_hint(uint32_t status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i].status == status)
			return statuses[i].hint;
	return NULL;
}

const char *rm_status_text(uint32_t status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "unnamed status";
}

static int status_err(uint32_t status, const char *what, struct err *e)
{
	err_set(e, EC_IO, "%s: %s (status 0x%02x)", what, rm_status_text(status), (unsigned)status);
	if (status_hint(status))
		err_hint(e, "%s", status_hint(status));
	return -1;
}

/* --- calls ------------------------------------------------------------------------------------------------- */

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static int call(struct rm *rm, struct rm_msg *m, const char *what, struct err *e)
{
	int error;

	if (rm->h && rm->h->deadline_ms && host_left_ms(rm->h, 1) <= 0)
		return err_set(e, EC_IO, "%s: no time left of --timeout", what);
	error = rm->port.call(rm->port.arg, rm->ctl, m);
	if (!error)
		return 0;
	err_set(e, EC_IO, "%s: %s (ioctl 0x%02x of %zu bytes)", what, strerror(error), m->nr, m->n);
	if (error == EINVAL)
		return err_hint(e, "this driver branch uses another layout; report its version");
	if (error == EPERM || error == EACCES)
		return err_hint(e, "run as root, or check the container's device rules");
	return -1;
}

/* Bytes 'what' of a struct that the driver wrote, at an offset that is inside by construction. */
static struct slice part(const uint8_t *p, size_t at, size_t n)
{
	return slice_of(p + at, n);
}

static int ask_version(struct rm *rm, struct err *e)
{
	uint8_t s[VERSION_SIZE] = { '2' };	/* query: tells its version whatever we are (a strict check refuses) */
	struct rm_msg m = { .nr = RM_NR_VERSION, .s = s, .n = sizeof s };
	char version[sizeof rm->version] = "";
	bool digit = false, valid = true;

	if (call(rm, &m, "cannot ask the NVIDIA driver for its version", e))
		return -1;

	const struct slice text = part(s, 8, 64);

	for (size_t i = 0; i < text.n && i < sizeof version - 1 && text.p[i]; i++) {
		const uint8_t c = text.p[i];

		digit |= c >= '0' && c <= '9';
		valid &= (c >= '0' && c <= '9') || c == '.' || c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		version[i] = (char)c;
	}
	if (get_le32(s + 4) != 1 || !digit || !valid || text.p[text.n - 1])
		return err_set(e, EC_IO, "the NVIDIA driver did not tell its version: reply %u, text '%s'",
			       (unsigned)get_le32(s + 4), version);
	memcpy(rm->version, version, sizeof rm->version);
	return 0;
}

static int read_card(struct rm_card *ret, struct slice bytes, struct err *e)
{
	struct rd r = rd_of(bytes);
	struct rm_card c = { 0 };

	rd_skip(&r, 4);		/* valid, padding */
	c.addr.domain = rd_le32(&r);
	c.addr.bus = rd_u8(&r);
	c.addr.slot = rd_u8(&r);
	c.addr.fn = rd_u8(&r);
	rd_skip(&r, 1);
	c.vendor = rd_le16(&r);
	c.device = rd_le16(&r);
	c.gpu_id = rd_le32(&r);
	rd_skip(&r, 36);	/* interrupt and BARs */
	c.minor = rd_le32(&r);
	if (r.bad || c.addr.slot > 0x1f || c.addr.fn > 7 || c.minor >= RM_CTL_MINOR)
		return err_set(e, EC_FORMAT, "the NVIDIA driver lists a GPU at slot %u, function %u with minor %u",
			       (unsigned)c.addr.slot, (unsigned)c.addr.fn, (unsigned)c.minor);
	*ret = c;
	return 0;
}

static int ask_cards(struct rm *rm, struct err *e)
{
	uint8_t s[RM_CARDS_MAX * CARD_SIZE] = { 0 };
	struct rm_msg m = { .nr = RM_NR_CARD_INFO, .s = s, .n = sizeof s };
	struct rm_card c;
	char bdf[20];

	if (call(rm, &m, "cannot ask the NVIDIA driver for its GPUs", e))
		return -1;
	for (size_t i = 0; i < RM_CARDS_MAX; i++) {
		if (!s[i * CARD_SIZE])
			continue;
		if (read_card(&c, part(s, i * CARD_SIZE, CARD_SIZE), e))
			return -1;
		if (rm_card_find(rm, &c.addr)) {
			pci_addr_format(bdf, &c.addr);
			return err_set(e, EC_FORMAT, "the NVIDIA driver lists GPU %s twice", bdf);
		}
		rm->card[rm->n_cards++] = c;
	}
	return 0;
}

static int alloc(uint32_t *ret, struct rm *rm, uint32_t root, uint32_t parent, uint32_t class, uint8_t *params, size_t n,
		 uint32_t *status, const char *what, struct err *e)
{
	uint8_t s[ALLOC_SIZE] = { 0 };
	struct rm_msg m = { .nr = RM_NR_ALLOC, .s = s, .n = sizeof s, .pointer_at = 16, .params = params, .params_size = n };

	put_le32(s, root);
	put_le32(s + 4, parent);
	put_le32(s + 12, class);
	put_le32(s + 32, (uint32_t)n);
	if (call(rm, &m, what, e))
		return -1;
	*status = get_le32(s + 40);
	if (*status)
		return status_err(*status, what, e);
	if (!get_le32(s + 8))
		return err_set(e, EC_IO, "%s: the driver gave no handle", what);
	*ret = get_le32(s + 8);
	return 0;
}

/* --- queries ---------------------------------------------------------------------------------------------- */

/* Every command this program can send: get-type, harmless on any GPU in any state.  Certificate and
 * report retrieval are not here on purpose: an error inside them takes a confidential GPU down (spec
 * 1.5). */
enum query { Q_ID_INFO, Q_UUID, Q_NAME, Q_BIOS, Q_ARCH, Q_CC_CAPS, Q_CC_READY, Q_CC_MEMORY };
static const struct {
	uint32_t cmd;
	const char *name;
	uint16_t size[2];	/* newest branch first, 0 ends (spec 1.5, "rule for size drift") */
} queries[] = {
	[Q_ID_INFO] = { 0x0205, "GPU_GET_ID_INFO_V2", { 32 } },
	[Q_UUID] = { 0x0275, "GPU_GET_UUID_FROM_GPU_ID", { 268 } },
	[Q_NAME] = { 0x20800110, "GPU_GET_NAME_STRING", { 68, 132 } },
	[Q_BIOS] = { 0x20800810, "BIOS_GET_INFO_V2", { 124 } },
	[Q_ARCH] = { 0x20801701, "MC_GET_ARCH_INFO", { 16 } },
	[Q_CC_CAPS] = { 0xcb330101, "CONF_COMPUTE_SYSTEM_GET_CAPABILITIES", { 6, 5 } },
	[Q_CC_READY] = { 0xcb330104, "CONF_COMPUTE_SYSTEM_GET_GPUS_STATE", { 1 } },
	[Q_CC_MEMORY] = { 0xcb330106, "CONF_COMPUTE_GPU_GET_VIDMEM_SIZE", { 24 } },
};

struct reply {
	uint8_t p[PARAMS_MAX];
	size_t n;
};

static int control(uint32_t *status, struct rm *rm, uint32_t object, enum query q, struct slice in, size_t size,
		   struct reply *r, struct err *e)
{
	uint8_t s[CONTROL_SIZE] = { 0 };
	struct rm_msg m = { .nr = RM_NR_CONTROL, .s = s, .n = sizeof s, .pointer_at = 16, .params = r->p, .params_size = size };

	if (size > sizeof r->p || in.n > size)
		return err_set(e, EC_BUG, "%s: %zu bytes of parameters for a size of %zu", queries[q].name, in.n, size);
	memset(r->p, 0, sizeof r->p);
	if (in.n)
		memcpy(r->p, in.p, in.n);
	r->n = size;
	put_le32(s, rm->root);
	put_le32(s + 4, object);
	put_le32(s + 8, queries[q].cmd);
	put_le32(s + 24, (uint32_t)size);
	if (call(rm, &m, queries[q].name, e))
		return -1;
	*status = get_le32(s + 28);
	return 0;
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
			return status_err(*status, queries[q].name, e);
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

	put_le32(in, gpu_id);	/* flags 0: ASCII, from SHA-1 */
	if (ask_if_known(&r, &there, rm, rm->root, Q_UUID, slice_of(in, sizeof in), e))
		return -1;
	if (!there)
		return 0;
	if (fixed_text(text, sizeof text, part(r.p, 8, 256), queries[Q_UUID].name, e))
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
	return there ? fixed_text(ret, size, part(r.p, 4, r.n - 4 < size ? r.n - 4 : size), queries[Q_NAME].name, e) : 0;
}

/* Revision 0x9600da00 and OEM revision 0x0c read 96.00.DA.00.0C. */
static int ask_vbios(char ret[static 24], struct rm *rm, uint32_t subdevice, struct err *e)
{
	uint8_t in[20] = { 0 };
	struct reply r;
	bool there;

	put_le32(in, 2);
	put_le32(in + 12, 1);		/* entries: index 0 revision, index 1 OEM revision */
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
	put_le32(in, subdevice);
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

/* The confidential-compute object hangs under the root and serves every GPU; rm->cc stays 0 where the
 * class is unknown. */
static int open_cc(struct rm *rm, struct err *e)
{
	struct err le = { 0 };
	uint32_t status = ST_OK;
	uint8_t client[4];

	if (rm->cc_asked)
		return 0;
	put_le32(client, rm->root);
	if (alloc(&rm->cc, rm, rm->root, rm->root, CLASS_CC, client, sizeof client, &status,
		  "cannot open the confidential-compute interface", &le) && status != ST_INVALID_CLASS) {
		if (e)
			*e = le;
		return -1;
	}
	rm->cc_asked = true;
	return 0;
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
	if (open_cc(rm, e) || ask_memory(&i, rm, g->subdevice, e))
		return -1;
	*ret = i;
	return 0;
}

int rm_cc(struct rm_cc *ret, struct rm *rm, struct err *e)
{
	struct rm_cc c = { 0 };
	uint32_t status;
	struct reply r;

	if (open_cc(rm, e))
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
	*ret = c;
	return 0;
}

/* --- session ------------------------------------------------------------------------------------------------ */

int rm_attach(struct rm_gpu *ret, struct rm *rm, const struct rm_card *c, struct err *e)
{
	uint8_t id[4], device[56] = { 0 }, subdevice[4] = { 0 };
	struct rm_gpu g = { .gpu_id = c->gpu_id };
	struct reply r;
	uint32_t status;
	int node;

	if (rm->n_nodes == ATTACHED_MAX)
		return err_set(e, EC_BUG, "more than %d GPUs attached", ATTACHED_MAX);
	node = rm->port.open(rm->port.arg, c->minor, e);
	if (node < 0)
		return -1;
	rm->node[rm->n_nodes++] = node;
	put_le32(id, c->gpu_id);
	if (ask(&r, &status, rm, rm->root, Q_ID_INFO, slice_of(id, sizeof id), e))
		return -1;
	memcpy(device, r.p + 8, 4);		/* device instance */
	memcpy(subdevice, r.p + 12, 4);
	if (alloc(&g.device, rm, rm->root, rm->root, CLASS_DEVICE, device, sizeof device, &status, "cannot open the device", e) ||
	    alloc(&g.subdevice, rm, rm->root, g.device, CLASS_SUBDEVICE, subdevice, sizeof subdevice, &status,
		  "cannot open the subdevice", e))
		return -1;
	*ret = g;
	return 0;
}

void rm_close(struct rm *rm)
{
	if (!rm)
		return;
	if (rm->root) {
		uint8_t s[FREE_SIZE];
		struct rm_msg m = { .nr = RM_NR_FREE, .s = s, .n = sizeof s };

		put_le32(s, rm->root);
		put_le32(s + 4, rm->root);
		put_le32(s + 8, rm->root);
		put_le32(s + 12, 0);
		rm->port.call(rm->port.arg, rm->ctl, &m);	/* closing the node frees everything as well */
	}
	while (rm->n_nodes)
		rm->port.close(rm->port.arg, rm->node[--rm->n_nodes]);
	if (rm->ctl >= 0)
		rm->port.close(rm->port.arg, rm->ctl);
	rm->port.release(rm->port.arg);
	free(rm);
}

void rm_cleanup(struct rm **rm)
{
	rm_close(*rm);
	*rm = NULL;
}

static int start(struct rm *rm, struct err *e)
{
	uint32_t status;

	rm->ctl = rm->port.open(rm->port.arg, RM_CTL_MINOR, e);
	if (rm->ctl < 0 || ask_version(rm, e) || ask_cards(rm, e))
		return -1;
	return alloc(&rm->root, rm, 0, 0, CLASS_ROOT, NULL, 0, &status, "cannot open a session with the NVIDIA driver", e);
}

int rm_open_port(struct rm **ret, const struct rm_port *port, const struct host *h, struct err *e)
{
	struct rm *rm = calloc(1, sizeof *rm);

	if (!rm) {
		port->release(port->arg);
		return err_oom(e);
	}
	rm->port = *port;
	rm->h = h;
	rm->ctl = -1;
	if (start(rm, e)) {
		rm_close(rm);
		return -1;
	}
	*ret = rm;
	return 0;
}

int rm_open(struct rm **ret, const struct host *h, struct err *e)
{
	struct rm_port port;

	return rm_port_open(&port, h, e) ? -1 : rm_open_port(ret, &port, h, e);
}

const char *rm_driver_version(const struct rm *rm)
{
	return rm->version;
}

size_t rm_card_count(const struct rm *rm)
{
	return rm->n_cards;
}

const struct rm_card *rm_card_at(const struct rm *rm, size_t i)
{
	return i < rm->n_cards ? &rm->card[i] : NULL;
}

const struct rm_card *rm_card_find(const struct rm *rm, const struct pci_addr *a)
{
	for (size_t i = 0; i < rm->n_cards; i++)
		if (pci_addr_eq(&rm->card[i].addr, a))
			return &rm->card[i];
	return NULL;
}
