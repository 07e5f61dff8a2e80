/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_EVENTLOG_INT_H
#define CVMBOX_TEE_EVENTLOG_INT_H

/* What the files of the event log share: events as parsed, what replay and digests proved about each. */

#include "base/cursor.h"
#include "tee/eventlog.h"

#define LOG_EVENTS_MAX 65536u
#define LOG_REGS 24u
#define LOG_ALGS_MAX 16u
#define REG_NONE UINT32_C(0xffffffff)	/* an event that extends nothing */

enum {	/* TCG PC Client Platform Firmware Profile, 10.4.1 */
	EV_POST_CODE = 1, EV_NO_ACTION = 3, EV_SEPARATOR = 4, EV_ACTION = 5, EV_EVENT_TAG = 6, EV_S_CRTM_VERSION = 8,
	EV_PLATFORM_CONFIG_FLAGS = 0xa, EV_COMPACT_HASH = 0xc, EV_IPL = 0xd, EV_IPL_PARTITION_DATA = 0xe, EV_NONHOST_INFO = 0x11,
	EV_OMIT_BOOT_DEVICE_EVENTS = 0x12
};
#define EV_EFI(n) (UINT32_C(0x80000000) | (n))
#define EV_EFI_VARIABLE_DRIVER_CONFIG EV_EFI(1)
#define EV_EFI_VARIABLE_BOOT EV_EFI(2)
#define EV_EFI_BOOT_SERVICES_APPLICATION EV_EFI(3)
#define EV_EFI_BOOT_SERVICES_DRIVER EV_EFI(4)
#define EV_EFI_RUNTIME_SERVICES_DRIVER EV_EFI(5)
#define EV_EFI_GPT_EVENT EV_EFI(6)
#define EV_EFI_ACTION EV_EFI(7)
#define EV_EFI_PLATFORM_FIRMWARE_BLOB2 EV_EFI(0xa)
#define EV_EFI_HANDOFF_TABLES2 EV_EFI(0xb)
#define EV_EFI_VARIABLE_BOOT2 EV_EFI(0xc)
#define EV_EFI_HCRTM_EVENT EV_EFI(0x10)
#define EV_EFI_VARIABLE_AUTHORITY EV_EFI(0xe0)
#define EV_EFI_SPDM_FIRMWARE_BLOB EV_EFI(0xe1)
#define EV_EFI_SPDM_FIRMWARE_CONFIG EV_EFI(0xe2)

enum proof {
	UNCHECKED,	/* the digest covers something that the log does not hold */
	PROVED,		/* the digest covers the data (or the part that `text` is) */
	CONTRADICTED	/* the digest has to cover the data, and does not */
};
enum meaning {
	MEANS_NOTHING, MEANS_CMDLINE,	/* text is a kernel command line */
	MEANS_CMDLINE_DIGEST,		/* the digest is over a command line that is not in the log */
	MEANS_GRUB_COMMAND, MEANS_SECTION_NAME, MEANS_SECTION, MEANS_IMAGE, MEANS_VARIABLE, MEANS_AAEL, MEANS_FILE
};

struct log_event {
	enum log_form from;
	uint32_t number;		/* in its own log, from 0, the header included: as other tools count */
	uint32_t reg, type;
	struct slice data;
	const uint8_t *digest[HASH_SHA512 + 1];	/* by enum hash; NULL: has none */
	const uint8_t *sm3;

	enum proof proof;		/* for one algorithm: events_judge */
	enum meaning meaning;
	struct slice text;		/* of MEANS_CMDLINE, _GRUB_COMMAND, _AAEL */
	bool utf16;			/* text is UTF-16LE, without its NUL */
	bool old_ima, violation;	/* LOG_IMA */
	bool vouched;			/* replay gives the register that the hardware signed */
};
struct log_events {
	struct log_event *v;
	size_t n, cap;
	size_t algs[HASH_SHA512 + 1];	/* how many events have a digest of that hash */
};
void events_free(struct log_events *l);

