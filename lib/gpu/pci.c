/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/pci.h"

#include "base/cursor.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+"
#define GPU_LIST_MAX 1024	/* a DGX has 8 GPUs and 4 switches; SR-IOV multiplies that */

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* min..max hex digits; false leaves *v undefined. */
static bool take_hex(struct rd *r, uint32_t *v, size_t min, size_t max)
{
	size_t n = 0;

	for (*v = 0; n < max && rd_left(r) && hex_digit(*r->p) >= 0; n++)
		*v = *v << 4 | (uint32_t)hex_digit(rd_u8(r));
	return n >= min;
}

static bool take_char(struct rd *r, char c)
{
	return rd_u8(r) == (uint8_t)c && !r->bad;
}

static bool addr_parse(struct pci_addr *ret, struct slice text)
{
	struct rd r = rd_of(text);
	uint32_t part[2], bus, slot, fn;

	if (!take_hex(&r, &part[0], 2, 8) || !take_char(&r, ':') || !take_hex(&r, &part[1], 2, 2))
		return false;
	const size_t first = (size_t)(r.p - text.p) - 3;

	if (rd_left(&r) && *r.p == ':') {	/* what came first was a domain */
		if (first < 4 || !take_char(&r, ':') || !take_hex(&r, &slot, 2, 2))
			return false;
		bus = part[1];
	} else {
		if (first != 2)
			return false;
		bus = part[0];
		slot = part[1];
		part[0] = 0;
	}
	if (!take_char(&r, '.') || !take_hex(&r, &fn, 1, 1) || rd_left(&r) || slot > 0x1f || fn > 7)
		return false;
	*ret = (struct pci_addr){ .domain = part[0], .bus = (uint8_t)bus, .slot = (uint8_t)slot, .fn = (uint8_t)fn };
	return true;
}

int pci_addr_parse(struct pci_addr *ret, const char *s, struct err *e)
{
	if (addr_parse(ret, slice_str(s)))
		return 0;
	err_set(e, EC_USAGE, "'%s' is not a PCI address", s);
	return err_hint(e, "write it as '0000:41:00.0' or '41:00.0'; 'gpu-ccmode query' lists them");
}

bool pci_addr_eq(const struct pci_addr *a, const struct pci_addr *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot && a->fn == b->fn;
}

void pci_addr_format(char ret[static 20], const struct pci_addr *a)
{
	snprintf(ret, 20, "%04x:%02x:%02x.%u", (unsigned)a->domain, (unsigned)a->bus, (unsigned)a->slot, (unsigned)(a->fn & 7));
}

void gpu_list_free(struct gpu_list *l)
{
	free(l->v);
	*l = (struct gpu_list){ 0 };
}

/* One attribute file such as "0x10de": exactly that many hex digits behind 0x. */
static int attr_hex(uint32_t *ret, const struct host *h, const char *bdf, const char *attr, size_t digits, struct err *e)
{
	AUTO_BUF line = { .max = 64 };
	char path[96];
	uint32_t v;

	snprintf(path, sizeof path, PCI_DEVICES "/%s/%s", bdf, attr);
	if (host_read_line(&line, h, path, e))
		return -1;

	struct rd r = rd_of(buf_view(&line));

	if (!take_char(&r, '0') || !take_char(&r, 'x') || !take_hex(&r, &v, digits, digits) || rd_left(&r))
		return err_set(e, EC_FORMAT, "'%s' holds '%s', wanted 0x and %zu hex digits", path, buf_cstr(&line), digits);
	*ret = v;
	return 0;
}

/* Name of the driver the 'driver' link points to; "" when the link is not there. */
static int bound_driver(char *ret, size_t size, const struct host *h, const char *bdf, struct err *e)
{
	AUTO_BUF link = { .max = 4096 };
	struct err le = { 0 };
	char path[96];

	snprintf(path, sizeof path, PCI_DEVICES "/%s/driver", bdf);
	ret[0] = '\0';
	if (host_readlink(&link, h, path, &le)) {
		if (le.code == EC_ABSENT)
			return 0;
		return err_set(e, le.code, "%s", le.msg);
	}

	const char *text = buf_cstr(&link);
	const char *slash = strrchr(text, '/');

	const char *name = slash ? slash + 1 : text;
	const size_t n = strnlen(name, size);

	if (n == 0 || n == size || n != strspn(name, NAME_CHARS))
		return err_set(e, EC_FORMAT, "'%s' leads to '%s', which does not end in a driver's name", path, text);
	memcpy(ret, name, n + 1);
	return 0;
}

static bool is_wanted(uint32_t class_code, bool *is_switch)
{
	const uint32_t base = class_code >> 8;

	*is_switch = base == GPU_CLASS_BRIDGE;
	return *is_switch || base == GPU_CLASS_VGA || base == GPU_CLASS_3D;
}

