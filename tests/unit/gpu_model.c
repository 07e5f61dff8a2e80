/* SPDX-License-Identifier: Apache-2.0 */
/* See gpu_model.h.  Written from the specification's text, not from lib/gpu: what the two disagree about shows in the tests. */
#include "gpu_model.h"

#include <stdlib.h>

#define ONES UINT32_MAX
#define CH 2
#define BASE (CH * 1024u)
#define EMEM_PORTS 0x8f2ac0u
#define CMD_QUEUES 0x8f2c00u
#define MSG_QUEUES 0x8f2c80u
#define MBOX_TO_INFO 0x8f1f84u
#define MBOX_TO_DATA 0x8f1f88u
#define MBOX_FROM_INFO 0x8f1f04u
#define MBOX_FROM_DATA 0x8f1f08u
#define BIT(n) (UINT32_C(1) << (n))
#define DVSEC_AT 0x200u

static const struct {
	const char *name;
	enum gpu_chip chip;
	uint32_t boot0, class_code, boot, recovery;
	uint16_t device;
	size_t size;
} kinds[] = {
	{ "hopper", CHIP_HOPPER, 0x180000a1, 0x030200, 0x200bc, 0x20120, 0x2330, (size_t)16 << 20 },
	{ "gb10x", CHIP_BLACKWELL_GB10X, 0x1a0000a1, 0x030200, 0x200bc, 0x8aa128, 0x2901, (size_t)16 << 20 },
	{ "gb20x", CHIP_BLACKWELL_GB20X, 0x1b2000a1, 0x030200, 0xad00bc, 0x8aa128, 0x2bb5, (size_t)16 << 20 },
	{ "ls10", CHIP_LS10, 0x007000a1, 0x068000, 0x660bc, 0x66120, 0x22a3, (size_t)32 << 20 },
};

static const char *const fault_names[] = {
	"stuck", "silent", "wrong-nvdm", "wrong-echo", "short", "split", "split-bad", "pointers", "mbox-error", "no-credit", "long", "dies",
	"stale", "leftover", "boot-never", "boot-badf", "boot-ones", "firewall", "no-dvsec", "gone", "blocked", "sec-fault", "recovery",
	"reset-none", "reset-error", "reset-lost", "reset-ignored", "old", "no-inband", "write-lost", "late",
};

bool model_fault_of(uint32_t *ret, const char *name)
{
	for (size_t i = 0; i < sizeof fault_names / sizeof fault_names[0]; i++)
		if (!strcmp(fault_names[i], name)) {
			*ret = BIT(i);
			return true;
		}
	return false;
}

const char *model_fault_name(uint32_t bit)
{
	for (size_t i = 0; i < sizeof fault_names / sizeof fault_names[0]; i++)
		if (bit == BIT(i))
			return fault_names[i];
	return "?";
}

bool model_chip_of(enum gpu_chip *ret, const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!strcmp(kinds[i].name, name)) {
			*ret = kinds[i].chip;
			return true;
		}
	return false;
}

static size_t kind_of(const struct model *m)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].chip == m->chip)
			return i;
	return 0;
}

static bool is_blackwell(const struct model *m)
{
	return m->chip == CHIP_BLACKWELL_GB10X || m->chip == CHIP_BLACKWELL_GB20X;
}

void model_init(struct model *m, enum gpu_chip chip, const char *bdf)
{
	*m = (struct model){ .chip = chip, .garbage = 0xdead, .boot_reads = 3, .firewall_reads = 2 };
	const size_t k = kind_of(m);

	m->boot0 = kinds[k].boot0;
	snprintf(m->pci.bdf, sizeof m->pci.bdf, "%s", bdf);
	pci_addr_parse(&m->pci.addr, bdf, NULL);
	m->pci.vendor = GPU_VENDOR_NVIDIA;
	m->pci.device = kinds[k].device;
	m->pci.class_code = kinds[k].class_code;
	m->pci.is_switch = chip == CHIP_LS10;
	for (int allow = 1; allow < MODEL_KNOBS; allow += 2)	/* odd ids say whether the one after may be changed */
		m->pending[allow] = m->active[allow] = allow < 11 || allow == 33 || allow == KNOB_RESET_ALLOW;
	m->pending[KNOB_PPCIE_ALLOW] = m->active[KNOB_PPCIE_ALLOW] = 1;
	m->pending[KNOB_PPCIE] = m->active[KNOB_PPCIE] = 0;
}

