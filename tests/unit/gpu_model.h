/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEST_GPU_MODEL_H
#define CVMBOX_TEST_GPU_MODEL_H

/* A simulated GPU or NVSwitch behind struct mmio: registers, knobs (pending and active), the two transports to the security processor, reset
 * (nvidia-gpu.md 5.8).  It reacts as the text of the specification says and can be told to fail in every way named there.  In-process here;
 * tests/tools/gpu-model.c serves the same model on sockets, for the real binary.  Its clock is virtual: an access takes 1 us, a sleep no time. */

#include "gpu/fsp.h"

#define MODEL_KNOBS 64
#define MODEL_EMEM 8192
#define MODEL_PORTS 8

enum model_fault {		/* bits; several may be set */
	MODEL_OK = 0,
	/* transport; they begin once 'fault_after' requests were answered */
	MODEL_STUCK = 1 << 0,		/* the command queue never empties; MNOC: never ready */
	MODEL_SILENT = 1 << 1,		/* no answer comes */
	MODEL_WRONG_NVDM = 1 << 2,	/* answer's type is not 0x15 */
	MODEL_WRONG_ECHO = 1 << 3,	/* answer to another request type */
	MODEL_SHORT = 1 << 4,		/* four words */
	MODEL_SPLIT = 1 << 5,		/* the answer comes in two packets, in form */
	MODEL_SPLIT_BAD = 1 << 6,	/* in two packets, the second with a wrong sequence number */
	MODEL_POINTERS = 1 << 7,	/* message queue's pointers lead out of the channel; MNOC: size over 4160 */
	MODEL_MBOX_ERROR = 1 << 8,	/* MNOC: error bit while a request is sent */
	MODEL_NO_CREDIT = 1 << 9,	/* MNOC: no credit */
	MODEL_LONG = 1 << 10,		/* one word too many */
	MODEL_DIES = 1 << 11,		/* the device is lost: all reads are ones */
	/* there at the start */
	MODEL_STALE = 1 << 12,		/* a message of an earlier user waits in the queue */
	MODEL_LEFTOVER = 1 << 13,	/* EMEM: an earlier user's request lies in the command queue, its answer comes later */
	/* boot, also after a reset */
	MODEL_BOOT_NEVER = 1 << 14,
	MODEL_BOOT_BADF = 1 << 15,	/* 0xbadf5040 instead of 0 before 0xff */
	MODEL_BOOT_ONES = 1 << 16,	/* all ones for ever, from the next reset on */
	MODEL_FIREWALL = 1 << 17,	/* Blackwell: the BAR firewall never opens, from the next reset on */
	MODEL_NO_DVSEC = 1 << 18,	/* Blackwell: capability missing; all ones for 'firewall_reads' reads after a reset */
	/* identity */
	MODEL_GONE = 1 << 19,		/* all ones */
	MODEL_BLOCKED = 1 << 20,	/* 0xbadf1100 */
	MODEL_SEC_FAULT = 1 << 21,	/* 0xbadf0200, and the fault word 0x2a in configuration space */
	MODEL_RECOVERY = 1 << 22,	/* recovery flag; Hopper: PMC_BOOT_0 is 0 */
	/* reset */
	MODEL_RESET_NONE = 1 << 23,	/* no such file */
	MODEL_RESET_ERROR = 1 << 24,	/* EIO, nothing happens */
	MODEL_RESET_LOST = 1 << 25,	/* afterwards all ones */
	MODEL_RESET_IGNORED = 1 << 26,	/* boots again, pending knobs are not applied */
	/* knobs */
	MODEL_OLD = 1 << 27,		/* 44 and 45 are not known (0x1e3) */
	MODEL_NO_INBAND = 1 << 28,	/* writes are refused with MODEL_REFUSED */
	MODEL_WRITE_LOST = 1 << 29,	/* writes are acknowledged and forgotten */
	/* there at the start, too */
	MODEL_LATE = 1 << 30		/* the queues are empty, but an answer to an earlier user's request is still to come */
};
#define MODEL_REFUSED 0x1c

struct model_access {
	char what;		/* 'r', 'w', 'c' (config), 'R' reset; 'g' knob read, 's' knob set: offset is its id */
	uint32_t offset, value;
};

struct model {
	/* to be set before use; gpu_model fills in a healthy device with all modes off */
	enum gpu_chip chip;
	struct gpu_pci pci;
	uint32_t boot0;
	uint32_t faults;
	unsigned fault_after;		/* requests that are answered well before transport faults begin */
	unsigned boot_reads;		/* reads of the boot register after a reset before it says 0xff */
	unsigned firewall_reads;	/* Blackwell after a reset: reads of the DVSEC before the firewall opens */
	uint16_t pending[MODEL_KNOBS], active[MODEL_KNOBS];
	bool invalid[MODEL_KNOBS];	/* answers 0x1e3 */
	bool refused[MODEL_KNOBS];	/* writing answers MODEL_REFUSED */
	uint16_t garbage;		/* upper half of a value that is read: 0xdead */
	bool log_registers;		/* false: the log holds 'g', 's', 'R' only */
	void (*on_access)(void *arg, const struct model_access *a);	/* all of them, after they took effect; may be NULL */
	void *arg;

	/* hostile words in place of the model's own (fuzzer): each read takes a byte, and if that is over 0xbf, the word behind it; NULL: none */
	const uint8_t *noise;
	size_t noise_left;

	/* what happened */
	struct model_access *log;
	size_t n_log, cap_log;
	unsigned requests, resets;
	int64_t now_us;
	bool lost;

	/* inside */
	unsigned boot_left, firewall_left;
	uint8_t emem[MODEL_EMEM];
	struct {
		uint32_t at;
		bool inc_w, inc_r;
		uint32_t q_head, q_tail, m_head, m_tail;
	} port[MODEL_PORTS];
	uint32_t late[16];		/* a packet that comes later: a leftover's answer, or the second of a split answer */
	size_t n_late;
	unsigned late_left;		/* polls for a message until then; 0: when the one before it was taken */
	uint32_t in[1040], out[16];	/* MNOC */
	size_t in_want, in_n, out_n, out_at, credit;
	bool in_error;
};

void model_init(struct model *m, enum gpu_chip chip, const char *bdf);
void model_free(struct model *m);		/* the log */
/* One of these per use; closing it leaves the model as it is.  m has to outlive it.  writable as in mmio_open. */
struct mmio model_mmio(struct model *m, bool writable);
/* What the table's calls do, for the socket server: 0, or -1 with e. */
int model_read32(struct model *m, uint32_t offset, uint32_t *ret, struct err *e);
int model_write32(struct model *m, uint32_t offset, uint32_t value, struct err *e);
int model_config32(struct model *m, uint32_t offset, uint32_t *ret, struct err *e);
int model_reset(struct model *m, struct err *e);
size_t model_bar_size(const struct model *m);
enum hw_mode model_mode(const struct model *m);	/* active */
/* Index in the log of the n-th (0: first) entry 'what' of this offset; -1: there is none.  "Tail before head" is one comparison. */
int model_find(const struct model *m, char what, uint32_t offset, unsigned n);
bool model_fault_of(uint32_t *ret, const char *name);	/* "stuck", "silent", ..: names of the enum in lower case, with '-' */
const char *model_fault_name(uint32_t bit);
bool model_chip_of(enum gpu_chip *ret, const char *name);	/* "hopper", "gb10x", "gb20x", "ls10" */

#endif
