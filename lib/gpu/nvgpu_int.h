/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_NVGPU_INT_H
#define CVMBOX_GPU_NVGPU_INT_H

/* Between the nvgpu*.c files only. */

#include "base/cursor.h"
#include "gpu/nvgpu.h"
#include "gpu/rim.h"

#define NV_GPU_BLOCKS 64
#define NV_SWITCH_BLOCKS 31
#define NV_WORD_HOPPER 0x180
#define NV_WORD_BLACKWELL 0x1a0		/* GB1xx */
#define NV_WORD_BLACKWELL_2 0x1b0	/* GB2xx */

/* --- facts of a report (nvgpu_set.c, nvgpu_mode.c) ---------------------------------------------------------- */

bool nv_is_switch(const struct nv_device *d);
uint32_t nv_arch_number(const struct nv_device *d);	/* of opaque type 4; 0: none */
const struct json *nv_device_list(const struct json *j);	/* the array of devices in any JSON form; NULL: none */

enum nv_mode_word { NV_MODE_BAD, NV_MODE_SPT, NV_MODE_MPT, NV_MODE_PPCIE };
extern const char *const nv_mode_words[];		/* "", "spt", "mpt", "ppcie" */
/* What mode a GPU's report says; BAD: its parts contradict each other or are not known, why (may be NULL) gets the text. */
enum nv_mode_word nv_mode_of(const struct nv_device *d, struct buf *why);
bool nv_driver_before(const struct nv_device *d, unsigned branch);	/* "535.86.09" is before 550; false where it says nothing */
/* Version texts part by part, in this base (10, 16); -1, 0, 1; 2: one of them is no version. */
int nv_version_compare(const char *a, const char *b, int base);

/* PDIs out of opaque data, in certificate order, no doubles: a GPU's switches (type 22), a switch's own one, a switch's GPUs (type 26). */
#define NV_PDIS_MAX 32
struct nv_pdis {
	size_t n;
	uint8_t v[NV_PDIS_MAX][8];
};
void nv_pdi_add(struct nv_pdis *to, const uint8_t pdi[static 8]);
bool nv_pdis_same(const struct nv_pdis *a, const struct nv_pdis *b);	/* as sets */
bool nv_pdis_of_gpu(struct nv_pdis *ret, const struct nv_device *d);
bool nv_pdi_of_switch(uint8_t ret[static 8], const struct nv_device *d);
bool nv_gpus_of_switch(struct nv_pdis *ret, const struct nv_device *d);

/* --- what is being judged ------------------------------------------------------------------------------------- */

struct nv_manifest {		/* one RIM that is at hand */
	const char *source;
	bool readable, judged, trusted;		/* trusted: chain and signature hold, dates apart */
	struct rim rim;
	char trouble[256];	/* why it cannot be read, or is not trusted */
};
struct nv_answer {		/* one certificate status answer was verified already */
	const struct ocsp *answer;
	uint8_t above[32];	/* digest of the CAs that it was held against */
	bool holds;
	char trouble[256];
};

enum nv_which { NV_DRIVER, NV_VBIOS, NV_MANIFESTS };	/* a switch's BIOS is its VBIOS */
enum nv_chain_of { NV_CHAIN_DEVICE, NV_CHAIN_DRIVER, NV_CHAIN_VBIOS, NV_CHAINS };

enum { NV_EVILS = 4 };		/* what a status says: good, unknown, on hold, revoked */
struct nv_status {		/* of one chain's certificates */
	bool ran, any, known;	/* an answer that counts: of one certificate, of each */
	enum ocsp_status worst;
	bool seen[NV_EVILS];	/* of some certificate: by badness */
	bool has_reason;
	unsigned reason;
	enum ocsp_class freshness;
	int64_t oldest;		/* thisUpdate of the oldest answer that counts */
	int64_t until;		/* the earliest nextUpdate; 0: none has one */
};

enum nv_check {			/* the outcomes that are remembered */
	NV_C_CHAIN, NV_C_ARCH, NV_C_SIGNATURE, NV_C_NONCE, NV_C_FWID, NV_C_MODE, NV_C_OCSP, NV_C_DRIVER, NV_C_DRIVER_DATES, NV_C_DRIVER_OCSP,
	NV_C_VBIOS, NV_C_VBIOS_DATES, NV_C_VBIOS_OCSP, NV_C_CONFLICT, NV_C_MEASUREMENTS, NV_C_SVN, NV_C_PINNED, NV_C_VERSIONS, NV_C_ID,
	NV_C_CLAIMS, NV_CHECKS
};
enum { NVSET_UNIQUE, NVSET_NONCE, NVSET_COUNT, NVSET_MODE, NVSET_TOPOLOGY, NVSET_CHECKS };