/* Appends the events of one log.  *used (may be NULL): bytes up to the end of the last event. */
int events_parse(struct log_events *to, struct slice log, enum log_form form, size_t *used, struct err *e);
bool log_is_crypto_agile(struct slice log);	/* begins with a Spec ID event, or CoCo's pseudo one */
bool log_is_entries(struct slice log);		/* AAEL without any header */
bool log_is_legacy(struct slice log);
bool log_is_ima(struct slice log);
bool event_extends(const struct log_event *ev);
bool event_is_image(const struct log_event *ev);
const char *event_type_name(uint32_t type);	/* NULL: unknown */
void event_name(struct buf *to, const struct log_event *ev, bool cc);	/* "event 12 (EV_IPL, PCR 8)" */
void reg_name(struct buf *to, uint32_t reg, bool cc);			/* "RTMR0", "PCR 7" */

struct variable {			/* UEFI_VARIABLE_DATA */
	struct slice guid, name, value;	/* name: UTF-16LE */
};
bool variable_read(struct variable *ret, struct slice data);
bool utf16_eq(struct slice utf16, const char *ascii);
void utf16_to_utf8(struct buf *to, struct slice utf16);	/* lone surrogates: U+FFFD */
void utf8_to_utf16(struct buf *to, struct slice utf8);	/* invalid bytes: U+FFFD */

/* Sets proof, meaning and text of every event, for this algorithm. */
int events_judge(struct log_events *l, enum hash alg, bool cc, struct err *e);

enum replay_how { REPLAY_NONE, REPLAY_EXACT, REPLAY_NO_EBS, REPLAY_PHASES, REPLAY_INITDATA, REPLAY_PREFIX };
struct reg_state {
	size_t events;			/* that extend it */
	size_t missing;			/* of these, without a digest of the algorithm */
	enum replay_how how;		/* how it came to the signed value; NONE: it does not */
	size_t beyond;			/* REPLAY_PREFIX: IMA entries behind the quote */
	uint8_t v[HASH_MAX];		/* all of its events replayed */
};
/* st[reg], and vouched of each event.  regs may be NULL: nothing to compare with.  init_data: digests that may have been
 * extended into PCR 8 behind the log; initdata gets the one that was. */
int events_replay(struct reg_state st[static LOG_REGS], struct log_events *l, const struct registers *regs, enum hash alg, bool cc,
		  const struct texts *init_data, char initdata[static 2 * HASH_MAX + 1], struct err *e);
/* PCR 8 after one more extension: v = H(v || digest given in hex); false: the digest has another size. */
bool extend_hex(uint8_t v[static HASH_MAX], enum hash alg, const char *hex);

struct eventlog_subject {
	struct registers regs;
	struct log_events l;
	struct err parse;		/* code EC_OK: all logs were read */
	struct reg_state st[LOG_REGS];
	char initdata[2 * HASH_MAX + 1];
	bool any;			/* there was a log */
};

struct names {			/* "event 3 (..), event 9 (..) and 4 more" */
	struct buf *to;
	size_t n;
};
bool name_next(struct names *l);	/* this one is to be written; counts it in any case */
void names_end(struct names *l);

typedef enum outcome eventlog_check(void *subject, const struct expect *x, struct finding *f);
eventlog_check eventlog_check_parse, eventlog_check_replay, eventlog_check_digests, eventlog_check_order;
eventlog_check eventlog_check_cmdline, eventlog_check_boot_images, eventlog_check_secure_boot, eventlog_check_init_data;

/* 1: it was on; 0: nothing says; -1: off, or not certain, because of *where. */
int eventlog_secure_boot(const struct eventlog_subject *s, const struct log_event **where);

/* Trustee's form of one event: {"details","digest_matches_event","digests","event","index","type_name"}. */
int event_trustee(struct json *to_array, const struct log_event *ev, struct err *e);
void device_paths(struct json *to_array, struct slice path);

#endif