static int look_at(struct gpu_pci *ret, bool *wanted, const struct host *h, const char *bdf, const struct pci_addr *addr,
		   struct err *e)
{
	uint32_t vendor, device, class_code;

	*wanted = false;
	*ret = (struct gpu_pci){ .addr = *addr };
	snprintf(ret->bdf, sizeof ret->bdf, "%s", bdf);
	if (attr_hex(&vendor, h, bdf, "vendor", 4, e))
		return -1;
	if (vendor != GPU_VENDOR_NVIDIA)
		return 0;
	if (attr_hex(&class_code, h, bdf, "class", 6, e))
		return -1;
	if (!is_wanted(class_code, &ret->is_switch))
		return 0;
	if (attr_hex(&device, h, bdf, "device", 4, e) || bound_driver(ret->driver, sizeof ret->driver, h, bdf, e))
		return -1;
	ret->vendor = (uint16_t)vendor;
	ret->device = (uint16_t)device;
	ret->class_code = class_code;
	*wanted = true;
	return 0;
}

struct scan {
	struct gpu_list list;
	const struct host *h;
	struct err *e;
};

static int scan_one(void *arg, const char *name)
{
	struct scan *s = arg;
	struct gpu_pci g, *v;
	struct pci_addr addr;
	char path[64];
	bool wanted;

	if (strnlen(name, sizeof g.bdf) >= sizeof g.bdf || !addr_parse(&addr, slice_str(name)))
		return err_set(s->e, EC_FORMAT, "'" PCI_DEVICES "' lists '%s', which is not a PCI address", name);
	if (look_at(&g, &wanted, s->h, name, &addr, s->e)) {
		snprintf(path, sizeof path, PCI_DEVICES "/%s", name);
		if (s->e->code == EC_ABSENT && !host_exists(s->h, path))
			return 0;	/* removed while we looked: it is not a GPU of this machine any more */
		if (s->e->code == EC_ABSENT)
			s->e->code = EC_IO;	/* a function without ids is a fault, not "no GPU here" */
		return err_ctx(s->e, "cannot identify PCI function '%s'", name);
	}
	if (!wanted)
		return 0;
	if (s->list.n == GPU_LIST_MAX)
		return err_set(s->e, EC_FORMAT, "more than %d NVIDIA GPUs in '" PCI_DEVICES "'", GPU_LIST_MAX);
	v = realloc(s->list.v, (s->list.n + 1) * sizeof *v);
	if (!v)
		return err_oom(s->e);
	s->list.v = v;
	v[s->list.n++] = g;
	return 0;
}

static int by_addr(const void *pa, const void *pb)
{
	const struct pci_addr *a = &((const struct gpu_pci *)pa)->addr, *b = &((const struct gpu_pci *)pb)->addr;
	const uint64_t x = (uint64_t)a->domain << 16 | (uint64_t)a->bus << 8 | (uint64_t)a->slot << 3 | a->fn;
	const uint64_t y = (uint64_t)b->domain << 16 | (uint64_t)b->bus << 8 | (uint64_t)b->slot << 3 | b->fn;

	return (x > y) - (x < y);
}

int gpu_list(struct gpu_list *ret, const struct host *h, struct err *e)
{
	struct err own = { 0 };
	struct scan s = { .h = h, .e = e ? e : &own };

	if (!host_exists(h, PCI_DEVICES)) {
		*ret = (struct gpu_list){ .no_pci = true };
		return 0;
	}
	if (host_list(h, PCI_DEVICES, scan_one, &s, s.e)) {
		gpu_list_free(&s.list);
		return err_ctx(s.e, "cannot list PCI devices");
	}
	if (s.list.n)
		qsort(s.list.v, s.list.n, sizeof *s.list.v, by_addr);
	*ret = s.list;
	return 0;
}

/* Device id ranges of NVIDIA/gpu-admin-tools, spec 5.2.  They only name a family for people: nothing
 * is decided by them. */
static const struct {
	uint16_t first, last;
	const char *name;
} families[] = {
	{ 0x22f0, 0x237f, "Hopper GH100" },
	{ 0x2900, 0x297f, "Blackwell GB100" },
	{ 0x2980, 0x29ff, "Blackwell GB102" },
	{ 0x2b80, 0x2bff, "Blackwell GB202" },
	{ 0x2c00, 0x2c7f, "Blackwell GB203" },
	{ 0x2d00, 0x2d7f, "Blackwell GB206" },
	{ 0x2d80, 0x2dff, "Blackwell GB207" },
	{ 0x2f00, 0x2f7f, "Blackwell GB205" },
	{ 0x3180, 0x31ff, "Blackwell GB110" },
	{ 0x3200, 0x327f, "Blackwell GB112" },
};

const char *gpu_family(const struct gpu_pci *g)
{
	if (g->is_switch)
		return "NVSwitch";
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (g->device >= families[i].first && g->device <= families[i].last)
			return families[i].name;
	return "NVIDIA";
}