enum nv_verdict { NV_NOT_COMPARED, NV_SAME, NV_TOLERATED, NV_DIFFERENT };
struct nv_measure {		/* one measurement against what was wanted of it */
	enum nv_verdict verdict;
	enum nv_which from;
	const struct rim_golden *golden;
};
struct nv_parsed;
struct nv_subject {		/* one device */
	struct nv_parsed *all;
	const struct nv_device *d;
	struct cert given[NVCHAIN_CERTS];	/* borrowed, where the chain is the caller's */
	struct cert_list chain;			/* borrowed */
	bool issued, dated;			/* the chain: all but dates; dates */
	bool fwid_known, fwid_same, nonce_same, waived, chosen;
	const struct nv_manifest *rim[NV_MANIFESTS];	/* trusted */
	const struct nv_manifest *seen[NV_MANIFESTS];	/* fits, and is not trusted */
	bool rim_dated[NV_MANIFESTS];
	struct nv_status status[NV_CHAINS];
	struct nv_measure measure[SPDM_BLOCKS_MAX];
	bool compared, all_same;		/* measurements: was everything wanted compared; and the same as the manifests say */
	struct buf hwmodel, ueid;
	enum outcome outcome[NV_CHECKS];
	size_t checks;				/* how many there are for this device */
};
struct nv_parsed {
	struct nv_set set;
	struct nv_subject *v;			/* set.n */
	struct nv_manifest *rims;
	size_t n_rims;
	struct cert_list rim_root;		/* NVIDIA's, for manifests that come without */
	struct nv_answer *answers;
	size_t n_answers, n_unsigned;
	struct nv_asked *asked;		/* nvgpu_ocsp.c */
	size_t n_asked;
	int64_t now;		/* of the appraisal */
	enum outcome outcome[NVSET_CHECKS];
};

enum { NV_GPU_CHECKS = 20, NV_SWITCH_CHECKS = 14 };
extern const struct check nv_gpu_checks[NV_GPU_CHECKS], nv_switch_checks[NV_SWITCH_CHECKS];

#define NV_RUN(name) enum outcome nv_##name(struct nv_subject *s, const struct expect *x, struct finding *f)

/* --- parts of the judgement ------------------------------------------------------------------------------------- */

bool nv_tolerated(const struct expect *x, const char *chain, const char *what);	/* "driver-rim", "expired" */
extern const char *const nv_chain_words[NV_CHAINS];	/* "device", "driver-rim", "vbios-rim" */

/* nvgpu_ocsp.c: certificates first .. last - 1 of this line, whose last one is a root. */
struct nv_line {
	const struct cert_list *l;
	size_t first, last;
};
enum outcome nv_judge_status(struct nv_subject *s, enum nv_chain_of which, const struct nv_line *line, const struct expect *x, struct finding *f);
/* Nothing is said about it that would speak against this chain. */
bool nv_line_revoked(struct nv_parsed *p, const struct nv_line *line, const struct expect *x);
NV_RUN(check_ocsp);

/* nvgpu_rim.c */
int nv_manifests_open(struct nv_parsed *p, const struct expect *x, struct err *e);
NV_RUN(check_driver);
NV_RUN(check_driver_dates);
NV_RUN(check_driver_ocsp);
NV_RUN(check_vbios);
NV_RUN(check_vbios_dates);
NV_RUN(check_vbios_ocsp);

/* nvgpu_measure.c */
NV_RUN(check_conflict);
NV_RUN(check_measurements);
NV_RUN(check_svn);
NV_RUN(check_pinned);
bool nv_equals_golden(const struct spdm_block *b, const struct rim_golden *g);
/* The policy pins every measurement that is not zero and that no manifest demands. */
bool nv_pins_cover(const struct nv_subject *s, const struct expect *x);
bool nv_svn_of(uint32_t *ret, const struct nv_device *d, uint16_t type);	/* false: none, or not as it should be */

/* nvgpu_claims.c */
void nv_claims_of(struct json *to, const struct nv_subject *s);
int nv_claims(struct json *to, const void *parsed, struct err *e);
int nv_details(struct json *to, const void *parsed, struct err *e);

#endif