void model_free(struct model *m)
{
	free(m->log);
	m->log = NULL;
	m->n_log = m->cap_log = 0;
}

size_t model_bar_size(const struct model *m)
{
	return kinds[kind_of(m)].size;
}

enum hw_mode model_mode(const struct model *m)
{
	return (enum hw_mode)((m->active[KNOB_CCM] & 1) | (m->active[KNOB_CCD] & 1) << 1);
}

static void note(struct model *m, char what, uint32_t offset, uint32_t value)
{
	const struct model_access a = { what, offset, value };

	if (m->log_registers || strchr("gsR", what)) {
		if (m->n_log == m->cap_log) {
			m->cap_log = m->cap_log ? 2 * m->cap_log : 256;
			m->log = realloc(m->log, m->cap_log * sizeof *m->log);
			if (!m->log)
				abort();
		}
		m->log[m->n_log++] = a;
	}
	if (m->on_access)
		m->on_access(m->arg, &a);
}

int model_find(const struct model *m, char what, uint32_t offset, unsigned n)
{
	for (size_t i = 0; i < m->n_log; i++)
		if (m->log[i].what == what && m->log[i].offset == offset && n-- == 0)
			return (int)i;
	return -1;
}

/* Transport faults that hold now. */
static bool failing(const struct model *m, uint32_t fault)
{
	return m->faults & fault && m->requests >= m->fault_after;
}

/* --- knobs -------------------------------------------------------------------------------------------------- */

static uint32_t knob_get(struct model *m, uint32_t id, uint32_t *data, size_t *n_data)
{
	if (id >= MODEL_KNOBS || m->invalid[id] || id == 0 || id > 47 || (m->faults & MODEL_OLD && (id == 44 || id == 45)))
		return FSP_INVALID_KNOB;
	note(m, 'g', id, m->pending[id]);
	*data = m->pending[id] | (uint32_t)m->garbage << 16;
	*n_data = 1;
	return 0;
}

/* By the allow knob before it, for those that have one. */
static bool may_change(const struct model *m, uint32_t id)
{
	static const uint8_t with_allow[] = { 2, 4, KNOB_CCD, KNOB_CCM, KNOB_BAR0, 34, KNOB_RESET, KNOB_PPCIE };

	for (size_t i = 0; i < sizeof with_allow; i++)
		if (with_allow[i] == id)
			return m->pending[id - 1];
	return true;
}

static uint32_t knob_set(struct model *m, uint32_t id, uint16_t value)
{
	if (id >= MODEL_KNOBS || m->invalid[id] || id == 0 || id > 47 || (m->faults & MODEL_OLD && (id == 44 || id == 45)))
		return FSP_INVALID_KNOB;
	if (m->faults & MODEL_NO_INBAND || m->refused[id] || !may_change(m, id))
		return MODEL_REFUSED;
	if (!(m->faults & MODEL_WRITE_LOST))
		m->pending[id] = value;
	note(m, 's', id, value);
	return 0;
}

/* The security processor: ret gets its answer (at most 8 words), n words, or n is 0. */
static void answer(struct model *m, uint32_t ret[static 8], size_t *n, const uint32_t *q, size_t n_q)
{
	uint32_t code = 1, data = 0;
	size_t n_data = 0;

	if (n_q >= 3 && q[0] == 0xc0000000 && q[1] == 0x1310de7e) {
		if ((q[2] & 0xffff) == 0x20c && n_q == 3)
			code = knob_get(m, q[2] >> 16, &data, &n_data);
		else if ((q[2] & 0xffff) == 0x20d && n_q == 4 && q[3] <= 0xffff)
			code = knob_set(m, q[2] >> 16, (uint16_t)q[3]);
	}
	ret[0] = 0xc0000000;
	ret[1] = failing(m, MODEL_WRONG_NVDM) ? 0x1610de7e : 0x1510de7e;
	ret[2] = 0;
	ret[3] = failing(m, MODEL_WRONG_ECHO) ? 0x14 : 0x13;
	ret[4] = code;
	ret[5] = data;
	*n = 5 + n_data;
	if (failing(m, MODEL_LONG))
		ret[(*n)++] = 0x10101010;
	if (failing(m, MODEL_SHORT))
		*n = 4;
	if (failing(m, MODEL_SILENT | MODEL_DIES))
		*n = 0;
	if (failing(m, MODEL_DIES))
		m->lost = true;
}

