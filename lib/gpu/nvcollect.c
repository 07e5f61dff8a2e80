/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of all GPUs: see nvcollect.h. */
#include "gpu/nvcollect.h"

#include "base/pool.h"
#include "gpu/nvgpu.h"
#include "gpu/state.h"

struct seat {			/* one GPU, and the session that it is asked in */
	struct gpu_state s;
	struct rm *rm;
	struct rm_gpu gpu;
	struct rm_cc cc;
	struct rm_evidence ev;
};
struct nv_party {
	struct seat *v;
	size_t n, n_switches;
	const struct nv_sessions *sessions;
	uint8_t nonce[32];
};

void nv_party_free(struct nv_party *p)
{
	for (size_t i = 0; p && i < p->n; i++) {
		rm_close(p->v[i].rm);
		rm_evidence_free(&p->v[i].ev);
	}
	free(p ? p->v : NULL);
	free(p);
}

void nv_party_cleanup(struct nv_party **p)
{
	nv_party_free(*p);
	*p = NULL;
}

/* --- which GPUs -------------------------------------------------------------------------------------------- */

static int add(struct nv_party *p, const struct gpu_pci *pci, bool in_sysfs, struct err *e)
{
	struct seat *v;

	if (p->n == NV_DEVICES_MAX)
		return err_set(e, EC_FORMAT, "more than %d GPUs: evidence of so many has no form", NV_DEVICES_MAX);
	v = realloc(p->v, (p->n + 1) * sizeof *v);
	if (!v)
		return err_oom(e);
	p->v = v;
	v[p->n++] = (struct seat){ .s = { .pci = *pci, .in_sysfs = in_sysfs } };
	return 0;
}

static struct seat *seat_at(const struct nv_party *p, const struct pci_addr *a)
{
	for (size_t i = 0; i < p->n; i++)
		if (pci_addr_eq(&p->v[i].s.pci.addr, a))
			return &p->v[i];
	return NULL;
}

/* GPUs that the driver has and sysfs does not show (a sandbox hides /sys) are GPUs all the same. */
static int add_hidden(struct nv_party *p, const struct rm *rm, struct err *e)
{
	for (size_t i = 0; i < rm_card_count(rm); i++) {
		const struct rm_card *c = rm_card_at(rm, i);
		struct gpu_pci pci = { .addr = c->addr, .vendor = c->vendor, .device = c->device, .driver = "nvidia" };

		pci_addr_format(pci.bdf, &c->addr);
		if (!seat_at(p, &c->addr) && add(p, &pci, false, e))
			return -1;
	}
	return 0;
}

/* The next of "0000:41:00.0,42:00.0"; false at the end. */
static bool next_name(char *ret, size_t size, const char **list)
{
	const size_t n = strcspn(*list, ",");

	if (!*list[0])
		return false;
	snprintf(ret, size, "%.*s", (int)(n < size ? n : size - 1), *list);
	*list += n + ((*list)[n] == ',');
	return true;
}

/* Keeps the GPUs that are named, in the machine's order. */
static int narrow(struct nv_party *p, const char *names, struct err *e)
{
	bool keep[NV_DEVICES_MAX] = { false };
	char name[64];
	size_t n = 0;

	while (next_name(name, sizeof name, &names)) {
		struct pci_addr a;
		const struct seat *s;

		if (pci_addr_parse(&a, name, e))
			return err_ctx(e, "--gpus");
		s = seat_at(p, &a);
		if (!s) {
			err_set(e, EC_ABSENT, "no NVIDIA GPU at '%s'", name);
			return err_hint(e, "'cvmbox gpu-ccmode query' lists those of this machine");
		}
		keep[s - p->v] = true;
	}
	for (size_t i = 0; i < p->n; i++)
		if (keep[i])
			p->v[n++] = p->v[i];
	p->n = n;
	return 0;
}

static int none_here(const struct gpu_list *l, struct err *e)
{
	err_set(e, EC_ABSENT, l->no_pci ? "no NVIDIA GPU seen: '/sys/bus/pci' is not there" : "no NVIDIA GPU on the PCI bus");
	return err_hint(e, l->no_pci ? "is sysfs mounted at /sys?" : "in a VM: was the GPU passed through?");
}

static int gives_none(const struct seat *s, struct err *e)
{
	const struct err why = s->s.why;

	err_set(e, why.code, "GPU %s gives no evidence: %s", s->s.pci.bdf, why.msg);
	if (why.code != EC_ABSENT)
		return why.hint[0] ? err_hint(e, "%s", why.hint) : -1;
	return err_hint(e, "%s%s--gpus names the GPUs to ask, or none", why.hint, why.hint[0] ? "; " : "");
}

