/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a driver may answer: each call takes its errno, status and bytes from the input. */
#include "base/cursor.h"
#include "gpu/nvcollect.h"
#include "gpu/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct feed {
	struct rd r;
	bool honest_start;	/* version, cards and session in form, so that what follows is reached */
	bool honest_state;	/* and a GPU in a confidential mode */
	unsigned calls, chains, reports;
	bool off;		/* the driver has said so */
};

static int feed_open(void *arg, unsigned minor, struct err *e)
{
	(void)arg;
	return minor == 77 ? err_set(e, EC_IO, "this one does not open") : (int)minor;
}

static void honest(struct rm_msg *m)
{
	static const uint8_t card[] = { 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0xde, 0x10, 0x30, 0x23, 6 };

	if (m->nr == RM_NR_VERSION) {
		m->s[4] = 1;
		memcpy(m->s + 8, "580.1", 5);
	} else if (m->nr == RM_NR_CARD_INFO) {
		memcpy(m->s, card, sizeof card);
	} else {
		m->s[8] = 7;	/* a handle, or a size nobody reads */
	}
}

/* Control commands up to the evidence. */
static bool honest_answer(struct rm_msg *m)
{
	const uint32_t cmd = get_le32(m->s + 8);

	if (cmd == 0xcb330101)
		memcpy(m->params, (const uint8_t[]){ 3, 2, 2, 2, 0, 0 }, m->params_size < 6 ? m->params_size : 6);
	if (cmd == 0x20801801)
		memcpy(m->params, (const uint8_t[]){ 0xde, 0x10, 0x30, 0x23 }, 4);
	if (cmd == 0x20800110)
		memcpy(m->params + 4, "GPU", 4);
	if (cmd == 0x275)
		memcpy(m->params + 8, "GPU-01234567-89ab-cdef-0123-456789abcdef", 41);
	return cmd != 0xcb330109 && cmd != 0xcb33010a;
}

/* The two that may be sent once, and never where the mode is off. */
static void watch(struct feed *f, const struct rm_msg *m)
{
	const uint32_t cmd = m->nr == RM_NR_CONTROL ? get_le32(m->s + 8) : 0;

	f->chains += cmd == 0xcb330109;
	f->reports += cmd == 0xcb33010a;
	if (f->chains > 1 || f->reports > f->chains || (f->off && f->chains))
		abort();
}

/* A chain or a report in form, of which the input changes what comes where it says. */
static void nearly_honest(struct feed *f, struct rm_msg *m)
{
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
	const bool chain = get_le32(m->s + 8) == 0xcb330109;
	const size_t at = chain ? 4104 : 36, size_at = chain ? 9224 : 8228, n = sizeof pem - 1;
	const size_t where = rd_le16(&f->r) % m->params_size;

	memcpy(m->params + at, pem, n);
	if (!chain) {
		memcpy(m->params + at, (const uint8_t[]){ 0x11, 0xe0, 1, 0xff }, 4);
		memcpy(m->params + at + 4, m->params + 4, 32);
	}
	m->params[size_at] = (uint8_t)n;
	for (size_t i = where; i < m->params_size && i < where + 8; i++)
		m->params[i] ^= rd_u8(&f->r);
}

static int feed_call(void *arg, int node, struct rm_msg *m)
{
	struct feed *f = arg;
	const size_t status_at = m->nr == RM_NR_CONTROL ? 28 : 40;

	(void)node;
	watch(f, m);
	if (f->honest_start && f->calls++ < 3) {
		honest(m);
		return 0;
	}
	if (f->honest_state && m->nr == RM_NR_CONTROL && honest_answer(m))
		return 0;
	if (f->honest_state && m->nr == RM_NR_ALLOC) {
		honest(m);
		return 0;
	}
	const uint8_t how = rd_u8(&f->r);

	if (f->r.bad || how == 0xff)
		return 5;
	if (m->nr == RM_NR_CONTROL && how & 0x20 && (get_le32(m->s + 8) == 0xcb330109 || get_le32(m->s + 8) == 0xcb33010a))
		nearly_honest(f, m);
	else if (m->params_size)
		rd_copy(&f->r, m->params, how & 1 && m->params_size > 64 ? 64 : m->params_size);
	else
		rd_copy(&f->r, m->s, m->n < 128 ? m->n : 128);
	if (m->nr == RM_NR_ALLOC)
		m->s[8] = how;
	if (m->nr == RM_NR_ALLOC || m->nr == RM_NR_CONTROL)
		memset(m->s + status_at, 0, 4);
	if (status_at < m->n && how & 2)
		m->s[status_at] = (uint8_t)(how & 0x80 ? 0x56 : 0x1f);
	else if (m->nr == RM_NR_CONTROL && get_le32(m->s + 8) == 0xcb330101)
		f->off = !m->params[3] && (m->params_size < 6 || !m->params[5]);
	return 0;
}

static void feed_close(void *arg, int node)
{
	(void)arg;
	(void)node;
}

static void feed_release(void *arg)
{
	(void)arg;
}

static int feed_session(struct rm **ret, void *arg, struct err *e)
{
	return rm_open_port(ret, &(const struct rm_port){ feed_open, feed_call, feed_close, feed_release, arg }, NULL, e);
}

static void states(struct feed *f, const struct gpu_list *list)
{
	struct gpu_states s = { 0 };
	struct rm *rm = NULL;
	struct err why = { 0 };

	feed_session(&rm, f, &why);
	if (gpu_states_ask(&s, list, NULL, rm, &why, &why) == 0)
		for (size_t i = 0; i < s.n; i++)	/* no answer, no mode */
			if (s.v[i].answer != GPU_ANSWERED && s.v[i].mode != GPU_MODE_UNKNOWN)
				abort();
	gpu_states_free(&s);
	rm_close(rm);
}

static void collect(struct feed *f, const struct gpu_list *list)
{
	const struct nv_sessions sessions = { feed_session, f };
	struct collect_how how = { .gpus = "00:06.0" };
	struct evidence ev = { .how = &how };
	struct err why = { 0 };
	struct host h;

	host_init(&h);
	if (nv_collect_over(&ev, &h, list, &sessions, SLICE("nonce"), &why) == 0 && (f->chains != 1 || f->reports != 1))
		abort();
	evidence_free(&ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct gpu_pci gpu = { .bdf = "0000:00:06.0", .addr = { 0, 0, 6, 0 }, .vendor = 0x10de, .device = 0x2330,
			       .driver = "nvidia" };
	const struct gpu_list list = { .v = &gpu, .n = 1 };
	struct feed f = { .r = rd_of(slice_of(p, n)) };
	const uint8_t how = rd_u8(&f.r);

	f.honest_start = how & 1;
	f.honest_state = f.honest_start && how & 4;
	if (how & 2)
		collect(&f, &list);
	else
		states(&f, &list);
	return 0;
}