/* Cuts an answer into two packets where that is asked for; the second waits. */
static void split(struct model *m, uint32_t *a, size_t *n)
{
	const size_t first = 4;

	if (!failing(m, MODEL_SPLIT | MODEL_SPLIT_BAD) || *n <= first)
		return;
	m->late[0] = BIT(30) | (failing(m, MODEL_SPLIT_BAD) ? 3u : 1u) << 28;
	memcpy(m->late + 1, a + first, (*n - first) * sizeof *a);
	m->n_late = *n - first + 1;
	m->late_left = 0;
	a[0] = BIT(31);
	*n = first;
}

/* --- EMEM --------------------------------------------------------------------------------------------------- */

static uint32_t emem_word(const struct model *m, uint32_t at)
{
	return at <= MODEL_EMEM - 4 ? m->emem[at] | (uint32_t)m->emem[at + 1] << 8 | (uint32_t)m->emem[at + 2] << 16 |
				      (uint32_t)m->emem[at + 3] << 24 : 0xdeadbeef;
}

static void emem_put(struct model *m, uint32_t at, uint32_t v)
{
	for (uint32_t i = 0; i < 4 && at <= MODEL_EMEM - 4; i++)
		m->emem[at + i] = (uint8_t)(v >> 8 * i);
}

static void emem_message(struct model *m, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		emem_put(m, BASE + 4 * (uint32_t)i, v[i]);
	m->port[CH].m_head = BASE;
	m->port[CH].m_tail = BASE + 4 * ((uint32_t)n - 1);
	if (failing(m, MODEL_POINTERS))
		m->port[CH].m_tail = BASE + 1024;
}

static void emem_request(struct model *m)
{
	uint32_t q[256], a[8];
	size_t n = 0, n_q = (m->port[CH].q_tail - m->port[CH].q_head) / 4 + 1;

	if (failing(m, MODEL_STUCK))
		return;
	if (m->port[CH].q_head != BASE || n_q > 256)
		return;
	for (size_t i = 0; i < n_q; i++)
		q[i] = emem_word(m, BASE + 4 * (uint32_t)i);
	answer(m, a, &n, q, n_q);
	m->port[CH].q_head = m->port[CH].q_tail;
	if (n) {
		split(m, a, &n);
		emem_message(m, a, n);
	}
	m->requests++;
}

static void late_message(struct model *m)
{
	const size_t n = m->n_late;

	m->n_late = 0;
	m->port[CH].q_head = m->port[CH].q_tail;
	emem_message(m, m->late, n);
}

static void port_write(struct model *m, uint32_t offset, uint32_t v)
{
	const uint32_t ch = offset / 8 % 8;

	if (offset & 4) {
		emem_put(m, m->port[ch].at, v);
		m->port[ch].at += m->port[ch].inc_w ? 4 : 0;
		return;
	}
	m->port[ch].at = v & 0xffffff;
	m->port[ch].inc_w = v & BIT(24);
	m->port[ch].inc_r = v & BIT(25);
}

static uint32_t port_read(struct model *m, uint32_t offset)
{
	const uint32_t ch = offset / 8 % 8;
	uint32_t v;

	if (!(offset & 4))
		return m->port[ch].at | (m->port[ch].inc_w ? BIT(24) : 0) | (m->port[ch].inc_r ? BIT(25) : 0);
	v = emem_word(m, m->port[ch].at);
	m->port[ch].at += m->port[ch].inc_r ? 4 : 0;
	return v;
}

static void queue_write(struct model *m, uint32_t offset, uint32_t v)
{
	const uint32_t ch = offset / 8 % 8;

	if (offset >= MSG_QUEUES) {
		*(offset & 4 ? &m->port[ch].m_tail : &m->port[ch].m_head) = v;
		if (ch == CH && m->n_late && !m->late_left && m->port[CH].m_head == m->port[CH].m_tail)
			late_message(m);
		return;
	}
	*(offset & 4 ? &m->port[ch].q_tail : &m->port[ch].q_head) = v;
	if (ch == CH && !(offset & 4) && m->port[ch].q_head != m->port[ch].q_tail)
		emem_request(m);
}

static uint32_t queue_read(struct model *m, uint32_t offset)
{
	const uint32_t ch = offset / 8 % 8;

	if (offset >= MSG_QUEUES) {
		if (ch == CH && !(offset & 4) && m->n_late && m->late_left && --m->late_left == 0)
			late_message(m);
		return offset & 4 ? m->port[ch].m_tail : m->port[ch].m_head;
	}
	if (!(offset & 4) && ch == CH && failing(m, MODEL_STUCK))
		return m->port[ch].q_tail ^ 8;
	return offset & 4 ? m->port[ch].q_tail : m->port[ch].q_head;
}