/* A GPU without the driver cannot be asked, and to leave it out would be to say that it is not there. */
static int all_bound(struct nv_party *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (!gpu_is_bound(&p->v[i].s.pci)) {
			gpu_state_unbound(&p->v[i].s);
			return gives_none(&p->v[i], e);
		}
	return 0;
}

/* Opening a node of a driver that is not loaded makes the kernel load it, so nobody is asked where no GPU has the driver. */
static bool anyone_to_ask(const struct nv_party *p, const struct gpu_list *l, const struct host *h)
{
	char path[32];

	for (size_t i = 0; i < p->n; i++)
		if (gpu_is_bound(&p->v[i].s.pci))
			return true;
	rm_node_path(path, RM_CTL_MINOR);
	return l->no_pci && host_exists(h, path);
}

static int gather(struct nv_party *p, const struct host *h, const struct gpu_list *l, const char *names, struct err *e)
{
	AUTO_RM *rm = NULL;

	for (size_t i = 0; i < l->n; i++) {
		p->n_switches += l->v[i].is_switch;
		if (!l->v[i].is_switch && add(p, &l->v[i], true, e))
			return -1;
	}
	if (anyone_to_ask(p, l, h)) {
		if (p->sessions->open(&rm, p->sessions->arg, e))
			return err_ctx(e, "cannot ask the GPUs");
		if (add_hidden(p, rm, e))
			return -1;
	}
	if (p->n == 0)
		return none_here(l, e);
	if (names && narrow(p, names, e))
		return -1;
	if (all_bound(p, e))
		return -1;
	p->v[0].rm = rm;	/* the first one is asked in it */
	rm = NULL;
	return 0;
}

/* --- their state -------------------------------------------------------------------------------------------- */

static int look(void *arg, size_t i, unsigned worker, struct err *e)
{
	struct nv_party *p = arg;
	struct seat *s = &p->v[i];

	(void)worker;
	if (!s->rm && p->sessions->open(&s->rm, p->sessions->arg, e))
		return err_ctx(e, "GPU %s gives no evidence", s->s.pci.bdf);
	gpu_state_ask(&s->s, &s->gpu, &s->cc, s->rm);
	return s->s.answer == GPU_ANSWERED ? 0 : gives_none(s, e);
}

static int is_off(const struct nv_party *p, const struct seat *s, struct err *e)
{
	char others[64] = "";

	if (p->n > 1)
		snprintf(others, sizeof others, ", and on the %zu other%s", p->n - 1, p->n == 2 ? "" : "s");
	err_set(e, EC_ABSENT, "confidential mode is off on GPU %s%s", s->s.pci.bdf, others);
	if (s->cc.gpu == RM_CC_GPU_NONE)
		return err_hint(e, "GPU and driver have no such mode; --gpus none leaves GPUs out");
	return err_hint(e, "it is switched on from the host ('cvmbox gpu-ccmode set on --all'); --gpus none leaves GPUs out");
}

static int may_be_asked(const struct nv_party *p, const struct seat *s, const struct host *h, struct err *e)
{
	if (memcmp(&s->cc, &p->v[0].cc, sizeof s->cc) != 0) {
		err_set(e, EC_IO, "the driver's confidential-compute state changed while it was read");
		return err_hint(e, "ask again");
	}
	switch (s->s.mode) {
	case GPU_MODE_OFF:
		return is_off(p, s, e);
	case GPU_MODE_APM:
		return err_set(e, EC_ABSENT, "GPU %s gives no evidence: it runs in APM mode, which has none", s->s.pci.bdf);
	case GPU_MODE_ON:
	case GPU_MODE_PPCIE:
		return 0;
	case GPU_MODE_DEVTOOLS:
		host_log(h, LOG_WARN, "GPU %s runs in devtools mode: verifiers refuse its evidence unless told otherwise", s->s.pci.bdf);
		return 0;
	default:
		err_set(e, EC_IO, "GPU %s is not asked for evidence: its mode is unclear: %s", s->s.pci.bdf,
			s->s.mode_why ? s->s.mode_why : "the driver does not tell it");
		return err_hint(e, "'cvmbox gpu-ccmode query --json' shows what the driver says");
	}
}

