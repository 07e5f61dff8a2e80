/* SPDX-License-Identifier: Apache-2.0 */
/* See fsp.h: knobs by PRC messages, over EMEM or MNOC (nvidia-gpu.md 5.3). */
#include "gpu/fsp.h"

#define WORDS_MAX 64		/* of a whole answer: PRC's have 5 or 6 */
#define PACKETS_MAX 8

#define MCTP_SOM (UINT32_C(1) << 31)
#define MCTP_EOM (UINT32_C(1) << 30)
#define MCTP_SINGLE (MCTP_SOM | MCTP_EOM)
#define MCTP_SEQ(word) ((word) >> 28 & 3)
#define MCTP_IC UINT32_C(0x80)		/* integrity check: not used */
#define NVDM_PRC 0x13
#define NVDM_ANSWER 0x15
#define NVDM_HEAD(type) (UINT32_C(0x10de7e) | (uint32_t)(type) << 24)	/* vendor-defined message of vendor 0x10de */
#define PRC_READ 0x20c			/* sub-message, and 2: persistent */
#define PRC_WRITE 0x20d

struct words {
	uint32_t v[WORDS_MAX];
	size_t n;
};

static const char GONE_HINT[] = "the GPU has fallen off the bus or was reset: look at the kernel log";

static int reg_read(uint32_t *ret, const struct fsp *f, uint32_t offset, struct err *e)
{
	uint32_t v;

	if (f->m->read32(f->m->arg, offset, &v, e))
		return -1;
	if (mmio_no_value(v)) {
		err_set(e, EC_IO, "register 0x%x reads 0x%08x, %s", (unsigned)offset, (unsigned)v, mmio_no_value(v));
		return err_hint(e, "%s", GONE_HINT);
	}
	*ret = v;
	return 0;
}

static int reg_write(const struct fsp *f, uint32_t offset, uint32_t value, struct err *e)
{
	return f->m->write32(f->m->arg, offset, value, e);
}

/* --- EMEM: a window of 1024 bytes, two queues that are pointers into it ------------------------------------- */

#define CH 2u
#define EMEM_BASE (CH * 1024)
#define EMEM_PACKET 1024u
#define EMEMC (0x8f2ac0 + 8 * CH)
#define EMEMD (0x8f2ac4 + 8 * CH)
#define EMEM_INC_WRITE (UINT32_C(1) << 24)
#define EMEM_INC_READ (UINT32_C(1) << 25)
#define CMD_HEAD (0x8f2c00 + 8 * CH)
#define CMD_TAIL (0x8f2c04 + 8 * CH)
#define MSG_HEAD (0x8f2c80 + 8 * CH)
#define MSG_TAIL (0x8f2c84 + 8 * CH)
#define CMD_EMPTY_MS 1000
#define ANSWER_MS 5000
#define STALE_MAX 16		/* messages nobody asked for */
#define LATE_MS 30		/* for an answer to somebody else's request, when nothing says that there is one */

struct queue {
	uint32_t head, tail;
};

static int queue_get(struct queue *ret, const struct fsp *f, uint32_t head_at, uint32_t tail_at, struct err *e)
{
	return reg_read(&ret->head, f, head_at, e) || reg_read(&ret->tail, f, tail_at, e) ? -1 : 0;
}

/* True in *ret: the message queue is not empty; false: the time is up. */
static int message_wait(bool *ret, struct queue *q, const struct fsp *f, int64_t until, struct err *e)
{
	do {
		if (queue_get(q, f, MSG_HEAD, MSG_TAIL, e))
			return -1;
		if (q->head != q->tail) {
			*ret = true;
			return 0;
		}
	} while (mmio_wait(f->m, f->h, until, 10));
	*ret = false;
	return 0;
}

static int queues_reset(const struct fsp *f, struct err *e)
{
	return reg_write(f, CMD_TAIL, EMEM_BASE, e) || reg_write(f, CMD_HEAD, EMEM_BASE, e) || reg_write(f, MSG_TAIL, EMEM_BASE, e) ||
	       reg_write(f, MSG_HEAD, EMEM_BASE, e) ? -1 : 0;
}

/* An earlier user may have been stopped between its request and the answer.  Nothing in an answer says which knob it is about: it has to be gone before
 * the first request, also where it is only just on its way. */
static int emem_settle(const struct fsp *f, struct err *e)
{
	struct queue cmd, msg;
	bool came;

	if (queue_get(&cmd, f, CMD_HEAD, CMD_TAIL, e) || queue_get(&msg, f, MSG_HEAD, MSG_TAIL, e))
		return -1;
	const bool empty = cmd.head == cmd.tail && msg.head == msg.tail;

	if (message_wait(&came, &msg, f, mmio_until(f->m, f->h, empty ? LATE_MS : ANSWER_MS), e))
		return -1;
	return empty && !came ? 0 : queues_reset(f, e);
}