/* --- MNOC --------------------------------------------------------------------------------------------------- */

static void mailbox_message(struct model *m, const uint32_t *v, size_t n)
{
	memcpy(m->out, v, n * sizeof *v);
	m->out_n = n;
	m->out_at = 0;
}

static void mailbox_write(struct model *m, uint32_t offset, uint32_t v)
{
	uint32_t a[8];
	size_t n = 0;

	if (offset == MBOX_TO_INFO) {
		m->in_want = (v & 0xfffff) / 4;
		m->in_n = 0;
		m->credit = 0;
		m->in_error = !(v & BIT(20)) || v & 3 || !m->in_want || m->in_want > 1040;
		return;
	}
	if (failing(m, MODEL_MBOX_ERROR) || !m->credit || m->in_n >= m->in_want) {
		m->in_error = true;
		return;
	}
	m->credit--;
	m->in[m->in_n++] = v;
	if (m->in_n < m->in_want)
		return;
	answer(m, a, &n, m->in, m->in_n);
	if (n) {
		split(m, a, &n);
		mailbox_message(m, a, n);
	}
	m->requests++;
}

static uint32_t mailbox_read(struct model *m, uint32_t offset)
{
	uint32_t v;

	if (offset == MBOX_TO_INFO) {
		if (!failing(m, MODEL_NO_CREDIT))
			m->credit = 16;
		return (failing(m, MODEL_STUCK) ? 0 : BIT(24)) | (m->credit ? BIT(26) : 0) | (m->in_error ? BIT(25) : 0);
	}
	if (offset == MBOX_FROM_INFO) {
		if (m->n_late && m->late_left && --m->late_left == 0) {
			mailbox_message(m, m->late, m->n_late);
			m->n_late = 0;
		}
		if (m->out_at >= m->out_n)
			return 0;
		/* the request that this answers was counted already */
		return BIT(24) | (m->faults & MODEL_POINTERS && m->requests > m->fault_after ? 0xffffc : (uint32_t)m->out_n * 4);
	}
	if (offset != MBOX_FROM_DATA || m->out_at >= m->out_n)
		return 0;
	v = m->out[m->out_at++];
	if (m->out_at == m->out_n && m->n_late && !m->late_left) {
		mailbox_message(m, m->late, m->n_late);
		m->n_late = 0;
	}
	return v;
}

/* --- what lies there at the start --------------------------------------------------------------------------- */

static void leave_things(struct model *m)
{
	static const uint32_t old[] = { 0xc0000000, 0x1510de7e, 0, 0x13, 0, 0x5a5a };

	if (m->faults & MODEL_STALE) {
		if (is_blackwell(m))
			mailbox_message(m, old, 6);
		else
			emem_message(m, old, 6);
	}
	if (m->faults & MODEL_LEFTOVER && !is_blackwell(m)) {
		m->port[CH].q_head = BASE;
		m->port[CH].q_tail = BASE + 8;
		memcpy(m->late, old, sizeof old);
		m->n_late = 6;
		m->late_left = 7;
	}
	if (m->faults & MODEL_LATE) {
		memcpy(m->late, old, sizeof old);
		m->n_late = 6;
		m->late_left = is_blackwell(m) ? 2 : 4;	/* after one look, and before the answer to the next request */
	}
	m->faults &= ~(uint32_t)(MODEL_STALE | MODEL_LEFTOVER | MODEL_LATE);
}

/* --- registers ---------------------------------------------------------------------------------------------- */

static uint32_t boot_word(struct model *m)
{
	if (m->faults & MODEL_BOOT_ONES && m->resets)
		return ONES;
	if (m->boot_left == 0 && !(m->faults & MODEL_BOOT_NEVER))
		return 0xff;
	m->boot_left -= m->boot_left > 0;
	return m->faults & MODEL_BOOT_BADF ? 0xbadf5040 : 0;
}

static uint32_t recovery_word(const struct model *m)
{
	const bool is_set = m->faults & MODEL_RECOVERY;

	return is_blackwell(m) ? (is_set ? 0x5a : 1) : is_set ? BIT(30) : 0;
}

