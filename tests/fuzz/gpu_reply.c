/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a driver may answer: each call takes its errno, status and bytes from the input. */
#include "base/cursor.h"
#include "gpu/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct feed {
	struct rd r;
	bool honest_start;	/* version, cards and session in form, so that what follows is reached */
	unsigned calls;
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

static int feed_call(void *arg, int node, struct rm_msg *m)
{
	struct feed *f = arg;
	const size_t status_at = m->nr == RM_NR_CONTROL ? 28 : 40;

	(void)node;
	if (f->honest_start && f->calls++ < 3) {
		honest(m);
		return 0;
	}
	const uint8_t how = rd_u8(&f->r);

	if (f->r.bad || how == 0xff)
		return 5;
	if (m->params_size)
		rd_copy(&f->r, m->params, how & 1 && m->params_size > 64 ? 64 : m->params_size);
	else
		rd_copy(&f->r, m->s, m->n < 128 ? m->n : 128);
	if (m->nr == RM_NR_ALLOC)
		m->s[8] = how;
	if (m->nr == RM_NR_ALLOC || m->nr == RM_NR_CONTROL)
		memset(m->s + status_at, 0, 4);
	if (status_at < m->n && how & 2)
		m->s[status_at] = (uint8_t)(how & 0x80 ? 0x56 : 0x1f);
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

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct gpu_pci gpu = { .bdf = "0000:00:06.0", .addr = { 0, 0, 6, 0 }, .vendor = 0x10de, .device = 0x2330,
			       .driver = "nvidia" };
	const struct gpu_list list = { .v = &gpu, .n = 1 };
	struct feed f = { .r = rd_of(slice_of(p, n)) };
	const struct rm_port port = { feed_open, feed_call, feed_close, feed_release, &f };
	struct gpu_states s = { 0 };
	struct rm *rm = NULL;
	struct err why = { 0 };

	f.honest_start = rd_u8(&f.r) & 1;
	rm_open_port(&rm, &port, NULL, &why);
	if (gpu_states_ask(&s, &list, NULL, rm, &why, &why))
		return 0;
	for (size_t i = 0; i < s.n; i++)	/* no answer, no mode */
		if (s.v[i].answer != GPU_ANSWERED && s.v[i].mode != GPU_MODE_UNKNOWN)
			abort();
	gpu_states_free(&s);
	rm_close(rm);
	return 0;
}