static int stale_drop(const struct fsp *f, unsigned *dropped, struct err *e)
{
	struct queue msg;

	if (queue_get(&msg, f, MSG_HEAD, MSG_TAIL, e))
		return -1;
	if (msg.head == msg.tail)
		return 0;
	if (++*dropped > STALE_MAX)
		return err_set(e, EC_IO, "message queue is never empty: more than %d messages that nobody asked for", STALE_MAX);
	return reg_write(f, MSG_TAIL, msg.head, e);
}

static int emem_ready(const struct fsp *f, struct err *e)
{
	const int64_t until = mmio_until(f->m, f->h, CMD_EMPTY_MS);
	unsigned dropped = 0;
	struct queue cmd;

	do {
		if (queue_get(&cmd, f, CMD_HEAD, CMD_TAIL, e) || stale_drop(f, &dropped, e))
			return -1;
		if (cmd.head == cmd.tail)
			return 0;
	} while (mmio_wait(f->m, f->h, until, 1));
	return err_set(e, EC_IO, "command queue does not get empty (head 0x%x, tail 0x%x): the security processor does not take requests",
		       (unsigned)cmd.head, (unsigned)cmd.tail);
}

static int emem_send(const struct fsp *f, const struct words *w, struct err *e)
{
	if (emem_ready(f, e) || reg_write(f, EMEMC, EMEM_BASE | EMEM_INC_WRITE, e))
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (reg_write(f, EMEMD, w->v[i], e))
			return -1;
	/* the head makes it a request: tail first */
	return reg_write(f, CMD_TAIL, EMEM_BASE + 4 * ((uint32_t)w->n - 1), e) || reg_write(f, CMD_HEAD, EMEM_BASE, e) ? -1 : 0;
}

static int emem_receive(struct words *ret, const struct fsp *f, int64_t until, struct err *e)
{
	struct queue q;
	uint32_t n;
	bool came;

	if (message_wait(&came, &q, f, until, e))
		return -1;
	if (!came)
		return err_set(e, EC_IO, "no answer from the security processor");
	n = (q.tail - q.head) / 4 + 1;
	if (q.head % 4 || q.tail % 4 || q.head < EMEM_BASE || q.tail < q.head || q.tail >= EMEM_BASE + EMEM_PACKET)
		return err_set(e, EC_IO, "message queue is out of form: head 0x%x, tail 0x%x, its channel is 0x%x to 0x%x", (unsigned)q.head,
			       (unsigned)q.tail, EMEM_BASE, EMEM_BASE + EMEM_PACKET);
	if (n > WORDS_MAX)
		return err_set(e, EC_IO, "answer of %u words, at most %d are expected", (unsigned)n, WORDS_MAX);
	if (reg_write(f, EMEMC, EMEM_BASE | EMEM_INC_READ, e))
		return -1;
	for (ret->n = 0; ret->n < n; ret->n++)
		if (f->m->read32(f->m->arg, EMEMD, &ret->v[ret->n], e))	/* any word may be data */
			return -1;
	return reg_write(f, MSG_TAIL, q.head, e);
}

/* --- MNOC: a mailbox for each direction --------------------------------------------------------------------- */

#define TO_INFO 0x8f1f84u
#define TO_DATA 0x8f1f88u
#define FROM_INFO 0x8f1f04u
#define FROM_DATA 0x8f1f08u
#define INFO_READY (UINT32_C(1) << 24)
#define INFO_ERROR (UINT32_C(1) << 25)
#define INFO_CREDIT (UINT32_C(1) << 26)
#define INFO_START (UINT32_C(1) << 20)
#define INFO_SIZE 0xfffffu
#define MNOC_PACKET 4160u
#define MNOC_READY_MS 5000
#define MNOC_CREDIT_MS 1000
#define MNOC_CHUNK 16		/* words that one credit lets pass */

static int bit_wait(bool *ret, uint32_t *info, const struct fsp *f, uint32_t offset, uint32_t bit, int64_t until, struct err *e)
{
	do {
		if (reg_read(info, f, offset, e))
			return -1;
		if (*info & bit) {
			*ret = true;
			return 0;
		}
	} while (mmio_wait(f->m, f->h, until, 1));
	*ret = false;
	return 0;
}

static int no_error(const struct fsp *f, uint32_t offset, struct err *e)
{
	uint32_t info;

	if (reg_read(&info, f, offset, e))
		return -1;
	if (info & INFO_ERROR)
		return err_set(e, EC_IO, "mailbox %s the security processor reports an error (0x%08x)", offset == TO_INFO ? "to" : "from",
			       (unsigned)info);
	return 0;
}