static uint32_t mode_word(const struct model *m)
{
	const uint32_t v = (uint32_t)model_mode(m);

	return is_blackwell(m) ? v | (m->active[KNOB_BAR0] == 2 ? BIT(2) : 0) : v | (m->active[KNOB_PPCIE] & 1u) << 5;
}

static bool firewalled(struct model *m)
{
	if (!is_blackwell(m))
		return false;
	if (m->faults & MODEL_NO_DVSEC)
		return m->firewall_left && m->firewall_left--;
	return m->firewall_left || (m->faults & MODEL_FIREWALL && m->resets);
}

static uint32_t register_word(struct model *m, uint32_t offset)
{
	const size_t k = kind_of(m);

	if (m->lost || m->faults & MODEL_GONE || firewalled(m))
		return ONES;
	if (m->faults & MODEL_SEC_FAULT)
		return 0xbadf0200;
	if (m->faults & MODEL_BLOCKED)
		return 0xbadf1100;
	if (offset == 0)
		return m->faults & MODEL_RECOVERY && m->chip == CHIP_HOPPER ? 0 : m->boot0;
	if (offset == kinds[k].boot)
		return boot_word(m);
	if (offset == kinds[k].recovery)
		return recovery_word(m);
	if (offset == (is_blackwell(m) ? 0x590u : 0x1182ccu) && m->chip != CHIP_LS10)
		return mode_word(m);
	if (offset == 0x28c50 && m->chip == CHIP_LS10)
		return m->active[KNOB_PPCIE] & 1u;
	if (offset >= 0x8f0320 && offset < 0x8f0330)
		return 0x5c000000 | (offset - 0x8f0320);
	if (is_blackwell(m) && offset >= 0x8f1f00 && offset < 0x8f2000)
		return mailbox_read(m, offset);
	if (!is_blackwell(m) && offset >= EMEM_PORTS && offset < EMEM_PORTS + 64)
		return port_read(m, offset - EMEM_PORTS);
	if (!is_blackwell(m) && ((offset >= CMD_QUEUES && offset < CMD_QUEUES + 64) || (offset >= MSG_QUEUES && offset < MSG_QUEUES + 64)))
		return queue_read(m, offset);
	return 0xbadf5040;		/* nothing there */
}

static uint32_t noisy(struct model *m, uint32_t v)
{
	if (!m->noise || !m->noise_left)
		return v;
	const uint8_t how = *m->noise++;

	m->noise_left--;
	if (how < 0xc0 || m->noise_left < 4)
		return v;
	v = m->noise[0] | (uint32_t)m->noise[1] << 8 | (uint32_t)m->noise[2] << 16 | (uint32_t)m->noise[3] << 24;
	m->noise += 4;
	m->noise_left -= 4;
	return v;
}

int model_read32(struct model *m, uint32_t offset, uint32_t *ret, struct err *e)
{
	if (offset % 4 || offset > model_bar_size(m) - 4)
		return err_set(e, EC_BUG, "register 0x%x is not inside BAR0", (unsigned)offset);
	m->now_us++;
	leave_things(m);
	*ret = noisy(m, register_word(m, offset));
	note(m, 'r', offset, *ret);
	return 0;
}

int model_write32(struct model *m, uint32_t offset, uint32_t value, struct err *e)
{
	if (offset % 4 || offset > model_bar_size(m) - 4)
		return err_set(e, EC_BUG, "register 0x%x is not inside BAR0", (unsigned)offset);
	m->now_us++;
	leave_things(m);
	note(m, 'w', offset, value);
	if (m->lost || m->faults & (MODEL_GONE | MODEL_BLOCKED | MODEL_SEC_FAULT))
		return 0;
	if (is_blackwell(m) && (offset == MBOX_TO_INFO || offset == MBOX_TO_DATA))
		mailbox_write(m, offset, value);
	if (!is_blackwell(m) && offset >= EMEM_PORTS && offset < EMEM_PORTS + 64)
		port_write(m, offset - EMEM_PORTS, value);
	if (!is_blackwell(m) && ((offset >= CMD_QUEUES && offset < CMD_QUEUES + 64) || (offset >= MSG_QUEUES && offset < MSG_QUEUES + 64)))
		queue_write(m, offset, value);
	return 0;
}

/* --- configuration space and reset -------------------------------------------------------------------------- */

static uint32_t dvsec_flags(struct model *m)
{
	const bool up = m->firewall_left || (m->faults & MODEL_FIREWALL && m->resets);

	m->firewall_left -= m->firewall_left > 0;
	return up ? BIT(20) : 0;
}

