/* SPDX-License-Identifier: Apache-2.0 */
/* The session itself: control node, list of cards, root client, attached GPUs. */
#include "gpu/rm_int.h"

enum { VERSION_SIZE = 72, CARD_SIZE = 72, FREE_SIZE = 16 };

static int ask_version(struct rm *rm, struct err *e)
{
	uint8_t s[VERSION_SIZE] = { '2' };	/* query: tells its version whatever we are (a strict check refuses) */
	struct rm_msg m = { .nr = RM_NR_VERSION, .s = s, .n = sizeof s };
	char version[sizeof rm->version] = "";
	bool digit = false, valid = true;

	if (rm_call(rm, &m, "cannot ask the NVIDIA driver for its version", e))
		return -1;

	const struct slice text = slice_of(s + 8, 64);

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

	if (rm_call(rm, &m, "cannot ask the NVIDIA driver for its GPUs", e))
		return -1;
	for (size_t i = 0; i < RM_CARDS_MAX; i++) {
		if (!s[i * CARD_SIZE])
			continue;
		if (read_card(&c, slice_of(s + i * CARD_SIZE, CARD_SIZE), e))
			return -1;
		if (rm_card_find(rm, &c.addr)) {
			pci_addr_format(bdf, &c.addr);
			return err_set(e, EC_FORMAT, "the NVIDIA driver lists GPU %s twice", bdf);
		}
		rm->card[rm->n_cards++] = c;
	}
	return 0;
}

/* The driver's object behind the handle is the GPU that its list and sysfs speak of. */
static int check_ids(struct rm *rm, const struct rm_gpu *g, const struct rm_card *c, struct err *e)
{
	uint32_t id;

	if (rm_ask_pci(&id, rm, g->subdevice) && id != ((uint32_t)c->device << 16 | c->vendor))
		return err_set(e, EC_IO, "the GPU says PCI id %04x:%04x, the driver lists it as %04x:%04x", (unsigned)id & 0xffff,
			       (unsigned)id >> 16, (unsigned)c->vendor, (unsigned)c->device);
	return 0;
}

int rm_attach(struct rm_gpu *ret, struct rm *rm, const struct rm_card *c, struct err *e)
{
	uint8_t device[56] = { 0 }, subdevice[4] = { 0 };
	struct rm_gpu g = { .gpu_id = c->gpu_id };
	uint32_t status;
	int node;

	if (rm->n_nodes == RM_ATTACHED_MAX)
		return err_set(e, EC_BUG, "more than %d GPUs attached", RM_ATTACHED_MAX);
	node = rm->port.open(rm->port.arg, c->minor, e);
	if (node < 0)
		return -1;
	rm->node[rm->n_nodes++] = node;
	if (rm_ask_instance(device, subdevice, rm, c->gpu_id, e) ||
	    rm_alloc(&g.device, rm, rm->root, rm->root, RM_CLASS_DEVICE, device, sizeof device, &status, "cannot open the device", e) ||
	    rm_alloc(&g.subdevice, rm, rm->root, g.device, RM_CLASS_SUBDEVICE, subdevice, sizeof subdevice, &status,
		     "cannot open the subdevice", e) ||
	    check_ids(rm, &g, c, e))
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

		rm_put32(s, rm->root);
		rm_put32(s + 4, rm->root);
		rm_put32(s + 8, rm->root);
		rm_put32(s + 12, 0);
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
	return rm_alloc(&rm->root, rm, 0, 0, RM_CLASS_ROOT, NULL, 0, &status, "cannot open a session with the NVIDIA driver", e);
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

int rm_open_making(struct rm **ret, const struct host *h, struct err *e)
{
	struct rm_port port;

	return rm_port_open_making(&port, h, e) ? -1 : rm_open_port(ret, &port, h, e);
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