static int mnoc_wait_for(const struct fsp *f, uint32_t bit, int64_t ms, const char *what, struct err *e)
{
	uint32_t info;
	bool is_set;

	if (bit_wait(&is_set, &info, f, TO_INFO, bit, mmio_until(f->m, f->h, ms), e))
		return -1;
	if (!is_set)
		return err_set(e, EC_IO, "mailbox to the security processor %s (0x%08x)", what, (unsigned)info);
	return 0;
}

static int mnoc_send(const struct fsp *f, const struct words *w, struct err *e)
{
	if (no_error(f, TO_INFO, e) || mnoc_wait_for(f, INFO_READY, MNOC_READY_MS, "does not get ready", e) ||
	    reg_write(f, TO_INFO, (uint32_t)w->n * 4 | INFO_START, e))
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		if (i % MNOC_CHUNK == 0 && mnoc_wait_for(f, INFO_CREDIT, MNOC_CREDIT_MS, "gives no credit", e))
			return -1;
		if (reg_write(f, TO_DATA, w->v[i], e))
			return -1;
	}
	return no_error(f, TO_INFO, e);
}

static int mnoc_receive(struct words *ret, const struct fsp *f, int64_t until, struct err *e)
{
	uint32_t info, size;
	bool came;

	if (bit_wait(&came, &info, f, FROM_INFO, INFO_READY, until, e))
		return -1;
	if (!came)
		return no_error(f, FROM_INFO, e) ? -1 : err_set(e, EC_IO, "no answer from the security processor");
	size = info & INFO_SIZE;
	if (size == 0 || size % 4 || size > MNOC_PACKET || size / 4 > WORDS_MAX)
		return err_set(e, EC_IO, "answer of %u bytes, wanted whole words and at most %d of them", (unsigned)size, WORDS_MAX);
	for (ret->n = 0; ret->n < size / 4; ret->n++)
		if (f->m->read32(f->m->arg, FROM_DATA, &ret->v[ret->n], e))
			return -1;
	return no_error(f, FROM_INFO, e);
}

/* Messages that an earlier user did not take (see emem_settle). */
static int mnoc_settle(const struct fsp *f, struct err *e)
{
	const int64_t until = mmio_until(f->m, f->h, LATE_MS);
	uint32_t info, none;
	bool came;

	for (unsigned dropped = 0;; dropped++) {
		if (bit_wait(&came, &info, f, FROM_INFO, INFO_READY, until, e))
			return -1;
		if (!came)
			return 0;
		if (dropped == STALE_MAX || (info & INFO_SIZE) > MNOC_PACKET)
			return err_set(e, EC_IO, "mailbox from the security processor cannot be emptied (0x%08x)", (unsigned)info);
		for (uint32_t at = 0; at < (info & INFO_SIZE); at += 4)
			if (f->m->read32(f->m->arg, FROM_DATA, &none, e))
				return -1;
	}
}

/* --- messages ----------------------------------------------------------------------------------------------- */

static int send_packet(const struct fsp *f, const struct words *w, struct err *e)
{
	return f->r->mnoc ? mnoc_send(f, w, e) : emem_send(f, w, e);
}

static int receive_packet(struct words *ret, const struct fsp *f, int64_t until, struct err *e)
{
	return f->r->mnoc ? mnoc_receive(ret, f, until, e) : emem_receive(ret, f, until, e);
}

/* Follow-up packets carry only word 0 as their head. */
static int append(struct words *all, const struct words *p, uint32_t seq, struct err *e)
{
	if (p->v[0] & MCTP_SOM || MCTP_SEQ(p->v[0]) != (seq & 3))
		return err_set(e, EC_IO, "answer in several packets is out of order: head 0x%08x where number %u goes on", (unsigned)p->v[0],
			       (unsigned)(seq & 3));
	if (p->n - 1 > WORDS_MAX - all->n)
		return err_set(e, EC_IO, "answer of more than %d words", WORDS_MAX);
	memcpy(all->v + all->n, p->v + 1, (p->n - 1) * sizeof p->v[0]);
	all->n += p->n - 1;
	return 0;
}

static int receive(struct words *ret, const struct fsp *f, struct err *e)
{
	const int64_t until = mmio_until(f->m, f->h, ANSWER_MS);
	struct words all, p;
	bool whole;

	if (receive_packet(&all, f, until, e))
		return -1;
	if (!(all.v[0] & MCTP_SOM))
		return err_set(e, EC_IO, "answer begins with head 0x%08x, which is no first packet", (unsigned)all.v[0]);
	whole = all.v[0] & MCTP_EOM;
	for (uint32_t seq = MCTP_SEQ(all.v[0]) + 1, n = 1; !whole; seq++, n++) {
		if (n == PACKETS_MAX)
			return err_set(e, EC_IO, "answer of more than %d packets", PACKETS_MAX);
		if (receive_packet(&p, f, until, e) || append(&all, &p, seq, e))
			return -1;
		whole = p.v[0] & MCTP_EOM;
	}
	*ret = all;
	return 0;
}