static uint32_t config_word(struct model *m, uint32_t offset)
{
	const bool dvsec = is_blackwell(m) && !(m->faults & MODEL_NO_DVSEC);

	if (m->lost || m->faults & MODEL_GONE)
		return ONES;
	switch (offset) {
	case 0: return (uint32_t)m->pci.device << 16 | m->pci.vendor;
	case 4: return 0x00100002;
	case 8: return m->pci.class_code << 8 | 0xa1;
	case 0x100: return 0x15010001;			/* error reporting, next at 0x150 */
	case 0x150: return dvsec ? DVSEC_AT << 20 | 0x10023 : 0x10023;	/* somebody else's */
	case 0x154: return 0x00c08086;
	case 0x158: return 0;
	case DVSEC_AT: return dvsec ? 0x10023 : 0;
	case DVSEC_AT + 4: return dvsec ? 0x018010de : 0;
	case DVSEC_AT + 8: return dvsec ? dvsec_flags(m) : 0;
	case DVSEC_AT + 0x14: return dvsec && m->faults & MODEL_SEC_FAULT ? 0x2a : 0;
	case 0x2b4: return m->chip == CHIP_HOPPER && m->faults & MODEL_SEC_FAULT ? 0x2a : 0;
	}
	return 0;
}

int model_config32(struct model *m, uint32_t offset, uint32_t *ret, struct err *e)
{
	if (offset % 4 || offset >= 4096)
		return err_set(e, EC_BUG, "0x%x is no word of the configuration space", (unsigned)offset);
	m->now_us++;
	*ret = noisy(m, config_word(m, offset));
	note(m, 'c', offset, *ret);
	return 0;
}

int model_reset(struct model *m, struct err *e)
{
	if (m->faults & MODEL_RESET_NONE)
		return err_set(e, EC_ABSENT, "cannot reset '%s': the kernel knows no way to", m->pci.bdf);
	note(m, 'R', 0, m->resets);
	if (m->faults & MODEL_RESET_ERROR)
		return err_set(e, EC_IO, "cannot reset '%s': input/output error", m->pci.bdf);
	m->resets++;
	m->now_us += 100000;
	if (!(m->faults & MODEL_RESET_IGNORED))
		memcpy(m->active, m->pending, sizeof m->active);
	if (m->faults & MODEL_RESET_LOST)
		m->lost = true;
	m->boot_left = m->boot_reads;
	m->firewall_left = is_blackwell(m) ? m->firewall_reads : 0;
	memset(m->port, 0, sizeof m->port);
	memset(m->emem, 0, sizeof m->emem);
	m->n_late = m->in_n = m->in_want = m->out_n = m->out_at = 0;
	m->in_error = false;
	return 0;
}

/* --- as an access layer -------------------------------------------------------------------------------------- */

struct use {
	struct model *m;
	bool writable;
};

static int use_read32(void *arg, uint32_t offset, uint32_t *ret, struct err *e)
{
	return model_read32(((struct use *)arg)->m, offset, ret, e);
}

static int use_write32(void *arg, uint32_t offset, uint32_t value, struct err *e)
{
	const struct use *u = arg;

	return u->writable ? model_write32(u->m, offset, value, e) : err_set(e, EC_BUG, "register write to '%s', which was opened for a query",
									     u->m->pci.bdf);
}

static int use_config32(void *arg, uint32_t offset, uint32_t *ret, struct err *e)
{
	return model_config32(((struct use *)arg)->m, offset, ret, e);
}

static int use_reset(void *arg, struct err *e)
{
	const struct use *u = arg;

	return u->writable ? model_reset(u->m, e) : err_set(e, EC_BUG, "reset of '%s', which was opened for a query", u->m->pci.bdf);
}

static int64_t use_now_ms(void *arg)
{
	return ((struct use *)arg)->m->now_us / 1000;
}

static void use_sleep_ms(void *arg, unsigned ms)
{
	((struct use *)arg)->m->now_us += (int64_t)ms * 1000;
}

struct mmio model_mmio(struct model *m, bool writable)
{
	struct use *u = calloc(1, sizeof *u);

	if (!u)
		abort();
	*u = (struct use){ m, writable };
	return (struct mmio){ .read32 = use_read32, .write32 = use_write32, .config32 = use_config32, .reset = use_reset, .close = free,
			      .now_ms = use_now_ms, .sleep_ms = use_sleep_ms, .arg = u, .size = model_bar_size(m) };
}