/* Protected PCIe is eight GPUs and four switches: a verifier wants them all, and the switches have no kernel interface that can be spoken here. */
static int switches_settled(const struct nv_party *p, const struct collect_how *how, const struct host *h, struct err *e)
{
	AUTO_BUF hex = { 0 };

	if (p->v[0].s.mode != GPU_MODE_PPCIE || (how && how->has_switches))
		return 0;
	if (p->n_switches == 0) {
		host_log(h, LOG_WARN, "protected PCIe, but no NVSwitch in sight: verifiers want evidence of the switches too (--nvswitch-evidence)");
		return 0;
	}
	buf_hex(&hex, slice_of(p->nonce, sizeof p->nonce));
	err_set(e, EC_USAGE, "this machine runs in protected PCIe mode: evidence of its %zu NVSwitch%s is wanted too", p->n_switches,
		p->n_switches == 1 ? "" : "es");
	return err_hint(e, "'nvattest collect-evidence --device nvswitch --nonce %s' makes it; then --nvswitch-evidence FILE, with the same --nonce",
			buf_cstr(&hex));
}

/* --- their evidence -------------------------------------------------------------------------------------------- */

static int fetch(void *arg, size_t i, unsigned worker, struct err *e)
{
	struct nv_party *p = arg;
	struct seat *s = &p->v[i];

	(void)worker;
	return rm_evidence(&s->ev, s->rm, &s->gpu, &s->cc, p->nonce, e) ? err_ctx(e, "GPU %s gives no evidence", s->s.pci.bdf) : 0;
}

static enum nv_arch arch_of(uint32_t a)		/* spec 1.5, MC_GET_ARCH_INFO */
{
	return a == 0x180 ? NV_HOPPER : a == 0x1a0 || a == 0x1b0 ? NV_BLACKWELL : NV_UNKNOWN;
}

static const char *null_if_empty(const char *s)
{
	return s[0] ? s : NULL;
}

static int write_all(struct evidence *ret, const struct nv_party *p, struct err *e)
{
	struct nv_piece piece[NV_DEVICES_MAX];
	AUTO_BUF raw = { .max = EVIDENCE_MAX };

	for (size_t i = 0; i < p->n; i++) {
		const struct seat *s = &p->v[i];

		piece[i] = (struct nv_piece){
			.arch = arch_of(s->s.info.architecture), .uuid = null_if_empty(s->s.info.uuid), .bdf = s->s.pci.bdf,
			.driver = rm_driver_version(s->rm), .vbios = null_if_empty(s->s.info.vbios),
			.nonce = slice_of(p->nonce, sizeof p->nonce), .report = buf_view(&s->ev.report), .chain_pem = buf_view(&s->ev.chain),
		};
	}
	if (nv_write(&raw, piece, p->n, e) || buf_check(&raw, e))
		return -1;
	buf_move(&ret->raw, &raw);
	return 0;
}

static int ask_all(struct nv_party *p, const struct collect_how *how, const struct host *h, struct err *e)
{
	struct pool *pool = NULL;
	int rc;

	if (pool_new(&pool, (unsigned)p->n, e))
		return -1;
	rc = pool_run(pool, p->n, look, p, e);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = may_be_asked(p, &p->v[i], h, e);
	if (!rc && !(rc = switches_settled(p, how, h, e)))
		rc = pool_run(pool, p->n, fetch, p, e);
	pool_free(pool);
	return rc;
}

static int collect(struct nv_party **keep, struct evidence *ret, const struct host *h, const struct gpu_list *l, const struct nv_sessions *s,
		   struct slice rd, struct err *e)
{
	AUTO_NV_PARTY *p = calloc(1, sizeof *p);

	if (!p)
		return err_oom(e);
	p->sessions = s;
	nv_nonce_of(p->nonce, rd);
	if (gather(p, h, l, ret->how ? ret->how->gpus : NULL, e) || ask_all(p, ret->how, h, e) || write_all(ret, p, e))
		return -1;
	p->sessions = NULL;	/* the caller's, and of no use any more */
	*keep = p;
	p = NULL;
	return 0;
}

int nv_collect_over(struct evidence *ret, const struct host *h, const struct gpu_list *l, const struct nv_sessions *s, struct slice rd,
		    struct err *e)
{
	AUTO_NV_PARTY *keep = NULL;

	return collect(&keep, ret, h, l, s, rd, e);
}

static int open_session(struct rm **ret, void *arg, struct err *e)
{
	return rm_open_making(ret, arg, e);
}

int nv_collect_keep(struct nv_party **keep, struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_GPU_LIST l = { 0 };
	const struct nv_sessions s = { open_session, (void *)(uintptr_t)h };	/* only read */

	return gpu_list(&l, h, e) ? -1 : collect(keep, ret, h, &l, &s, rd, e);
}

int nv_collect(struct evidence *ret, const struct host *h, struct slice rd, struct err *e)
{
	AUTO_NV_PARTY *keep = NULL;

	return nv_collect_keep(&keep, ret, h, rd, e);
}