/* ret: error code of the answer.  n_data: data words that a good answer has. */
static int check_answer(uint32_t *ret, const struct words *a, size_t n_data, struct err *e)
{
	if (a->n < 5)
		return err_set(e, EC_IO, "answer of %zu words is too short, wanted 5", a->n);
	if ((a->v[1] & ~MCTP_IC) != NVDM_HEAD(NVDM_ANSWER))
		return err_set(e, EC_IO, "message 0x%08x is not an answer, wanted type 0x%x of vendor 0x10de", (unsigned)a->v[1], NVDM_ANSWER);
	if (a->v[3] != NVDM_PRC)
		return err_set(e, EC_IO, "answer to a request of type 0x%x, sent was 0x%x", (unsigned)a->v[3], NVDM_PRC);
	if (a->v[4] == 0 && a->n != 5 + n_data)
		return err_set(e, EC_IO, "answer of %zu words, wanted %zu", a->n, 5 + n_data);
	*ret = a->v[4];
	return 0;
}

static int talk(struct words *answer, uint32_t *code, struct fsp *f, const struct words *request, size_t n_data, struct err *e)
{
	if (!f->ready && (f->r->mnoc ? mnoc_settle(f, e) : emem_settle(f, e)))
		return -1;
	f->ready = false;	/* after a failure the queues are put in order again */
	if (send_packet(f, request, e) || receive(answer, f, e) || check_answer(code, answer, n_data, e))
		return -1;
	f->ready = true;
	return 0;
}

/* --- knobs --------------------------------------------------------------------------------------------------- */

static const struct {
	enum knob id;
	const char *name;
} names[] = {
	{ KNOB_CCD_ALLOW, "enable-devtools-allow-inband-control" },
	{ KNOB_CCD, "enable-devtools" },
	{ KNOB_CCM_ALLOW, "enable-allow-inband-control" },
	{ KNOB_CCM, "enable" },
	{ KNOB_BAR0_ALLOW, "enable-bar0-filter-allow-inband-control" },
	{ KNOB_BAR0, "enable-bar0-filter" },
	{ KNOB_RESET_ALLOW, "force-reset-coupling-allow-inband-control" },
	{ KNOB_RESET, "force-reset-coupling" },
	{ KNOB_PPCIE_ALLOW, "ppcie-enable-allow-inband-control" },
	{ KNOB_PPCIE, "ppcie-enable" },
	{ KNOB_2, "knob-2" },
	{ KNOB_4, "knob-4" },
	{ KNOB_34, "knob-34" },
};

const char *knob_name(enum knob k)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].id == k)
			return names[i].name;
	return "knob";
}

static int refused(const char *what, enum knob k, uint32_t code, struct err *e)
{
	if (code == FSP_INVALID_KNOB) {
		err_set(e, EC_DENIED, "the firmware does not know knob '%s' (%d): code 0x%x", knob_name(k), (int)k, FSP_INVALID_KNOB);
		return err_hint(e, "it is too old for this mode: update the VBIOS");
	}
	err_set(e, EC_DENIED, "the firmware refused to %s knob '%s' (%d): refused with code 0x%x", what, knob_name(k), (int)k, (unsigned)code);
	return err_hint(e, "the platform's owner may have switched off control from the running system (in-band): its BMC has to change the mode");
}

int fsp_read_knob(uint16_t *ret, bool *known, struct fsp *f, enum knob k, struct err *e)
{
	const struct words request = { .v = { MCTP_SINGLE, NVDM_HEAD(NVDM_PRC), PRC_READ | (uint32_t)k << 16 }, .n = 3 };
	struct words answer;
	uint32_t code;

	if (talk(&answer, &code, f, &request, 1, e))
		return err_ctx(e, "cannot read knob '%s' (%d)", knob_name(k), (int)k);
	if (code && (code != FSP_INVALID_KNOB || !known))
		return refused("read", k, code, e);
	if (known)
		*known = !code;
	if (!code)
		*ret = (uint16_t)answer.v[5];	/* the upper half is not cleared by the firmware */
	return 0;
}

int fsp_write_knob(struct fsp *f, enum knob k, uint16_t value, struct err *e)
{
	const struct words request = { .v = { MCTP_SINGLE, NVDM_HEAD(NVDM_PRC), PRC_WRITE | (uint32_t)k << 16, value }, .n = 4 };
	struct words answer;
	uint32_t code;

	if (talk(&answer, &code, f, &request, 0, e))
		return err_ctx(e, "cannot write %u to knob '%s' (%d)", (unsigned)value, knob_name(k), (int)k);
	return code ? refused("write", k, code, e) : 0;
}
